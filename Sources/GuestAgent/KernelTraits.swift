import GuestWire

/// What not every kernel has: how it is told, and what a trial goes without where it
/// is not there.
enum KernelTrait: CaseIterable {
  /// An LRU of zswap's own for each memcg, which the module can walk.
  case memcgLRU
  /// A referenced bit of each entry, which gives it a second chance (6.12).
  case secondChance
  /// The pool's size counted when it is asked for (6.10). Before, what stands there is
  /// what it was at the last store or free, and a page that is freed by the pool itself,
  /// at the end of a writeback, is still in it.
  case livePoolSize
  /// Writebacks as an event in /proc/vmstat (6.8).
  case writebackEvent

  /// The figures at rest that are left out without it, as reports name them.
  var figures: [String] {
    switch self {
    case .memcgLRU: [RestFigure.lruItems, RestFigure.nodeItems]
    case .secondChance: [RestFigure.secondChance]
    case .livePoolSize: [RestFigure.poolSize]
    case .writebackEvent: [RestFigure.writebackDrift]
    }
  }

  private var isThere: Bool {
    switch self {
    case .memcgLRU, .livePoolSize: HooksModule.has("lru")
    case .secondChance: HooksModule.has("lru") && HooksModule.givesSecondChance
    case .writebackEvent: (try? KernelFile.value(of: "zswpwb", in: "/proc/vmstat")) != nil
    }
  }

  /// Looked for once, with the module loaded.
  private static let present = Set(allCases.filter(\.isThere))

  static func has(_ trait: KernelTrait) -> Bool { present.contains(trait) }

  /// The figures that this kernel does not have; nil where it has all.
  static let absentFigures: [String]? = {
    let absent = allCases.filter { !present.contains($0) }.flatMap(\.figures)
    return absent.isEmpty ? nil : absent
  }()
}
