/// A named place on a kernel path, written `actor@place`, such as
/// `writeback@unlocked`. The names are those of the module's debugfs files, but
/// for `shrinker`: a second writeback, whose points are those of the first and
/// which only its process tells apart.
public struct HookPoint: Hashable, Sendable, RawRepresentable, Codable, CustomStringConvertible {
  public let rawValue: String

  /// The activity whose path the point is on: `writeback`, `swapoff`, …
  public var actor: String { String(rawValue.prefix { $0 != "@" }) }

  public var description: String { rawValue }

  /// Takes only names of the catalogue, so that a misspelt point is refused
  /// where it is read and not found out as "never reached".
  public init?(rawValue: String) {
    guard HookPoint.maySleepByName[rawValue] != nil else { return nil }
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
  public var maySleep: Bool { HookPoint.maySleepByName[rawValue] ?? false }

  /// Where on its actor's path: `unlocked`, `begin`, …
  public var place: String { String(rawValue.drop { $0 != "@" }.dropFirst()) }

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

  public static let swapoffBegin = HookPoint(known: "swapoff@begin")
  public static let writebackUnlocked = HookPoint(known: "writeback@unlocked")
  public static let writebackPinned = HookPoint(known: "writeback@pinned")
  public static let writebackDone = HookPoint(known: "writeback@done")
  public static let swapoffTreesFreed = HookPoint(known: "swapoff@trees-freed")

  /// Every point, in the order in which its path passes them.
  public static let catalogue: [HookPoint] = table.map { HookPoint(known: $0.0) }

  private static let maySleepByName = Dictionary(uniqueKeysWithValues: table)

  /// Name and whether a task may be held there; the contract is
  /// `include/linux/zswap_hooks.h` in the patch series, and for `store@compressed`,
  /// which is not in it, `kmod/provider_ftrace.c`.
  private static let table: [(String, Bool)] = [
    ("writeback@begin", true),
    ("writeback@isolated", false),
    ("writeback@unlocked", true),
    ("writeback@pinned", true),
    ("writeback@claimed", true),
    ("writeback@decompressed", true),
    ("writeback@submit", true),
    ("writeback@done", true),
    ("writeback@end", true),
    ("shrinker@begin", true),
    ("shrinker@isolated", false),
    ("shrinker@unlocked", true),
    ("shrinker@pinned", true),
    ("shrinker@claimed", true),
    ("shrinker@decompressed", true),
    ("shrinker@submit", true),
    ("shrinker@done", true),
    ("shrinker@end", true),
    ("swapoff@begin", true),
    ("swapoff@unused", true),
    ("swapoff@quiesced", true),
    ("swapoff@trees-freed", true),
    ("swapoff@end", true),
    ("invalidate@begin", true),
    ("invalidate@enter", false),
    ("invalidate@erased", false),
    ("invalidate@freed", false),
    ("invalidate@end", true),
    ("load@begin", true),
    ("load@enter", true),
    ("load@erased", true),
    ("load@done", true),
    ("load@end", true),
    ("store@begin", true),
    ("store@enter", true),
    ("store@compressed", true),
    ("store@published", true),
    ("store@done", true),
    ("store@end", true),
    ("pool@begin", true),
    ("pool@end", true),
    ("memcg@begin", true),
    ("memcg@end", true),
    ("cpu@begin", true),
    ("cpu@end", true),
    ("fork@begin", true),
    ("fork@end", true),
  ]
}
