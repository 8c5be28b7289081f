/// How likely a commit is to have brought or fixed a fault of zswap's, by the files that
/// it touches, before any trial.
///
/// It decides where the bisection begins, and not where it ends: trials outweigh it.
public enum PathPrior {
  /// What zswap's writeback is made of, and what it lies on.
  private static let swap = [
    "mm/zswap.c", "include/linux/zswap.h", "mm/swapfile.c", "mm/swap_state.c", "mm/swap.h",
    "mm/swap_slots.c", "mm/swap_cgroup.c", "include/linux/swap", "mm/page_io.c", "mm/list_lru.c",
    "include/linux/list_lru.h", "mm/zsmalloc.c", "mm/zbud.c", "mm/z3fold.c", "mm/zpool.c",
    "mm/frontswap.c",
  ]
  private static let memory = ["mm/", "include/linux/mm"]
  private static let core = [
    "include/", "kernel/", "lib/", "block/", "fs/", "arch/x86/", "drivers/block/", "crypto/",
    "init/",
    "Makefile", "Kconfig", "scripts/",
  ]

  /// Of one file.
  static func weight(of path: String) -> Double {
    func isIn(_ places: [String]) -> Bool { places.contains { path.hasPrefix($0) } }
    if isIn(swap) { return 20 }
    if isIn(memory) { return 5 }
    if isIn(core) { return 1 }
    return 0.05
  }

  /// Of a commit: that of its weightiest file. A merge, which shows none, is as likely as
  /// any commit of the core.
  public static func weight(of commit: CommitHistory.Commit) -> Double {
    commit.paths.map(weight).max() ?? 1
  }
}
