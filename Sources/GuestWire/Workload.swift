/// What is left to race freely, beside pages that are rewritten and verified.
public enum Stress: String, Hashable, Sendable, Codable, CaseIterable {
  /// Every way of provoking writeback, and swap going off and on.
  case swapoff
  /// Reclaim, and the second CPU going off and on: what compresses or decompresses
  /// there is moved away in the middle.
  case cpu
}

/// What developers run today, for comparison: nothing is held, nothing is looked at
/// from inside, and the module is not loaded.
public enum Workload: String, Hashable, Sendable, Codable, CaseIterable {
  /// The kernel's own selftest of zswap, over and over.
  case kselftest = "test_zswap"
  /// Reclaim of a memcg beside swapoff and swapon, as fast as they go; with pages
  /// that are rewritten and verified all the while.
  case reclaim
  /// stress-ng's swap and vm stressors in a memcg.
  case stressNG = "stress-ng"

  /// Where the guest has its program; nil for what the agent does itself.
  public var program: String? {
    switch self {
    case .kselftest, .stressNG: "/programs/\(rawValue)"
    case .reclaim: nil
    }
  }
}
