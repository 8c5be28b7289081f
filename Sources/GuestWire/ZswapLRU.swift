/// Who keeps zswap's LRU: what writeback is, and how it can be provoked, hangs on it.
public enum ZswapLRU: String, Hashable, Sendable, Codable, CaseIterable {
  /// zswap itself, one for each memcg (6.10 and later).
  case memcg
  /// The zpool, one for all (up to 6.4): it alone chooses what is written back, when
  /// the pool's limit is reached.
  case pool
}

extension Schedule {
  /// The same on a kernel with that LRU: where the pool has it, nothing but the limit
  /// provokes a writeback. Nil where the schedule needs what such a kernel has not got.
  public func adapted(to lru: ZswapLRU) -> Schedule? {
    guard lru == .pool else { return self }
    // One work item shrinks the pool: there is no second writeback beside it.
    guard !involves("shrinker") else { return nil }
    guard involves("writeback") else { return self }
    switch setup.via {
    case .pool: return self
    case .walk:
      var setup = setup
      setup.via = .pool
      return try? Schedule(points: points, setup: setup)
    case .shrinker, .limit: return nil
    }
  }
}
