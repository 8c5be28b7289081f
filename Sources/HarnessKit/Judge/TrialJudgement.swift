import GuestWire

/// What one trial says about one claim.
public struct ClaimCheck: Hashable, Sendable, Codable {
  public enum Result: String, Hashable, Sendable, Codable {
    case held
    case violated
    case notExercised = "not exercised"
  }

  public var claim: Claim
  /// Of the trial; nil for a stress.
  public var schedule: Schedule?
  public var provider: Provider
  public var result: Result

  public init(claim: Claim, schedule: Schedule?, provider: Provider, result: Result) {
    self.claim = claim
    self.schedule = schedule
    self.provider = provider
    self.result = result
  }
}

/// A trial, judged.
public struct TrialJudgement: Hashable, Sendable, Codable {
  public var spec: TrialSpec
  public var outcome: TrialOutcome
  /// Known ones among them.
  public var findings: [Finding]
  /// What broke on our side.
  public var failures: [HarnessFailure]
  /// Why it is no pass, where it is neither a failure nor an error.
  public var reasons: [String]
  public var checks: [ClaimCheck]
  public var notes: [String]

  public init(
    spec: TrialSpec, outcome: TrialOutcome, findings: [Finding] = [],
    failures: [HarnessFailure] = [], reasons: [String] = [], checks: [ClaimCheck] = [],
    notes: [String] = []
  ) {
    self.spec = spec
    self.outcome = outcome
    self.findings = findings
    self.failures = failures
    self.reasons = reasons
    self.checks = checks
    self.notes = notes
  }

  /// There is a finding that is not known.
  var hasFailed: Bool { findings.contains { $0.known == nil } }

  public var verdict: Verdict {
    .of(findings: findings, failures: failures, reasons: reasons)
  }

  /// A trial that brought no report: the guest was lost in it, or never came
  /// to it.
  public static func unreported(
    _ spec: TrialSpec, splats: [Splat], why: String
  ) -> TrialJudgement {
    Judge.unreported(spec: spec, splats: splats, why: why)
  }
}
