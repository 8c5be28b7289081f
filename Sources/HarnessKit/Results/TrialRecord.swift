import GuestWire

/// One trial in `result.json`: what it was, what was seen, what it came to.
public struct TrialRecord: Hashable, Sendable, Codable {
  public var index: Int
  public var scenario: String
  /// Its schedule, as `--schedule` takes it; nil for a stress.
  public var schedule: Schedule?
  /// A stress's length, or another tool's; nil for a schedule.
  public var stressSeconds: Int?
  /// The other tool; nil for a trial of the harness's own.
  public var workload: Workload?
  public var provider: Provider
  public var pages: Int
  /// `0x…`
  public var seed: String
  public var holdTimeoutMilliseconds: Int
  public var verdict: RunRecord.Status
  public var outcome: TrialOutcome
  public var findings: [Finding]
  public var failures: [HarnessFailure]
  public var reasons: [String]
  public var checks: [ClaimCheck]
  public var notes: [String]
  /// From its guest being ready for trials until this one was over, those before it
  /// included; nil where it was not begun.
  public var secondsFromReady: Double?
  /// The guest's facts, the events among them; nil where the guest was lost.
  public var report: TrialReport?

  public init(
    _ judgement: TrialJudgement, report: TrialReport?, secondsFromReady: Double? = nil
  ) {
    let spec = judgement.spec
    index = spec.index
    scenario = spec.scenario
    schedule = spec.schedule
    switch spec.work {
    case .schedule: break
    case .stress(let seconds): stressSeconds = seconds
    case .workload(let other, let seconds):
      workload = other
      stressSeconds = seconds
    }
    provider = spec.provider
    pages = spec.pages
    seed = RunRecord.text(ofSeed: spec.seed)
    holdTimeoutMilliseconds = spec.holdTimeoutMilliseconds
    verdict =
      switch judgement.verdict {
      case .pass: .pass
      case .fail: .fail
      case .notExercised: .notExercised
      case .error: .error
      }
    outcome = judgement.outcome
    findings = judgement.findings
    failures = judgement.failures
    reasons = judgement.reasons
    checks = judgement.checks
    notes = judgement.notes
    self.report = report
    self.secondsFromReady = secondsFromReady
  }

  /// What it is called in every report: what it did, and by which provider.
  public var title: String {
    if let workload { return "\(workload.rawValue) for \(stressSeconds ?? 0) s" }
    let what = schedule?.description ?? "stress for \(stressSeconds ?? 0) s"
    return "\(what) [\(provider.rawValue)]"
  }

  public var failingFindings: [Finding] { findings.filter { $0.known == nil } }
}
