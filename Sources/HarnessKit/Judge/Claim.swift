import GuestWire

/// A sentence of the comment in shrink_memcg_cb() (f9c0f1c32cb5, v6.9), as
/// something to be checked on a running kernel.
public enum Claim: String, Hashable, Sendable, Codable, CaseIterable, Comparable {
  case s1 = "S1"
  case s2 = "S2"
  case s3 = "S3"
  case s4 = "S4"
  case s5 = "S5"
  case s6 = "S6"
  case s7 = "S7"
  case s8 = "S8"

  public static func < (left: Claim, right: Claim) -> Bool { left.rawValue < right.rawValue }

  /// A few words, for a line of a report.
  public var title: String {
    switch self {
    case .s1: "an unlocked entry may be freed"
    case .s2: "the swap entry on the stack pins the slot"
    case .s3: "the entry is compared before it is dereferenced"
    case .s4: "the locked folio secures the swapcache"
    case .s5: "the locked folio keeps swapoff from the trees"
    case .s6: "the entry is rotated before the lock is dropped"
    case .s7: "the free path unlinks the entry"
    case .s8: "rotation is right for failures too"
    }
  }

  /// What the comment says.
  public var sentence: String {
    switch self {
    case .s1:
      "As soon as the LRU lock is dropped, the entry can be freed by a concurrent invalidation."
    case .s2: "The swp_entry_t on the stack lets writeback pin the swap entry."
    case .s3:
      "The entry is validated by pointer comparison against that swap entry's tree, and only "
        + "then dereferenced."
    case .s4:
      "The folio is locked, and the swapcache is secured against concurrent swapping to and "
        + "from the slot."
    case .s5: "… and against concurrent swapoff, so that the tree can be dereferenced."
    case .s6:
      "The entry is rotated before the lock is dropped, so that other reclaimers don't waste "
        + "time on it."
    case .s7: "If the entry is written back or invalidated, the free path unlinks it."
    case .s8:
      "For failures, rotation is the right thing as well; temporary ones need no distinction."
    }
  }

  /// What has to be seen for the claim to be held: the rule of each of these
  /// schedules, under every provider that ran. For S7, the figures at rest of every
  /// steered trial beside that.
  public var schedules: [Schedule] { Claim.schedulesOf[self] ?? [] }

  private static let schedulesOf: [Claim: [Schedule]] = {
    let texts: [Claim: [String]] = [
      .s1: [
        "writeback@unlocked > invalidate@freed",
        "writeback@unlocked > invalidate@freed free=munmap",
        "writeback@unlocked > invalidate@freed free=exit",
        "writeback@unlocked > load@done",
        "writeback@unlocked > shrinker@done",
      ],
      .s2: [
        "writeback@unlocked > swapoff@trees-freed", "writeback@pinned > swapoff@trees-freed",
      ],
      .s3: ["writeback@unlocked > store@done", "writeback@unlocked > store@end"],
      .s4: [
        "writeback@pinned > load@end", "writeback@pinned > shrinker@done",
        "writeback@pinned > shrinker@pinned", "writeback@pinned > invalidate@erased",
        "writeback@pinned > store@done",
      ],
      .s5: [
        "writeback@pinned > swapoff@trees-freed", "writeback@claimed > swapoff@trees-freed",
        "writeback@decompressed > swapoff@trees-freed",
        "invalidate@begin > writeback@pinned > swapoff@trees-freed",
      ],
      .s6: ["writeback@unlocked > shrinker@isolated", "writeback@unlocked > shrinker@end"],
      .s7: [
        "writeback@submit > shrinker@isolated", "writeback@done > load@erased",
        "swapoff@unused > writeback@isolated",
      ],
      .s8: [
        "writeback@done > shrinker@isolated fail=pin", "writeback@done > shrinker@done fail=pin",
      ],
    ]
    return texts.mapValues { $0.map(Schedule.known) }
  }()
}

extension Schedule {
  /// One that this package names itself.
  static func known(_ text: String) -> Schedule {
    do {
      return try Schedule(parsing: text)
    } catch {
      preconditionFailure("\(error)")
    }
  }
}
