import GuestWire

/// What a run's random trials say, and what they could be expected to: a line for each
/// number of actors.
struct RandomSummary {
  let lines: [String]

  init(of record: RunRecord) {
    let trials = record.trials.filter { $0.scenario == Scenario.randomID }
    let byActors = Dictionary(grouping: trials) { $0.schedule?.actors.count ?? 0 }
    guard !trials.isEmpty else {
      lines = []
      return
    }
    lines =
      ["random: seed \(record.seed)"]
      + byActors.keys.sorted().map { RandomSummary.line(actors: $0, byActors[$0] ?? []) }
  }

  private static func line(actors: Int, _ trials: [TrialRecord]) -> String {
    let steps = trials.compactMap { $0.schedule.map { RandomSchedules.steps(of: $0.actors) } }
    let depth = RandomSchedules.depth(actors: actors)
    let few = steps.min() ?? 0
    let many = steps.max() ?? 0
    // Of the longest: the bound is a lower one.
    let bound = RandomSchedules.bound(actors: actors, steps: many, depth: depth)
    let choices = Set(trials.compactMap { $0.schedule.map { Set($0.actors) } }).count
    let entered = trials.count { $0.verdict == .pass || $0.verdict == .fail }
    let failed = trials.count { !$0.failingFindings.isEmpty }
    let interval = Wilson.interval(failed, of: entered)
    return "  \(trials.count) trials of n = \(actors) actors, k = \(few) to \(many) points, "
      + "d = \(depth): a bug of that depth among them is met by at least 1/(n*k^(d-1)) = "
      + "\(percent(bound)) of trials"
      + (choices > 1 ? " with its own actors, one of the \(choices) choices that were drawn" : "")
      + "; measured \(failed) of \(entered) (95 % interval "
      + "\(percent(interval.lowerBound)) to \(percent(interval.upperBound)))"
  }

  /// Two decimals.
  private static func percent(_ share: Double) -> String {
    let hundredths = Int((share * 10_000).rounded())
    let rest = hundredths % 100
    return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) %"
  }
}
