/// The names of figures at rest that more than one part has to know.
public enum RestFigure {
  public static let lruItems = "list_lru_count_one over all memcgs and nodes"
  public static let nodeItems = "list_lru_node.nr_items"
  public static let poolSize = "zswap pool_total_size"
  public static let writebackDrift = "vmstat zswpwb less zswap written_back_pages"
  public static let taint = "kernel taint"
  public static let secondChance = "LRU entries left by a walk that clears their referenced bits"
  public static let forbiddenWritebacks = "pages written back for a memcg whose parent forbids it"
  public static let otherPool = "pages that come back wrong through another pool"

  /// Those that tell nothing of whether an entry that is done with is unlinked, which is
  /// what S7 says: the others are all of what such an entry would leave.
  public static let beyondUnlinking: Set<String> = [
    taint, secondChance, forbiddenWritebacks, otherPool,
  ]
}
