extension HookSite {
  /// Where each point is, the newest design of a function last tried first where both could
  /// match: of a point's rows, the first that fits is taken.
  ///
  /// For Debian's 6.12 these give, byte for byte, what the series gives. 6.1 was built and run.
  /// The rest was tried on the text of the files: 6.6 to 6.9, 6.14, and a tree of 7.x.
  static let table = writeback + swapoff + invalidate + load + store

  /// The pool asks for a handle to be written back, and has dropped its lock. What the handle
  /// stands for stays; zswap's entry need not. Not every zpool lets one sleep with it mapped.
  private static let ofPoolLRU = "zpool_map_handle(pool, handle"

  /// Behind LRU_REMOVED_RETRY the entry may be gone, and where only its offset has been kept,
  /// nothing says which slot it was.
  private static let slotOfItsOwn: [HookInsertion] = [
    .line("swp_entry_t zswap_hook_swp;", after: "pgoff_t swpoffset;"),
    .line("zswap_hook_swp = entry->swpentry;", after: "swpoffset = swp_offset("),
  ]

  private static let writeback: [HookSite] = [
    HookSite(
      "writeback@isolated", in: "shrink_memcg_cb",
      [.before("if (entry->referenced)", slot: "entry->swpentry", result: "entry->referenced")]),
    // 6.9 to 6.11
    HookSite(
      "writeback@isolated", in: "shrink_memcg_cb",
      [.before("list_move_tail(item", slot: "entry->swpentry")]),
    // 6.8
    HookSite(
      "writeback@isolated", in: "shrink_memcg_cb",
      [.before("swpoffset = swp_offset(", slot: "entry->swpentry")]),
    // 6.5 to 6.7
    HookSite(
      "writeback@isolated", in: "zswap_reclaim_entry",
      [.before("list_del_init(&entry->lru)", slot: "entry->swpentry")]),
    HookSite(
      "writeback@isolated", in: "zswap_writeback_entry", having: ofPoolLRU,
      absent: "the LRU is the zpool's, which isolates a page of several entries"),

    HookSite(
      "writeback@unlocked", in: "shrink_memcg_cb", having: "swpentry = entry->swpentry",
      [.after("spin_unlock(", slot: "swpentry")]),
    HookSite(
      "writeback@unlocked", in: "shrink_memcg_cb",
      slotOfItsOwn + [.after("spin_unlock(lock)", slot: "zswap_hook_swp")]),
    HookSite(
      "writeback@unlocked", in: "zswap_reclaim_entry",
      slotOfItsOwn + [
        .after("spin_unlock(", behind: "list_del_init(&entry->lru)", slot: "zswap_hook_swp")
      ]),
    HookSite(
      "writeback@unlocked", in: "zswap_writeback_entry", having: ofPoolLRU,
      [
        .after(
          "swpentry = zhdr->swpentry", slot: "swpentry",
          linesBefore: ["zpool_unmap_handle(pool, handle);"],
          linesAfter: ["zhdr = zpool_map_handle(pool, handle, ZPOOL_MM_RO);"])
      ]),

    HookSite(
      "writeback@pinned", in: "zswap_writeback_entry",
      [.after("if (!folio_was_allocated)", slot: "swpentry")]),
    // 6.5 to 6.7
    HookSite(
      "writeback@pinned", in: "zswap_writeback_entry",
      [.after("if (!page_was_allocated)", slot: "swpentry")]),
    // 7.x: one allocation, with an error for what was there already.
    HookSite(
      "writeback@pinned", in: "zswap_writeback_entry",
      [.after("if (IS_ERR(folio))", slot: "swpentry")]),
    HookSite(
      "writeback@pinned", in: "zswap_writeback_entry", having: ofPoolLRU,
      [.before("spin_lock(&tree->lock)", behind: "case ZSWAP_SWAPCACHE_NEW", slot: "swpentry")]),

    HookSite(
      "writeback@claimed", in: "zswap_writeback_entry",
      [.after("entry != xa_cmpxchg(", slot: "swpentry")]),
    // 6.15: it stays in the tree until it is decompressed, under the folio's lock.
    HookSite(
      "writeback@claimed", in: "zswap_writeback_entry",
      [.after("entry != xa_load(", slot: "swpentry")]),
    // 7.x
    HookSite(
      "writeback@claimed", in: "zswap_writeback_entry",
      [.after("entry != zswap_entry_load(", slot: "swpentry")]),
    // 6.9
    HookSite(
      "writeback@claimed", in: "zswap_writeback_entry",
      [
        .after(
          "spin_unlock(&tree->lock)", behind: "zswap_rb_erase(&tree->rbroot", slot: "swpentry")
      ]),
    HookSite(
      "writeback@claimed", in: "zswap_writeback_entry", having: "zswap_rb_search(",
      absent: "writeback leaves the entry in the tree until the page is submitted"),

    HookSite(
      "writeback@decompressed", in: "zswap_writeback_entry",
      [.after("zswap_decompress(", slot: "swpentry")]),
    // 6.8
    HookSite(
      "writeback@decompressed", in: "zswap_writeback_entry",
      [.after("__zswap_load(", slot: "swpentry")]),
    HookSite(
      "writeback@decompressed", in: "zswap_writeback_entry",
      having: "crypto_acomp_decompress(", absent: "writeback decompresses inline"),

    HookSite(
      "writeback@submit", in: "zswap_writeback_entry",
      [.after("folio_set_reclaim(", slot: "swpentry")]),
    HookSite(
      "writeback@submit", in: "zswap_writeback_entry",
      [.after("SetPageReclaim(", slot: "swpentry")]),

    HookSite(
      "writeback@done", in: "shrink_memcg_cb", having: "swpentry = entry->swpentry",
      [.after("zswap_writeback_entry(", slot: "swpentry", result: "writeback_result")]),
    HookSite(
      "writeback@done", in: "shrink_memcg_cb",
      [.after("zswap_writeback_entry(", slot: "zswap_hook_swp", result: "writeback_result")]),
    HookSite(
      "writeback@done", in: "zswap_reclaim_entry",
      [.after("zswap_writeback_entry(", slot: "zswap_hook_swp", result: "ret")]),
    HookSite(
      "writeback@done", in: "zswap_writeback_entry", having: ofPoolLRU,
      HookInsertion.returns(
        behind: "swpentry = zhdr->swpentry", slot: "swpentry", ["0": "0", "ret": "ret"])),
  ]

