import GuestWire

/// What one trial says about one claim.
public struct ClaimCheck: Hashable, Sendable, Codable {
  /// How a claim came out, of a trial or of a run.
  public enum Result: String, Hashable, Sendable, Codable {
    /// The rule was seen to hold, in each part, and nothing broke or is in doubt.
    case held
    /// A finding that is not known upstream speaks against it.
    case violated
    /// Neither of the two: the window was not entered, or not enough is known.
    case notExercised = "not exercised"
  }

  /// One that the trial's rule serves, or a finding speaks against; or S7.
  public var claim: Claim
  /// Of the trial; nil for a stress.
  public var schedule: Schedule?
  /// By which the trial ran: a claim has to hold by each.
  public var provider: Provider
  /// `violated` goes before the others, whatever else broke in the trial.
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
  /// What was asked for.
  public var spec: TrialSpec
  /// `ran` for a stress and for another tool.
  public var outcome: TrialOutcome
  /// Known ones among them.
  public var findings: [Finding]
  /// What broke on our side.
  public var failures: [HarnessFailure]
  /// Why it is no pass, where it is neither a failure nor an error.
  public var reasons: [String]
  /// In the claims' order: those that the rule serves, those that are violated, and always S7.
  public var checks: [ClaimCheck]
  /// Remarks that have no part in the verdict, the console's notices among them.
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

  /// What is known upstream has no part in it.
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
