import GuestWire

/// The exploration: which schedules there are to be run, in which order.
///
/// For each pair of actors one of which is writeback, every hold of one until the
/// other has passed each of its points; those that have a rule, as a trial whose
/// outcome nothing is known about shows nothing.
public enum Sweep {
  /// What the claims rest on, each once.
  public static let claims: [Schedule] = Claim.allCases.flatMap(\.schedules).unique

  /// All of it: the claims' first, then what is left of each set-up. Neighbours
  /// share their set-up, which is what takes time.
  public static let schedules: [Schedule] = {
    let ordered = plain + variants
    let rest = ordered.filter { !claims.contains($0) }
    return claims + rest
  }()

  /// Swapfile, anonymous pages, a walk of the LRU.
  private static let plain: [Schedule] = pairs(TrialSetup())

  private static func pairs(_ setup: TrialSetup) -> [Schedule] {
    let holds = HookPoint.catalogue.filter { $0.maySleep && $0.actor != "shrinker" }
    return holds.flatMap { hold in
      HookPoint.catalogue.filter { until in
        until.actor != hold.actor && (hold.actor == "writeback") != (until.actor == "writeback")
      }
      .map { Schedule(hold: hold, until: $0, setup: setup) }
    }
    .filter { ScheduleRule.rule(for: $0) != nil }
  }

  /// Other ways to do the same, where the way matters.
  private static let variants: [Schedule] = {
    let ends = ["swapoff@trees-freed", "invalidate@end", "load@end"]
    let sides = ["writeback@unlocked", "writeback@pinned"]
    var texts: [String] = []
    for side in sides {
      for point in ["enter", "erased", "done", "end"] {
        texts.append("\(side) > load@\(point) swap=brd")
      }
      texts.append("\(side) > swapoff@trees-freed swap=brd")
    }
    for hold in ["enter", "erased", "done"] {
      for point in ["isolated", "pinned", "done", "end"] {
        texts.append("load@\(hold) > writeback@\(point) swap=brd")
      }
    }
    for side in sides {
      texts += ends.map { "\(side) > \($0) pages=shmem" }
      texts.append("\(side) > load@end fault=write")
      texts.append("\(side) > invalidate@end free=munmap")
    }
    for via in ["shrinker", "limit", "pool"] {
      texts += sides.map { "\($0) > swapoff@trees-freed via=\(via)" }
    }
    return texts.map(Schedule.known)
  }()
}

extension [Schedule] {
  fileprivate var unique: [Schedule] {
    var seen: Set<Schedule> = []
    return filter { seen.insert($0).inserted }
  }
}
