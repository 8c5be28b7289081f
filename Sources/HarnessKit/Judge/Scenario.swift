import GuestWire

/// A named family of trials.
public struct Scenario: Hashable, Sendable {
  /// What one trial of it does.
  public enum Work: Hashable, Sendable {
    /// Actors are steered against one another.
    case schedule(Schedule)
    /// They race freely, for a time that the run sets.
    case stress(Stress)
    /// Another tool has the guest, for as long as a stress would.
    case workload(Workload)
  }

  /// What records call it, and `--scenario`, where it can be named there.
  public var id: String
  /// What it is about, in a line, for `harness list`.
  public var title: String
  /// A trial each, in this order, by every provider; other tools by the first one only. Where the
  /// zpool has the LRU, a kernel is given fewer of them, or adapted ones.
  public var works: [Work]

  /// Pages that a schedule's trial pushes out, where the user says nothing: so few
  /// that the small swap areas have slots left, and more than the one that is held.
  public static let defaultPages = 8
  /// A stress's, and those that a shrinker is to find worth its while.
  static let manyPages = 64
  /// A whole swapoff overtakes a held writeback in a second, five on a busy
  /// host; a hold that has served its purpose ends at once.
  public static let defaultHoldTimeoutMilliseconds = 20_000
  /// Length of a stress, or of another tool's run, where the user says nothing.
  public static let defaultStressSeconds = 3

  /// Those that always are the same, in the order of `harness list`; what a seed or the user makes
  /// is not among them.
  public static let all: [Scenario] = [
    Scenario(
      id: "claims", title: "what the claims S1 to S8 rest on",
      works: Sweep.claims.map { .schedule($0) }),
    Scenario(
      id: "sweep", title: "every hold of writeback and its adversaries, until each point",
      works: Sweep.schedules.map { .schedule($0) }),
    Scenario(
      id: "swapoff-race", title: "writeback held at each side of its pin, against swapoff",
      works: [
        "writeback@unlocked > swapoff@trees-freed", "writeback@pinned > swapoff@trees-freed",
      ].map { .schedule(.known($0)) }),
    Scenario(
      id: "swapoff-stress", title: "writeback and swapoff left to themselves",
      works: [.stress(.swapoff)]),
    Scenario(
      id: "cpu-stress", title: "loads and stores, and a CPU going off and on",
      works: [.stress(.cpu)]),
    Scenario(
      id: Workload.kselftest.rawValue,
      title: "for comparison: the kernel's selftest, over and over",
      works: [.workload(.kselftest)]),
    Scenario(
      id: Workload.reclaim.rawValue, title: "for comparison: reclaim beside swapoff and swapon",
      works: [.workload(.reclaim)]),
    Scenario(
      id: Workload.stressNG.rawValue, title: "for comparison: stress-ng --swap and --vm in a memcg",
      works: [.workload(.stressNG)]),
  ]

  /// What runs where nothing is asked for: the sweep begins with the claims.
  public static let standard = all.filter {
    ["sweep", "swapoff-stress", "cpu-stress"].contains($0.id)
  }

  /// The name under which schedules of `--schedule` run.
  public static let customID = "schedule"

  /// The name of the scenario that a seed makes.
  public static let randomID = "random"

  /// Every name that there is.
  public static let ids = all.map(\.id) + [randomID]

  /// Nil for ``randomID`` and ``customID`` too, which have to be made.
  public static func named(_ id: String) -> Scenario? { all.first { $0.id == id } }

  /// Schedules drawn at random, the same for the same seed.
  public static func random(
    seed: UInt64, trials: Int = RandomSchedules.defaultTrials,
    actors: RandomSchedules.Actors? = nil
  ) -> Scenario {
    Scenario(
      id: randomID, title: randomTitle,
      works: RandomSchedules.list(seed: seed, count: trials, actors: actors).map { .schedule($0) })
  }

  /// For `harness list` as well, which makes no such scenario.
  public static let randomTitle =
    "random priorities of two or three actors, and random changes of them (PCT)"

  /// One the user made up.
  public static func custom(_ schedules: [Schedule]) -> Scenario {
    Scenario(
      id: customID, title: "schedules of the command line", works: schedules.map { .schedule($0) })
  }

