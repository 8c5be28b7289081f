/// A named place on a kernel path, written `actor@place`, such as
/// `writeback@unlocked`. The names are those of the module's debugfs files.
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

  public static let writebackUnlocked = HookPoint(known: "writeback@unlocked")
  public static let writebackPinned = HookPoint(known: "writeback@pinned")
  public static let writebackDone = HookPoint(known: "writeback@done")
  public static let swapoffTreesFreed = HookPoint(known: "swapoff@trees-freed")

  /// Every point, in the order in which its path passes them.
  public static let catalogue: [HookPoint] = table.map { HookPoint(known: $0.0) }

  private static let maySleepByName = Dictionary(uniqueKeysWithValues: table)

  /// Name and whether a task may be held there; the contract is
  /// `include/linux/zswap_hooks.h` in the patch series.
  private static let table: [(String, Bool)] = [
    ("writeback@isolated", false),
    ("writeback@unlocked", true),
    ("writeback@pinned", true),
    ("writeback@claimed", true),
    ("writeback@decompressed", true),
    ("writeback@submit", true),
    ("writeback@done", true),
    ("swapoff@begin", true),
    ("swapoff@unused", true),
    ("swapoff@quiesced", true),
    ("swapoff@trees-freed", true),
    ("invalidate@enter", false),
    ("invalidate@erased", false),
    ("invalidate@freed", false),
    ("load@enter", true),
    ("load@erased", true),
    ("load@done", true),
    ("store@enter", true),
    ("store@published", true),
    ("store@done", true),
  ]
}
