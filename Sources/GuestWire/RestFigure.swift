/// The names of figures at rest that more than one part has to know.
public enum RestFigure {
  /// Entries on the lists, or what the lists count; 0 on a sound kernel.
  public static let lruItems = "list_lru_count_one over all memcgs and nodes"
  /// Drifts on sound kernels too: it is noted, not waited for, and no failure.
  public static let nodeItems = "list_lru_node.nr_items"
  /// In bytes; 0 on a sound kernel. Before 6.10 it is not measured.
  public static let poolSize = "zswap pool_total_size"
  /// Counted since the trial began; 0 on a sound kernel. Where several write back at once,
  /// only less than 0 speaks against it.
  public static let writebackDrift = "vmstat zswpwb less zswap written_back_pages"
  /// /proc/sys/kernel/tainted; what is expected is what it was when the trial began.
  public static let taint = "kernel taint"
  /// As many are expected as there were before the walk; left out where it is so.
  public static let secondChance = "LRU entries left by a walk that clears their referenced bits"
  /// 0 on a sound kernel. Measured after a provider's last trial, where the memcg has
  /// memory.zswap.writeback.
  public static let forbiddenWritebacks = "pages written back for a memcg whose parent forbids it"
  /// 0 on a sound kernel. Measured after a provider's last trial, where zswap can be given
  /// another pool.
  public static let otherPool = "pages that come back wrong through another pool"

  /// Those that tell nothing of whether an entry that is done with is unlinked, which is
  /// what S7 says: the others are all of what such an entry would leave.
  public static let beyondUnlinking: Set<String> = [
    taint, secondChance, forbiddenWritebacks, otherPool,
  ]
}
