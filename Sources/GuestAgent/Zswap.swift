import GuestWire

/// zswap's parameters and counters.
enum Zswap {
  private static let parameters = "/sys/module/zswap/parameters"
  private static let counters = "/sys/kernel/debug/zswap"

  /// The kernel's own default.
  static let maxPoolPercent = "20"

  static func set(_ parameter: String, _ value: String) throws(SystemError) {
    try KernelFile.write(value, to: "\(parameters)/\(parameter)")
  }

  static func counter(_ name: String) throws(SystemError) -> Int64 {
    try KernelFile.number("\(counters)/\(name)")
  }

  /// Whether the pool in use writes back by itself, where zswap has no LRU: zsmalloc
  /// does not, and is changed for one that does.
  static let poolEvicts: Bool = {
    ["zbud", "z3fold"].contains { pool in
      try? set("zpool", pool)
      return (try? KernelFile.read("\(parameters)/zpool").trimmed) == pool
    }
  }()

  /// A change of compressor or zpool, which makes a new pool.
  struct PoolChange {
    var parameter: String
    var value: String

    func apply() throws(SystemError) { try Zswap.set(parameter, value) }
  }

  /// Two values of each parameter that this kernel can both be set to, the present
  /// one first; none of a parameter that it has only one value of.
  static func poolChanges() -> [[PoolChange]] {
    let choices = [
      ("compressor", ["lzo", "lz4", "zstd", "deflate", "lzo-rle"]),
      ("zpool", ["zbud", "zsmalloc", "z3fold"]),
    ]
    return choices.compactMap { parameter, values in
      guard let now = try? KernelFile.read("\(parameters)/\(parameter)").trimmed else { return nil }
      // What is so already makes no pool, and what there is not is refused.
      try? set(parameter, now)
      try? set(parameter, "none")
      for value in values where value != now {
        // An unknown one is refused, or said to be set and not taken.
        guard (try? set(parameter, value)) != nil,
          (try? KernelFile.read("\(parameters)/\(parameter)").trimmed) == value
        else { continue }
        try? set(parameter, now)
        return [
          PoolChange(parameter: parameter, value: now),
          PoolChange(parameter: parameter, value: value),
        ]
      }
      return nil
    }
  }

  /// Pools that there are, by the slab caches that zsmalloc makes for each; 0 with
  /// another zpool, or where slab caches are not shown.
  static func pools() -> Int {
    let names = (try? KernelFile.entries("/sys/kernel/slab")) ?? []
    return names.count { $0.hasPrefix("zspage-zswap") }
  }

  /// What is missing for zswap to work here, or nil.
  static func missing() -> String? {
    if !KernelFile.exists(parameters) {
      return "zswap is not in this kernel (\(parameters) is not there): CONFIG_ZSWAP=y"
    }
    do {
      try set("enabled", "1")
    } catch {
      return "zswap cannot be enabled: \(error)"
    }
    if !KernelFile.exists("\(counters)/stored_pages") {
      return "zswap's counters are missing (\(counters)): CONFIG_DEBUG_FS=y, and no lockdown"
    }
    return nil
  }
}
