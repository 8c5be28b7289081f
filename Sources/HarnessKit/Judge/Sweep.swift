import GuestWire

/// The exploration: which schedules there are to be run, in which order.
///
/// For each pair of actors one of which is writeback, every hold of one until the
/// other has passed each of its points; and a few longer chains. All have a rule, as a
/// trial whose outcome nothing is known about shows nothing.
public enum Sweep {
  /// What the claims rest on, each once.
  public static let claims: [Schedule] = Claim.allCases.flatMap(\.schedules).unique

  /// All of it: the claims' first, then those that are alone in what they do, then what
  /// is left of each set-up. Neighbours share their set-up, which is what takes time.
  public static let schedules: [Schedule] = (claims + lone + plain + chains + variants).unique

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

  /// Where it takes more than one overtaking: the reasons stand with the rules.
  private static let chains: [Schedule] = [
    // A page that its owner has dropped, and swapoff: no pte leads to the folio.
    "invalidate@begin > writeback@pinned > swapoff@trees-freed",
    "invalidate@begin > writeback@claimed > swapoff@trees-freed",
    "invalidate@begin > writeback@submit > swapoff@trees-freed",
    "invalidate@begin > writeback@pinned > swapoff@trees-freed pages=shmem",
    "invalidate@begin > writeback@pinned > shrinker@pinned",
    // Two that wait for one folio, in either order.
    "load@begin > writeback@pinned > swapoff@trees-freed",
    "swapoff@begin > writeback@pinned > load@end",
    // Beside a swapoff that waits.
    "swapoff@begin > writeback@pinned > invalidate@end",
    "swapoff@begin > writeback@pinned > shrinker@done",
    // Freed by another than swapoff or the pages' owner, and then the tree.
    "writeback@unlocked > shrinker@unlocked > swapoff@trees-freed",
    "writeback@pinned > shrinker@unlocked > swapoff@trees-freed",
    "load@erased > writeback@unlocked > swapoff@trees-freed",
    "memcg@begin > writeback@unlocked > swapoff@trees-freed",
    // Both in their windows, writeback going through the other's.
    "writeback@unlocked > load@erased > writeback@done",
    "writeback@unlocked > load@enter > writeback@done swap=brd",
    "writeback@unlocked > store@published > writeback@done",
  ].map(Schedule.known)

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

  /// What no other schedule comes near.
  private static let lone: [Schedule] = [
    // Not of writeback: but the context that it decompresses with is the same.
    "store@compressed > cpu@end",
    "store@done > load@end again=stored",
    "store@done > load@end again=rejected",
    "store@done > load@end again=disabled",
    // An entry may be met as soon as it is on the LRU.
    "store@published > writeback@isolated",
    // A fault without the swap cache leaves the entry where it is.
    "load@enter > writeback@done swap=brd",
    "load@done > writeback@isolated swap=brd",
    // The shrinker stops at an entry whose page the swap cache has.
    "load@enter > writeback@done via=shrinker",
    // A store beyond its memcg's limit makes room itself.
    "writeback@unlocked > swapoff@trees-freed via=limit",
  ].map(Schedule.known)
}

extension [Schedule] {
  fileprivate var unique: [Schedule] {
    var seen: Set<Schedule> = []
    return filter { seen.insert($0).inserted }
  }
}
