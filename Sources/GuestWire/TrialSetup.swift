/// How the actors of a schedule go about it, where there is more than one way.
///
/// In a schedule's text these are `KEY=VALUE` words behind the points; what is
/// left out is the first of each.
public struct TrialSetup: Hashable, Sendable {
  /// What makes the held writeback run.
  public enum Via: String, Hashable, Sendable, Codable, CaseIterable {
    /// The module's walk of the LRU.
    case walk
    /// memory.reclaim, with zswap's shrinker enabled.
    case shrinker
    /// A store beyond memory.zswap.max.
    case limit
    /// The global shrink worker, with max_pool_percent reached.
    case pool
  }

  /// How pages are given up.
  public enum Free: String, Hashable, Sendable, Codable, CaseIterable {
    /// By MADV_DONTNEED (of shmem, MADV_REMOVE), munmap(2), or the owner's exit.
    case dontneed, munmap, exit
  }

  /// How pages are touched.
  public enum Fault: String, Hashable, Sendable, Codable, CaseIterable {
    /// Each page is read, or written in a new generation.
    case read, write
  }

  /// What swap is on.
  public enum Swap: String, Hashable, Sendable, Codable, CaseIterable {
    /// A swapfile on the virtio disk: faults go through the swap cache.
    case disk
    /// A brd device (SWP_SYNCHRONOUS_IO): a fault on an entry that has one user
    /// reads into a page of its own, and zswap keeps the entry.
    case brd
  }

  /// What kind of pages are pushed out.
  public enum Pages: String, Hashable, Sendable, Codable, CaseIterable {
    /// A private anonymous mapping.
    case anon
    /// A shared anonymous mapping, which is tmpfs.
    case shmem
  }

  /// What becomes of the pages when the actors are through, where the store is of pages
  /// that were in memory, by another process than their owner: they are rewritten while
  /// the swap cache still has them at their slots, and paged out once more.
  public enum Again: String, Hashable, Sendable, Codable, CaseIterable {
    /// Nothing: the store is of new pages, in the slots that were given up.
    case no
    /// Into zswap.
    case stored
    /// At memory.zswap.max, so that the disk gets them.
    case rejected
    /// With zswap disabled, likewise.
    case disabled
  }

  /// For writeback; the second one, the shrinker, is always a walk.
  public var via = Via.walk
  /// For invalidate, which gives up every stamped page.
  public var free = Free.dontneed
  /// For load, which touches every stamped page.
  public var fault = Fault.read
  /// For all of the trial, which is not begun where the guest has no such device.
  public var swap = Swap.disk
  /// For all of the trial: the pages' owner has one mapping.
  public var pages = Pages.anon
  /// For store, which is another process's with any value but `no`.
  public var again = Again.no
  /// The held writeback finds no memory for its folio.
  public var failsPin = false

  /// The plain set-up: the first of each.
  public init() {}

  /// The words that differ from the plain set-up, each with a leading space.
  public var text: String {
    var words: [String] = []
    func add<Choice: RawRepresentable & Equatable>(
      _ key: String, _ choice: Choice, _ plain: Choice
    ) where Choice.RawValue == String {
      if choice != plain { words.append(" \(key)=\(choice.rawValue)") }
    }
    let plain = TrialSetup()
    add("via", via, plain.via)
    add("free", free, plain.free)
    add("fault", fault, plain.fault)
    add("swap", swap, plain.swap)
    add("pages", pages, plain.pages)
    add("again", again, plain.again)
    if failsPin { words.append(" fail=pin") }
    return words.joined()
  }

  /// Takes one word over; false if it is none of them.
  mutating func take(_ word: some StringProtocol) -> Bool {
    let pair = word.split(separator: "=" as Character, maxSplits: 1).map { String($0) }
    guard pair.count == 2 else { return false }
    func set<Choice: RawRepresentable>(_ field: inout Choice) -> Bool
    where Choice.RawValue == String {
      guard let choice = Choice(rawValue: pair[1]) else { return false }
      field = choice
      return true
    }
    switch pair[0] {
    case "via": return set(&via)
    case "free": return set(&free)
    case "fault": return set(&fault)
    case "swap": return set(&swap)
    case "pages": return set(&pages)
    case "again": return set(&again)
    case "fail" where pair[1] == "pin":
      failsPin = true
      return true
    default: return false
    }
  }

  /// A word's key, and each of its values with its meaning; the first is the default.
  public typealias Word = (key: String, values: [(value: String, meaning: String)])

  /// All words, for help.
  public static let words: [Word] = [
    (
      "via",
      [
        ("walk", "writeback by the module's walk of the memcg's LRU"),
        ("shrinker", "by memory.reclaim, with zswap's shrinker enabled"),
        ("limit", "by a store beyond memory.zswap.max"),
        ("pool", "by the global shrink worker, at max_pool_percent"),
      ]
    ),
    (
      "free",
      [
        ("dontneed", "invalidate is MADV_DONTNEED"), ("munmap", "munmap(2)"),
        ("exit", "the process's exit"),
      ]
    ),
    ("fault", [("read", "load is a read fault"), ("write", "a write fault")]),
    (
      "swap",
      [
        ("disk", "a swapfile on a virtio disk: faults go through the swap cache"),
        (
          "brd",
          "a synchronous device: a fault may go around the swap cache, and zswap keeps the entry"
        ),
      ]
    ),
    (
      "pages",
      [("anon", "private anonymous pages"), ("shmem", "pages of a shared mapping (tmpfs)")]
    ),
    (
      "again",
      [
        ("no", "store is of new pages, in the slots that were given up"),
        ("stored", "the same pages are stored once more, by another process than their owner"),
        ("rejected", "likewise, at memory.zswap.max: the disk gets them"),
        ("disabled", "likewise, with zswap disabled: the disk gets them"),
      ]
    ),
    ("fail", [("pin", "the held writeback finds no memory for its folio; without it, it does")]),
  ]

  static let help = words.map { word in
    "\(word.key)=\(word.values.map(\.value).joined(separator: "|"))"
  }
  .joined(separator: ", ")
}
