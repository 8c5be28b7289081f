import GuestWire

/// What a run says about one claim.
public struct ClaimStatus: Hashable, Sendable, Codable {
  /// Each of S1 to S8 has one status in a run.
  public var claim: Claim
  /// Violated if any trial violated it; held only if each of its schedules held, by every
  /// provider that ran.
  public var result: ClaimCheck.Result
  /// The schedules, or stresses, that violated it.
  public var violatedBy: [String]
  /// Why it is not exercised.
  public var reason: String?

  public init(
    claim: Claim, result: ClaimCheck.Result, violatedBy: [String] = [], reason: String? = nil
  ) {
    self.claim = claim
    self.result = result
    self.violatedBy = violatedBy
    self.reason = reason
  }

  /// `S2 held`, `S5 violated: writeback@pinned > swapoff@trees-freed`, `S6 not exercised`.
  public var line: String {
    result == .violated
      ? "\(claim.rawValue) violated: \(violatedBy.joined(separator: "; "))"
      : "\(claim.rawValue) \(result.rawValue)"
  }
}

/// A run, judged.
public struct RunJudgement: Hashable, Sendable {
  /// Of all trials and of what came outside of them; see `Verdict.of`.
  public var verdict: Verdict
  /// S1 to S8, each once, in this order.
  public var claims: [ClaimStatus]
  /// Every finding, known ones too, the trials' first; each fingerprint once.
  public var findings: [Finding]

  /// - Parameters:
  ///   - trials: every trial that the run meant to make; one without a report
  ///     is `TrialJudgement.unreported`.
  ///   - stray: findings outside of trials (`Judge.stray`, `Finding.consoleFlood`).
  ///   - failures: of the sessions: a boot that failed, a guest that lied.
  public static func conclude(
    _ trials: [TrialJudgement], stray: [Finding] = [], failures: [HarnessFailure] = []
  ) -> RunJudgement {
    var failures = failures + trials.flatMap(\.failures)
    if trials.isEmpty, failures.isEmpty {
      failures.append(HarnessFailure(.harness, "the run made no trial"))
    }
    var reasons = trials.flatMap { trial in
      trial.reasons.map { "trial \(trial.spec.index) (\(trial.spec.title)): \($0)" }
    }
    if !trials.isEmpty, trials.allSatisfy({ $0.spec.schedule == nil }) {
      // Tried: 53,659 uncontrolled writebacks beside 81 swapoffs did not meet a
      // bug that one schedule meets each time.
      reasons.append("a stress alone does not show that any window was entered")
    }
    let findings = (trials.flatMap(\.findings) + stray).unique
    return RunJudgement(
      verdict: .of(findings: findings, failures: failures, reasons: reasons),
      claims: Claim.allCases.map { status(of: $0, in: trials) }, findings: findings)
  }

  private static func status(of claim: Claim, in trials: [TrialJudgement]) -> ClaimStatus {
    let violated = trials.filter { trial in
      trial.checks.contains { $0.claim == claim && $0.result == .violated }
    }
    if !violated.isEmpty {
      var titles: [String] = []
      for trial in violated where !titles.contains(trial.spec.title) {
        titles.append(trial.spec.title)
      }
      return ClaimStatus(claim: claim, result: .violated, violatedBy: titles)
    }
    if let reason = missing(claim, in: trials) {
      return ClaimStatus(claim: claim, result: .notExercised, reason: reason)
    }
    return ClaimStatus(claim: claim, result: .held)
  }

  /// What the claim lacks to be held; nil if nothing.
  private static func missing(_ claim: Claim, in trials: [TrialJudgement]) -> String? {
    let steered = trials.filter { $0.spec.schedule != nil }
    let providers = Provider.allCases.filter { provider in
      steered.contains { $0.spec.provider == provider }
    }
    guard !providers.isEmpty else { return "no schedule was run" }
    for schedule in claim.schedules {
      for provider in providers
      where !steered.hold(claim, under: provider, schedule: schedule) {
        return "“\(schedule)” was not exercised with the provider \(provider.rawValue)"
      }
    }
    guard claim == .s7 else { return nil }
    // One trial that did not come to rest may be the one that leaks.
    let restless = steered.first { trial in
      !trial.checks.contains { $0.claim == claim && $0.result == .held }
    }
    return restless.map { "nothing is known at rest of trial \($0.spec.index)" }
  }
}

extension [TrialJudgement] {
  /// Whether a trial of this schedule under this provider showed the claim.
  fileprivate func hold(_ claim: Claim, under provider: Provider, schedule: Schedule) -> Bool {
    contains { trial in
      trial.spec.schedule == schedule
        && trial.checks.contains {
          $0.claim == claim && $0.provider == provider && $0.result == .held
        }
    }
  }
}
