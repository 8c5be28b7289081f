/// zswap's parameters and counters.
enum Zswap {
  private static let parameters = "/sys/module/zswap/parameters"
  private static let counters = "/sys/kernel/debug/zswap"

  static func set(_ parameter: String, _ value: String) throws(SystemError) {
    try KernelFile.write(value, to: "\(parameters)/\(parameter)")
  }

  static func counter(_ name: String) throws(SystemError) -> Int64 {
    try KernelFile.number("\(counters)/\(name)")
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