  /// swapoff's own function, or what a system call and others share.
  private static func swapoff(_ point: String, _ insertion: HookInsertion) -> [HookSite] {
    ["SYSCALL_DEFINE1(swapoff", "__swapoff"].map {
      HookSite(point, in: $0, file: "mm/swapfile.c", [insertion])
    }
  }

  private static let device = "swp_entry(p->type, 0)"

  private static let swapoff: [HookSite] =
    swapoff("swapoff@begin", .after("BUG_ON(!current->mm)", slot: "ZSWAP_HOOK_NO_SLOT"))
    + swapoff("swapoff@unused", .after("if (err)", behind: "try_to_unuse(", slot: device))
    + swapoff("swapoff@quiesced", .after("wait_for_completion(&p->comp)", slot: device))
    + swapoff("swapoff@trees-freed", .after("zswap_swapoff(", spacing: .close, slot: device))
    // Up to 6.5
    + swapoff(
      "swapoff@trees-freed",
      .after("frontswap_invalidate_area(", spacing: .close, slot: device))

  private static let slotOfArguments = "swp_entry(type, offset)"

  /// Whose last reference goes is seen before it goes: a writeback may have another.
  private static func invalidateCounted(_ function: String, put: String) -> [HookSite] {
    [
      HookSite(
        "invalidate@erased", in: function, having: "spin_lock(&tree->lock)",
        [
          .line("bool zswap_hook_last;", after: "struct zswap_entry *entry;"),
          .before(
            put, spacing: .close, slot: slotOfArguments,
            condition: "zswap_hook_last",
            linesBefore: ["zswap_hook_last = entry->refcount == 1;"]),
        ]),
      HookSite(
        "invalidate@freed", in: function, having: "spin_lock(&tree->lock)",
        [
          .after(
            put, spacing: .close, slot: slotOfArguments, condition: "zswap_hook_last")
        ]),
    ]
  }

  private static let invalidate: [HookSite] =
    [
      HookSite(
        "invalidate@enter", in: "zswap_invalidate", having: "swap_zswap_tree(swp)",
        [.before("if (xa_empty(tree))", slot: "swp")]),
      HookSite(
        "invalidate@enter", in: "zswap_invalidate", having: "swap_zswap_tree(swp)",
        [.before("entry = xa_erase(", slot: "swp")]),
      // 6.9
      HookSite(
        "invalidate@enter", in: "zswap_invalidate", having: "swap_zswap_tree(swp)",
        [.before("spin_lock(&tree->lock)", slot: "swp")]),
      // 6.6 to 6.8
      HookSite(
        "invalidate@enter", in: "zswap_invalidate",
        [.before("spin_lock(&tree->lock)", slot: slotOfArguments)]),
      HookSite(
        "invalidate@enter", in: "zswap_frontswap_invalidate_page",
        [.before("spin_lock(&tree->lock)", slot: slotOfArguments)]),
      HookSite(
        "invalidate@erased", in: "zswap_invalidate", having: "swap_zswap_tree(swp)",
        [.before("zswap_entry_free(entry)", spacing: .close, slot: "swp")]),
      HookSite(
        "invalidate@freed", in: "zswap_invalidate", having: "swap_zswap_tree(swp)",
        [.after("zswap_entry_free(entry)", spacing: .close, slot: "swp")]),
      // 6.9
      HookSite(
        "invalidate@erased", in: "zswap_invalidate", having: "swap_zswap_tree(swp)",
        [.before("zswap_invalidate_entry(tree, entry)", spacing: .close, slot: "swp")]),
      HookSite(
        "invalidate@freed", in: "zswap_invalidate", having: "swap_zswap_tree(swp)",
        [.after("zswap_invalidate_entry(tree, entry)", spacing: .close, slot: "swp")]),
    ]
    + invalidateCounted("zswap_invalidate", put: "zswap_invalidate_entry(tree, entry)")
    + invalidateCounted("zswap_frontswap_invalidate_page", put: "zswap_entry_put(tree, entry)")
    // 6.5
    + invalidateCounted(
      "zswap_frontswap_invalidate_page", put: "zswap_invalidate_entry(tree, entry)")

