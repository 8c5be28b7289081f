/// A named place on a kernel path, written `actor@place`, such as
/// `writeback@unlocked`. The names are those of the module's debugfs files, but
/// for `shrinker`: a second writeback, whose points are those of the first and
/// which only its process tells apart.
public struct HookPoint: Hashable, Sendable, RawRepresentable, Codable, CustomStringConvertible {
  /// The whole name, always one of the catalogue's.
  public let rawValue: String

  /// The activity whose path the point is on: `writeback`, `swapoff`, …
  public var actor: String { String(rawValue.prefix { $0 != "@" }) }

  public var description: String { rawValue }

  /// Takes only names of the catalogue, so that a misspelt point is refused
  /// where it is read and not found out as "never reached".
  public init?(rawValue: String) {
    guard HookPoint.rowsByName[rawValue] != nil else { return nil }
    self.rawValue = rawValue
  }

  private init(known name: String) { rawValue = name }

  public init(from decoder: any Decoder) throws {
    let name = try decoder.singleValueContainer().decode(String.self)
    guard let point = HookPoint(rawValue: name) else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "no hook point “\(name)”"))
    }
    self = point
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(rawValue)
  }

  /// Whether a task may be held here. At the other points a spinlock or an RCU
  /// read lock is, or may be, held.
  public var maySleep: Bool { HookPoint.rowsByName[rawValue]?.maySleep ?? false }

  /// Where on its actor's path: `unlocked`, `begin`, …
  public var place: String { String(rawValue.drop { $0 != "@" }.dropFirst()) }

  /// Where that is in the kernel, or in its actor, in 6.12's names.
  public var whereabouts: String {
    HookPoint.rowsByName[rawValue]?.whereabouts
      ?? (place == "begin" ? "the actor is about to begin" : "the actor has come back")
  }

  /// The agent's own note of an actor's beginning or end in user space; no
  /// provider is needed to reach it.
  public var isMark: Bool {
    self != .swapoffBegin && (place == "begin" || place == "end")
  }

  /// As the module knows it: a shrinker passes the points of writeback.
  public var modulePoint: HookPoint {
    actor == "shrinker" && !isMark ? HookPoint(known: "writeback@\(place)") : self
  }

  /// A point of the catalogue that code of this package names.
  public static func known(_ name: String) -> HookPoint {
    guard let point = HookPoint(rawValue: name) else {
      preconditionFailure("no hook point “\(name)”")
    }
    return point
  }

  /// The kernel's own point, and so no mark in spite of its place.
  public static let swapoffBegin = HookPoint(known: "swapoff@begin")
  /// The LRU lock is dropped: the entry may be freed from here on.
  public static let writebackUnlocked = HookPoint(known: "writeback@unlocked")
  /// The new folio is locked and in the swap cache.
  public static let writebackPinned = HookPoint(known: "writeback@pinned")
  /// zswap_writeback_entry() has returned; its event has the result.
  public static let writebackDone = HookPoint(known: "writeback@done")
  /// zswap_swapoff() has returned; swapoff(2) has not.
  public static let swapoffTreesFreed = HookPoint(known: "swapoff@trees-freed")

  /// Every point, in the order in which its path passes them.
  public static let catalogue: [HookPoint] = table.map { HookPoint(known: $0.name) }

  private static let rowsByName = Dictionary(uniqueKeysWithValues: table.map { ($0.name, $0) })

  /// Name, whether a task may be held there, and where it is; nil for marks. The contract
  /// is `include/linux/zswap_hooks.h` in the patch series, and for `store@compressed`,
  /// which is not in it, `kmod/provider_ftrace.c`.
  private static let table: [(name: String, maySleep: Bool, whereabouts: String?)] = [
    ("writeback@begin", true, nil),
    ("writeback@isolated", false, "shrink_memcg_cb() has the entry, under the LRU lock"),
    ("writeback@unlocked", true, "the LRU lock is dropped: the entry may be freed from here on"),
    (
      "writeback@pinned", true,
      "a new locked folio for the slot is in the swap cache; the tree is next"
    ),
    ("writeback@claimed", true, "the entry was found to be the slot's, and is out of the tree"),
    ("writeback@decompressed", true, "the folio has the data; the entry is about to be freed"),
    ("writeback@submit", true, "before __swap_writepage()"),
    ("writeback@done", true, "zswap_writeback_entry() has returned, with 0 or -errno"),
    ("writeback@end", true, nil),
    ("shrinker@begin", true, nil),
    ("shrinker@isolated", false, "as writeback@isolated"),
    ("shrinker@unlocked", true, "as writeback@unlocked"),
    ("shrinker@pinned", true, "as writeback@pinned"),
    ("shrinker@claimed", true, "as writeback@claimed"),
    ("shrinker@decompressed", true, "as writeback@decompressed"),
    ("shrinker@submit", true, "as writeback@submit"),
    ("shrinker@done", true, "as writeback@done"),
    ("shrinker@end", true, nil),
    ("swapoff@begin", true, "swapoff(2) is entered; no slot is known yet"),
    ("swapoff@unused", true, "try_to_unuse() has succeeded: no page is left in swap"),
    ("swapoff@quiesced", true, "the last users of the device are gone, a grace period is over"),
    ("swapoff@trees-freed", true, "zswap_swapoff() has returned: the trees are freed"),
    ("swapoff@end", true, nil),
    ("invalidate@begin", true, nil),
    ("invalidate@enter", false, "zswap_invalidate() of the slot is entered"),
    ("invalidate@erased", false, "there was an entry, which is out of the tree"),
    ("invalidate@freed", false, "the entry is freed"),
    ("invalidate@end", true, nil),
    ("load@begin", true, nil),
    ("load@enter", true, "zswap_load() is entered, the folio locked"),
    ("load@erased", true, "there is an entry; out of the tree, unless swap is synchronous (brd)"),
    ("load@done", true, "zswap_load() is over; 1: zswap had the page"),
    ("load@end", true, nil),
    ("store@begin", true, nil),
    ("store@enter", true, "zswap_store() is entered, the folio locked"),
    ("store@compressed", true, "the data lie in the CPU's buffer; memory of the pool is next"),
    ("store@published", true, "the entry is in the tree, and not yet on the LRU"),
    ("store@done", true, "zswap_store() is over; 1: it has the page"),
    ("store@end", true, nil),
    ("pool@begin", true, nil),
    ("pool@end", true, nil),
    ("memcg@begin", true, nil),
    ("memcg@end", true, nil),
    ("cpu@begin", true, nil),
    ("cpu@end", true, nil),
    ("fork@begin", true, nil),
    ("fork@end", true, nil),
  ]
}
