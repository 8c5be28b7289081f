import GuestWire

/// The race matrix: holds by awaited points, each cell with the trials of its pair.
struct RaceMatrix {
  struct Pair: Hashable {
    var hold: HookPoint
    var until: HookPoint

    init(hold: HookPoint, until: HookPoint) {
      self.hold = hold
      self.until = until
    }

    /// A longer chain stands where its last two points do.
    init(_ constraint: Schedule.Constraint) {
      self.init(hold: constraint.hold, until: constraint.until)
    }
  }

  let provider: Provider
  /// What its schedules ask for beside their last two points; "" for nothing, nil for all
  /// that there are.
  let options: String?
  /// Those that a trial names, in the catalogue's order, in which each actor's points
  /// stand together.
  let holds: [HookPoint]
  let untils: [HookPoint]
  private let trials: [Pair: [TrialRecord]]

  private init(provider: Provider, options: String?, _ steered: [(Schedule, TrialRecord)]) {
    self.provider = provider
    self.options = options
    let named = (
      Set(steered.map(\.0.lastConstraint.hold)), Set(steered.map(\.0.lastConstraint.until))
    )
    let catalogue = HookPoint.catalogue.groupedByActor
    holds = catalogue.filter(named.0.contains)
    untils = catalogue.filter(named.1.contains)
    trials = Dictionary(grouping: steered) { Pair($0.0.lastConstraint) }
      .mapValues { $0.map(\.1) }
  }

  func trials(of hold: HookPoint, until: HookPoint) -> [TrialRecord] {
    trials[Pair(hold: hold, until: until)] ?? []
  }

  /// The trial that a cell shows: the first of the worst. Where all is well, one without
  /// options speaks for its pair: others may rightly come out another way.
  static func shown(of trials: [TrialRecord]) -> TrialRecord? {
    let plain = trials.filter { $0.schedule?.options.isEmpty == true }
    let isWell = !trials.contains { TrialMark($0).isTelling }
    let asked = isWell && !plain.isEmpty ? plain : trials
    let mark = asked.map(TrialMark.init).max()
    return asked.first { TrialMark($0) == mark }
  }

  /// For each provider one of all its trials; and, where one pair was run with
  /// different options, one for each set of options.
  static func all(of record: RunRecord) -> [(whole: RaceMatrix, parts: [RaceMatrix])] {
    Provider.allCases.compactMap { provider in
      let steered = record.trials.filter { $0.provider == provider }
        .compactMap { trial in trial.schedule.map { ($0, trial) } }
      guard !steered.isEmpty else { return nil }
      let whole = RaceMatrix(provider: provider, options: nil, steered)
      let byOptions = Dictionary(grouping: steered) { $0.0.options }
      let isSplit = whole.trials.values.contains { trials in
        Set(trials.map { $0.schedule?.options }).count > 1
      }
      guard isSplit else { return (whole, []) }
      let parts = byOptions.keys.sorted().map { options in
        RaceMatrix(provider: provider, options: options, byOptions[options] ?? [])
      }
      return (whole, parts)
    }
  }
}

extension Schedule {
  /// What stands around the last two points: `free=exit`, `invalidate@begin > …`. Empty
  /// for most.
  var options: String {
    (points.dropLast(2).map { "\($0) > " }.joined() + (points.count > 2 ? "…" : "") + setup.text)
      .trimmed
  }
}

extension [HookPoint] {
  /// Each actor's together, actors and points in the order in which they stand.
  var groupedByActor: [HookPoint] {
    var actors: [String] = []
    for point in self where !actors.contains(point.actor) { actors.append(point.actor) }
    return actors.flatMap { actor in filter { $0.actor == actor } }
  }
}
