import GuestWire

/// One trial in `result.json`: what it was, what was seen, what it came to.
public struct TrialRecord: Hashable, Sendable, Codable {
  /// Position in the run, from 0; in the whole where only a part of it was run.
  public var index: Int
  /// The id of the family that it belongs to.
  public var scenario: String
  /// Its schedule, as `--schedule` takes it; nil for a stress.
  public var schedule: Schedule?
  /// A stress's length, or another tool's; nil for a schedule.
  public var stressSeconds: Int?
  /// What raced freely; nil for a schedule, for another tool, and in records of before
  /// there was a second one.
  public var stress: Stress?
  /// The other tool; nil for a trial of the harness's own.
  public var workload: Workload?
  /// What the hook points were reached by; no matter to another tool.
  public var provider: Provider
  /// How many the memcg was to push out.
  public var pages: Int
  /// `0x…`
  public var seed: String
  /// The longest that a hold may last; on a slow kernel, a multiple of what was asked for.
  public var holdTimeoutMilliseconds: Int
  /// Of this trial alone; the run's counts all of them.
  public var verdict: RunRecord.Status
  /// How the ordering came out; `ran` where none was asked for.
  public var outcome: TrialOutcome
  /// What is known upstream is among them.
  public var findings: [Finding]
  /// What broke on our side.
  public var failures: [HarnessFailure]
  /// Why it is no pass, where it is neither a failure nor an error.
  public var reasons: [String]
  /// What it says about single claims.
  public var checks: [ClaimCheck]
  /// Remarks, the console's notices among them.
  public var notes: [String]
  /// From its guest being ready for trials until this one was over, those before it
  /// included; nil where it was not begun.
  public var secondsFromReady: Double?
  /// The guest's facts, the events among them; nil where the guest was lost.
  public var report: TrialReport?

  /// - Parameters:
  ///   - report: nil where the guest was lost in it, or it was not begun.
  ///   - secondsFromReady: nil where it was not begun.
  public init(
    _ judgement: TrialJudgement, report: TrialReport?, secondsFromReady: Double? = nil
  ) {
    let spec = judgement.spec
    index = spec.index
    scenario = spec.scenario
    schedule = spec.schedule
    switch spec.work {
    case .schedule: break
    case .stress(let kind, let seconds):
      stress = kind
      stressSeconds = seconds
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
    workload == nil ? "\(what) [\(provider.rawValue)]" : what
  }

  /// What it did.
  public var what: String {
    let time = "for \(stressSeconds ?? 0) s"
    if let workload { return "\(workload.rawValue) \(time)" }
    return schedule?.description
      ?? "\(stress.map { "\($0.rawValue) " } ?? "")stress \(time)"
  }

  /// What asks for it again, where it is a stress or another tool: a race may take several runs.
  var scenarioOptions: String? {
    stressSeconds.map { "--scenario \(scenario) --stress-seconds \($0)" }
  }

  /// Those that are not known upstream: one of them is a `fail`.
  public var failingFindings: [Finding] { findings.filter { $0.known == nil } }
}