  /// The same with those trials only whose swap is on that. A stress's is on the disk.
  public func on(_ swap: TrialSetup.Swap) -> Scenario {
    var part = self
    part.works = works.filter { work in
      switch work {
      case .schedule(let schedule): schedule.setup.swap == swap
      case .stress, .workload: swap == .disk
      }
    }
    return part
  }

  /// The scenario's trials under one provider.
  public func trials(
    startingAt index: Int, provider: Provider, seed: UInt64, pages: Int? = nil,
    holdTimeoutMilliseconds: Int = Scenario.defaultHoldTimeoutMilliseconds,
    stressSeconds: Int = Scenario.defaultStressSeconds, lru: ZswapLRU = .memcg
  ) -> [TrialSpec] {
    works(on: lru).enumerated().map { position, work in
      TrialSpec(
        index: index + position, scenario: id,
        work: work.spec(stressSeconds: stressSeconds), provider: provider,
        pages: work.pages(pages, on: lru),
        seed: Scenario.seed(seed, of: index + position),
        holdTimeoutMilliseconds: holdTimeoutMilliseconds, lru: lru)
    }
  }

  /// Where the zpool has the LRU, the sweep is that of the claims' schedules, in the
  /// form that they have there, and of what has nothing to do with writeback. Those
  /// that such a kernel cannot be brought to stay as they are: the guest says of each
  /// what is absent. What the user has written is taken at its word.
  private func works(on lru: ZswapLRU) -> [Work] {
    guard lru == .pool, id != Scenario.customID else { return works }
    let claims = Set(Sweep.claims.map { Work.schedule($0) })
    let own =
      id == "sweep" ? works.filter { claims.contains($0) || $0.isOfNoWriteback(on: lru) } : works
    return own.map { work in
      guard case .schedule(let schedule) = work, let adapted = schedule.adapted(to: lru),
        ScheduleRule.rule(for: adapted, on: lru) != nil
      else { return work }
      return .schedule(adapted)
    }
  }

  /// Whether it reaches for hook points, and so is another thing by each provider.
  var usesHooks: Bool {
    works.contains { if case .workload = $0 { false } else { true } }
  }

  /// A trial's seed from the run's: splitmix64, so that neighbours share nothing.
  static func seed(_ seed: UInt64, of index: Int) -> UInt64 {
    var z = seed &+ 0x9E37_79B9_7F4A_7C15 &* UInt64(truncatingIfNeeded: index + 1)
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

extension Scenario.Work {
  fileprivate func isOfNoWriteback(on lru: ZswapLRU) -> Bool {
    guard case .schedule(let schedule) = self, !schedule.involves("writeback") else { return false }
    return ScheduleRule.rule(for: schedule, on: lru) != nil
  }

  fileprivate func pages(_ asked: Int?, on lru: ZswapLRU) -> Int {
    switch self {
    case .stress, .workload: max(asked ?? 0, Scenario.manyPages)
    // The pool evicts the oldest of any number.
    case .schedule where lru == .pool: min(asked ?? Scenario.defaultPages, 8)
    case .schedule(let schedule):
      schedule.setup.via == .walk
        ? min(asked ?? Scenario.defaultPages, 24) : max(asked ?? 0, Scenario.manyPages)
    }
  }

  fileprivate func spec(stressSeconds: Int) -> TrialSpec.Work {
    switch self {
    case .schedule(let schedule): .schedule(schedule)
    case .stress(let stress): .stress(stress, seconds: stressSeconds)
    case .workload(let workload): .workload(workload, seconds: stressSeconds)
    }
  }
}

extension TrialSpec {
  /// The schedule, as it is pasted after `--schedule`; or the stress.
  public var title: String {
    switch work {
    case .schedule(let schedule): schedule.description
    case .stress(let stress, let seconds): "\(stress.rawValue) stress for \(seconds) s"
    case .workload(let workload, let seconds): "\(workload.rawValue) for \(seconds) s"
    }
  }

  /// Nil for a stress and for another tool.
  public var schedule: Schedule? {
    if case .schedule(let schedule) = work { schedule } else { nil }
  }

  /// Nil for a schedule and for another tool.
  public var stress: Stress? {
    if case .stress(let stress, _) = work { stress } else { nil }
  }

  /// Nil for a trial of the harness's own.
  public var workload: Workload? {
    if case .workload(let workload, _) = work { workload } else { nil }
  }
}