  private static let largeWarning = "if (WARN_ON_ONCE(folio_test_large(folio)))"
  private static let large = "if (folio_test_large(folio))"

  /// Success is 1, whatever the function has for it.
  private static let asBool: KeyValuePairs = ["true": "1", "false": "0", "ret": "ret"]
  private static let asErrno: KeyValuePairs = [
    "0": "1", "-ENOENT": "0", "-EIO": "0", "-1": "0", "ret": "!ret",
  ]

  private static func loadOfFolio(behind: String, having: String, _ results: Results) -> [HookSite]
  {
    [
      HookSite("load@enter", in: "zswap_load", having: having, [.after(behind, slot: "swp")]),
      HookSite(
        "load@done", in: "zswap_load", having: having,
        HookInsertion.returns(behind: behind, slot: "swp", results)),
    ]
  }

  private typealias Results = KeyValuePairs<String, String>

  private static let load: [HookSite] =
    // 6.10 to 6.14; 6.15 on has an error's number.
    loadOfFolio(behind: largeWarning, having: "return false;", asBool)
    + loadOfFolio(behind: largeWarning, having: "return -ENOENT;", asErrno)
    + loadOfFolio(behind: large, having: "return -ENOENT;", asErrno)
    + [
      // 6.6 to 6.9
      HookSite("load@enter", in: "zswap_load", [.before("spin_lock(&tree->lock)", slot: "swp")]),
      HookSite(
        "load@done", in: "zswap_load",
        HookInsertion.returns(behind: "spin_lock(&tree->lock)", slot: "swp", asBool)),
      HookSite(
        "load@enter", in: "zswap_frontswap_load",
        [.before("spin_lock(&tree->lock)", slot: slotOfArguments)]),
      HookSite(
        "load@done", in: "zswap_frontswap_load",
        HookInsertion.returns(
          behind: "spin_lock(&tree->lock)", slot: slotOfArguments, asErrno)),

      // Under a spinlock up to 6.9: not there.
      HookSite(
        "load@erased", in: "zswap_load", having: "entry = xa_load(",
        [.after("if (!entry)", slot: "swp")]),
      HookSite(
        "load@erased", in: "zswap_load", having: "entry = zswap_entry_load(",
        [.after("if (!entry)", slot: "swp")]),
      HookSite(
        "load@erased", in: "zswap_load", having: "zswap_rb_erase(&tree->rbroot",
        [.after("spin_unlock(&tree->lock)", behind: "if (swapcache)", slot: "swp")]),
      HookSite(
        "load@erased", in: "zswap_load", having: "zswap_entry_find_get(",
        absent: "a load leaves the entry in the tree"),
      HookSite(
        "load@erased", in: "zswap_frontswap_load",
        absent: "a load leaves the entry in the tree"),
    ]

  private static func storeOfFolio(
    _ side: (String, HookInsertion), behind: String, having: String? = nil
  ) -> [HookSite] {
    [
      HookSite(side.0, in: "zswap_store", having: having, [side.1]),
      HookSite(
        "store@done", in: "zswap_store", having: having,
        HookInsertion.returns(behind: behind, slot: "swp", asBool)),
    ]
  }

  private static let enabled = "if (!zswap_enabled"

  private static let store: [HookSite] =
    // 6.8
    storeOfFolio(
      ("store@enter", .after("if (!tree)", slot: "swp")), behind: "if (!tree)",
      having: "if (!tree)")
    // 6.6 and 6.7: nothing is done where zswap is off.
    + storeOfFolio(
      ("store@enter", .after("if (!zswap_enabled || !tree)", slot: "swp")), behind: enabled,
      having: "if (!zswap_enabled || !tree)")
    + storeOfFolio(("store@enter", .before(enabled, slot: "swp")), behind: enabled)
    + [
      HookSite(
        "store@enter", in: "zswap_frontswap_store",
        [.before(enabled, slot: slotOfArguments)]),
      HookSite(
        "store@done", in: "zswap_frontswap_store",
        HookInsertion.returns(behind: enabled, slot: slotOfArguments, asErrno)),

      HookSite(
        "store@published", in: "zswap_store", [.after("if (xa_is_err(old))", slot: "swp")]),
      HookSite(
        "store@published", in: "zswap_store_page",
        [.after("if (xa_is_err(old))", slot: "page_swpentry")]),
      HookSite(
        "store@published", in: "zswap_store", having: "zswap_rb_insert(",
        absent: "the entry goes into the tree and onto the LRU under one spinlock"),
      HookSite(
        "store@published", in: "zswap_frontswap_store",
        absent: "the entry is on the pool's LRU before it is in the tree"),
    ]
}
