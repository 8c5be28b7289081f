import GuestWire

/// The rules of a kernel whose zpool has the LRU: zbud_reclaim_page() and its like
/// choose a page of the pool and have zswap_writeback_entry() write back each handle
/// in it. Argued from 6.1.192.
extension RuleRow {
  private static let pinned = points("writeback", "pinned", "submit")

  static let poolLRU: [RuleRow] = [
    RuleRow(
      holds: unlocked, untils: points("swapoff", "begin"), ordering: .possible,
      results: [0, exists, noMemory],
      reason: "The pool has dropped its lock, and swapoff has done nothing yet."),
    RuleRow(
      holds: unlocked, untils: points("swapoff", "unused", "quiesced", "trees-freed", "end"),
      ordering: .possible, results: [0, noMemory, GuestErrno.noEntry.result],
      evidenceFor: [.s2],
      reason: """
        At the entry of zswap_writeback_entry() nothing is held: the pool has dropped its lock, \
        and keeps the memory behind the handle, but neither entry nor tree. try_to_unuse() has \
        the page read back and its entry freed, percpu_ref_kill() finds no user of the device to \
        wait for, and zswap_frontswap_invalidate_area() frees the tree and clears \
        zswap_trees[type]. A writeback that goes on then has only the swp_entry_t in the header \
        of the handle's data. A sound one pins the swap device with it, or sees that there is no \
        tree, and comes back without having touched one.
        """),
    RuleRow(
      holds: unlocked, untils: points("invalidate", "enter", "erased", "freed", "end"),
      ordering: .possible, results: [0, noMemory], evidenceFor: [.s1],
      reason: """
        Nothing keeps the slot: its last user goes, and the entry with it. The tree is alive, and \
        writeback does not find the entry in it: 0, as nothing is left to be written back.
        """),
    RuleRow(
      holds: unlocked, untils: points("load", "enter", "done", "end"), ordering: .possible,
      results: [0, exists, noMemory], evidenceFor: [.s1],
      reason: """
        The fault's page goes into the swapcache, and the entry stays until the slot is freed. \
        Writeback finds that page (-EEXIST), or no entry any more (0).
        """),
    RuleRow(
      holds: unlocked, untils: points("store", "enter", "done", "end"), ordering: .possible,
      results: [0, exists, noMemory], evidenceFor: [.s3],
      reason: """
        The slot is free, and another page's once that is paged out. Writeback looks the slot up \
        and finds that page's entry. It must not write back what its own handle holds.
        """),
    RuleRow(
      holds: pinned, untils: points("swapoff", "begin"), ordering: .possible, results: [0],
      reason: "The system call's entry takes no lock."),
    RuleRow(
      holds: pinned, untils: points("swapoff", "unused", "quiesced", "trees-freed", "end"),
      ordering: folioLock, results: [0], evidenceFor: [.s2, .s5],
      reason: """
        __read_swap_cache_async() has put a new, locked page into the swapcache, and with it \
        SWAP_HAS_CACHE into the slot's swap_map. try_to_unuse() finds that page and waits for its \
        lock: zswap_frontswap_invalidate_area() is not reached.
        """),
    RuleRow(
      holds: pinned, untils: points("load", "enter", "done", "end"), ordering: folioLock,
      results: [0], evidenceFor: [.s4],
      reason: """
        do_swap_page() finds writeback's page in the swapcache and waits for its lock. Once it \
        has that, the page is up to date, and the fault maps it without reading.
        """),
    RuleRow(
      holds: pinned, untils: points("invalidate", "enter", "erased", "freed"), ordering: .avoids,
      results: [0], evidenceFor: [.s4],
      reason: """
        frontswap_invalidate_page() is called when swap_map reaches 0. SWAP_HAS_CACHE keeps it \
        from that as long as the locked page is in the swapcache.
        """),
    RuleRow(
      holds: pinned, untils: points("store", "enter", "done"), ordering: .avoids, results: [0],
      evidenceFor: [.s3],
      reason: """
        The slot has SWAP_HAS_CACHE as long as the locked page is in the swapcache: the \
        allocator does not give it away, even where all others are taken. Those others may be \
        of entries in the same page of the pool, which are written back next: what is stored \
        there by then is not what their handles hold.
        """),
    RuleRow(
      holds: points("store", "compressed"), untils: points("cpu", "end"),
      ordering: contextMutex, isOfContext: true,
      reason: """
        The store has acomp_ctx->mutex and copies from acomp_ctx->dstmem, both of the CPU that it \
        compressed on. A sound zswap_dstmem_dead() waits for that mutex, or there is none, and \
        both stay with the pool; to free them under the store is CVE-2025-21693.
        """),
  ]
}
