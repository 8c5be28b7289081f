import GuestWire

/// What a sound kernel does under a schedule, and why. Argued from mm/zswap.c,
/// mm/swapfile.c and mm/swap_state.c of 6.12.
public struct ScheduleRule: Hashable, Sendable {
  public enum Ordering: String, Hashable, Sendable, Codable {
    /// The awaited point is reached while the first actor is held.
    case possible
    /// It cannot be: the other actor waits.
    case excluded
  }

  public var schedule: Schedule
  public var ordering: Ordering
  /// The lock, pin or reference that decides it.
  public var reason: String
  /// What `writeback@done` of the held slot may report, 0 or a negative errno.
  public var writebackResults: Set<Int>
  /// Functions, one of which the excluded actor must be found asleep in: to
  /// wait for something else would prove nothing.
  public var waitsIn: [String]
  /// Claims that need this rule to hold.
  public var serves: [Claim]
  /// Claims that it speaks against where it is broken, without being enough for
  /// them where it holds.
  public var evidenceFor: [Claim]

  /// Every claim that a finding under this schedule violates.
  public var claims: [Claim] { (serves + evidenceFor).sorted() }

  public static func rule(for schedule: Schedule) -> ScheduleRule? {
    all.first { $0.schedule == schedule }
  }

  public static let all: [ScheduleRule] = [
    ScheduleRule(
      schedule: Schedule(hold: .writebackUnlocked, until: .swapoffTreesFreed),
      ordering: .possible,
      reason: """
        shrink_memcg_cb() has dropped the LRU lock and holds nothing: no reference on the entry, \
        no swapcache folio, no si->users. try_to_unuse() swaps the page in, which frees the \
        entry; percpu_ref_kill() and synchronize_rcu() find no user to wait for; zswap_swapoff() \
        frees the trees. The writeback that goes on then has the swp_entry_t on its stack and \
        nothing else: get_swap_device() in __read_swap_cache_async() fails on the killed \
        si->users, and zswap_writeback_entry() returns -ENOMEM before it looks at a tree.
        """,
      writebackResults: [GuestErrno.noMemory.result, GuestErrno.noEntry.result],
      waitsIn: [],
      serves: [.s2], evidenceFor: [.s1]),
    ScheduleRule(
      schedule: Schedule(hold: .writebackPinned, until: .swapoffTreesFreed),
      ordering: .excluded,
      reason: """
        __read_swap_cache_async() has put a new, locked folio into the swapcache, and with it \
        SWAP_HAS_CACHE into the slot's swap_map: si->inuse_pages cannot reach 0. try_to_unuse() \
        finds that folio, through the page table or through find_next_to_unuse(), and waits in \
        folio_lock() until writeback unlocks it. It cannot return before, so neither \
        percpu_ref_kill() nor zswap_swapoff() is reached, and the tree may be dereferenced.
        """,
      writebackResults: [0],
      waitsIn: [
        "folio_wait_bit", "__folio_lock", "folio_lock",
      ],
      serves: [.s2, .s5], evidenceFor: []),
  ]
}

/// Something that upstream kernels are known to do: shown, and never a failure.
public struct KnownNote: Hashable, Sendable, Codable {
  public var title: String
  public var explanation: String

  public init(title: String, explanation: String) {
    self.title = title
    self.explanation = explanation
  }

  /// list_lru_del() and __list_lru_walk_one() both decrement it for an entry
  /// that was written back.
  static let nrItemsDrift = KnownNote(
    title: "list_lru_node.nr_items drifts",
    explanation: "shrink_memcg_cb() frees the entry, whose list_lru_del() decrements "
      + "nlru->nr_items, and returns LRU_REMOVED_RETRY, for which __list_lru_walk_one() "
      + "decrements it again. Only list_lru_count_node() reads it, which zswap does not call.")
}
