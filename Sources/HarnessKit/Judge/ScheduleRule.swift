import GuestWire

/// What a sound kernel does under a schedule, and why. Argued from mm/zswap.c,
/// mm/swapfile.c, mm/swap_state.c and mm/memory.c of 6.12; where the zpool has the
/// LRU, of 6.1.
public struct ScheduleRule: Hashable, Sendable {
  /// Whether the awaited point of the last constraint is passed while its hold lasts.
  public enum Ordering: Hashable, Sendable {
    /// The awaited point is reached while the first actor is held.
    case possible
    /// It cannot be: the other actor sleeps in one of these functions until the
    /// first lets go. To wait for something else would prove nothing.
    case waits([String])
    /// It cannot be: the other actor returns by a way that does not lead there.
    case avoids
    /// Either is right: it depends on I/O that nobody holds.
    case either
  }

  /// What becomes of the first of three actors, once it has been let go.
  public enum First: Hashable, Sendable {
    /// There is none, or it makes no difference.
    case either
    /// It has come to its end when the last one begins.
    case returns
    /// It sleeps until the second goes on.
    case sleeps
  }

  /// The one that was asked about: a row of the table covers many.
  public var schedule: Schedule
  /// Of its last constraint. Those before it have to come to pass.
  public var ordering: Ordering
  /// `either` for a pair.
  public var first = First.either
  /// Whether it is about the request and buffer that zswap has for a CPU: only where those go
  /// with their CPU, and the hold is on it, does anybody have to wait.
  public var isOfContext = false
  /// The lock, pin or reference that decides it.
  public var reason: String
  /// What the `done` of the held slot may report, 0 or a negative errno; nil where
  /// neither writeback nor shrinker is what is held (last).
  public var results: Set<Int>?
  /// What the other actors' writeback of that slot may report, if it gets that far.
  public var otherResults: Set<Int>?
  /// Claims that need this rule to hold.
  public var serves: [Claim]
  /// Claims that it speaks against where it is broken, without being enough for
  /// them where it holds.
  public var evidenceFor: [Claim]

  /// What has to be seen, in words.
  public var expectation: String {
    switch ordering {
    case .possible: "interleaved"
    case .waits: "excluded: the other actor waits"
    case .avoids: "excluded: the other actor goes another way"
    case .either: "interleaved or excluded"
    }
  }

  /// Every claim that a finding under this schedule violates.
  public var claims: [Claim] { Set(serves + evidenceFor).sorted() }

  /// Nil where no row of the table covers the schedule: its ordering is then neither a finding, nor
  /// of use to a claim.
  public static func rule(for schedule: Schedule, on lru: ZswapLRU = .memcg) -> ScheduleRule? {
    let rows = lru == .memcg ? RuleRow.all : RuleRow.poolLRU
    guard let row = rows.first(where: { $0.covers(schedule) }) else { return nil }
    return ScheduleRule(
      schedule: schedule, ordering: row.ordering, first: row.first,
      isOfContext: row.isOfContext, reason: row.reason,
      results: row.results, otherResults: row.otherResults,
      serves: Claim.allCases.filter { $0.schedules.contains(schedule) },
      evidenceFor: row.evidenceFor)
  }
}

/// A row of the table: what is true of each of these holds with each of these
/// awaited points.
struct RuleRow: Sendable {
  /// What stands before the hold in a longer chain; empty for pairs.
  var before: Set<HookPoint> = []
  var holds: Set<HookPoint>
  var untils: Set<HookPoint>
  var ordering: ScheduleRule.Ordering
  var first = ScheduleRule.First.either
  var isOfContext = false
  var results: Set<Int>?
  var otherResults: Set<Int>?
  var evidenceFor: [Claim] = []
  /// The set-ups that it is about.
  var applies: @Sendable (TrialSetup) -> Bool = { !$0.failsPin }
  var reason: String

  func covers(_ schedule: Schedule) -> Bool {
    let last = schedule.lastConstraint
    let leading = schedule.points.dropLast(2)
    return leading.count == (before.isEmpty ? 0 : 1) && leading.allSatisfy(before.contains)
      && holds.contains(last.hold) && untils.contains(last.until) && applies(schedule.setup)
  }
}

/// The points of an actor at these places.
func points(_ actor: String, _ places: String...) -> Set<HookPoint> {
  Set(places.map { HookPoint.known("\(actor)@\($0)") })
}

extension RuleRow {
  static let noMemory = GuestErrno.noMemory.result
  static let exists = GuestErrno.exists.result

  static let unlocked: Set<HookPoint> = [.writebackUnlocked]
  /// The new folio is locked and in the swap cache.
  private static let pinned = points("writeback", "pinned", "claimed", "decompressed", "submit")
  private static let done: Set<HookPoint> = [.writebackDone]
  private static let allHolds = unlocked.union(pinned).union(done)
  /// What a writeback that finds the entry and its slot in use goes through.
  private static let written = points(
    "writeback", "pinned", "claimed", "decompressed", "submit")
  static let folioLock = ScheduleRule.Ordering.waits([
    "folio_wait_bit", "__folio_lock", "folio_lock",
  ])

  static let contextMutex = ScheduleRule.Ordering.waits([
    "zswap_cpu_comp_dead", "zswap_dstmem_dead",
  ])

  /// The first that covers a schedule decides.
  static let all: [RuleRow] =
    swapoff + invalidate + load + store + shrinker + bystanders + heldSwapoff + heldLoad
    + heldStore + storedTwice + injected + chains

  // MARK: Writeback held, swapoff beside it

  private static let swapoff: [RuleRow] = [
    RuleRow(
      holds: unlocked, untils: points("swapoff", "begin"), ordering: .possible,
      results: [0, exists, noMemory],
      reason: "Nothing is held at unlocked, and swapoff has done nothing yet: either may win."),
    RuleRow(
      holds: unlocked, untils: points("swapoff", "unused", "quiesced", "trees-freed", "end"),
      ordering: folioLock, results: [0, exists, noMemory], evidenceFor: [.s2],
      applies: { $0.via == .limit },
      reason: """
        The task is in zswap_store(), and has locked the folio that it pages out: that, and not \
        the entry that it writes back to make room, is what swapoff waits for.
        """),
    RuleRow(
      holds: unlocked, untils: points("swapoff", "unused", "quiesced", "trees-freed", "end"),
      ordering: .possible, results: [noMemory, GuestErrno.noEntry.result],
      evidenceFor: [.s1, .s2],
      reason: """
        shrink_memcg_cb() has dropped the LRU lock and holds nothing: no reference on the entry, \
        no swapcache folio, no si->users. try_to_unuse() swaps the page in, which frees the \
        entry; percpu_ref_kill() and synchronize_rcu() find no user to wait for; zswap_swapoff() \
        frees the trees. The writeback that goes on then has the swp_entry_t on its stack and \
        nothing else: __read_swap_cache_async() finds no user of the slot in swap_map, or \
        get_swap_device() fails on the killed si->users, and zswap_writeback_entry() returns \
        -ENOMEM before it looks at a tree.
        """),
    RuleRow(
      holds: pinned, untils: points("swapoff", "begin"), ordering: .possible, results: [0],
      reason: "The system call's entry takes no lock."),
    RuleRow(
      holds: pinned, untils: points("swapoff", "unused", "quiesced", "trees-freed", "end"),
      ordering: folioLock, results: [0], evidenceFor: [.s2, .s5],
      reason: """
        __read_swap_cache_async() has put a new, locked folio into the swapcache, and with it \
        SWAP_HAS_CACHE into the slot's swap_map: si->inuse_pages cannot reach 0. try_to_unuse() \
        finds that folio, through the page table or through find_next_to_unuse(), and waits in \
        folio_lock() until writeback unlocks it. It cannot return before, so neither \
        percpu_ref_kill() nor zswap_swapoff() is reached, and the tree may be dereferenced.
        """),
    RuleRow(
      holds: done, untils: points("swapoff", "begin", "unused", "quiesced", "trees-freed", "end"),
      ordering: .possible, results: [0],
      reason: """
        The entry is freed and the folio unlocked: what swapoff may wait for is the I/O, which \
        ends by itself.
        """),
  ]

  // MARK: … and a free of the page

  private static let invalidate: [RuleRow] = [
    RuleRow(
      holds: unlocked, untils: points("invalidate", "begin"), ordering: .possible,
      results: [0, exists, noMemory],
      reason: "Nothing is held at unlocked, and nothing is freed yet: either may win."),
    RuleRow(
      holds: unlocked, untils: points("invalidate", "enter", "erased", "freed", "end"),
      ordering: .possible, results: [noMemory], evidenceFor: [.s1],
      reason: """
        Nothing keeps the slot: free_swap_and_cache_nr() takes its last user away, and only then \
        calls zswap_invalidate(), which frees the entry. __read_swap_cache_async() finds \
        swap_count 0 and returns NULL: -ENOMEM, without a look at the entry.
        """),
    RuleRow(
      holds: pinned, untils: points("invalidate", "begin", "end"), ordering: .possible,
      results: [0], evidenceFor: [.s4],
      reason: """
        The slot keeps SWAP_HAS_CACHE: free_swap_and_cache_nr() takes the user away, fails \
        folio_trylock() in __try_to_reclaim_swap(), and leaves the rest to whoever has the folio.
        """),
    RuleRow(
      holds: pinned, untils: points("invalidate", "enter", "erased", "freed"), ordering: .avoids,
      results: [0], evidenceFor: [.s4],
      reason: """
        zswap_invalidate() is called when swap_map reaches 0. SWAP_HAS_CACHE keeps it from that \
        as long as the folio is in the swapcache, and the locked folio stays there: the entry is \
        writeback's to free.
        """),
    RuleRow(
      holds: done, untils: points("invalidate", "begin", "end"), ordering: .possible, results: [0],
      reason: "Nothing is held any more."),
    RuleRow(
      holds: done, untils: points("invalidate", "enter"), ordering: .either, results: [0],
      reason: """
        The folio in the swapcache is unlocked: __try_to_reclaim_swap() frees it and the slot, or \
        finds it under I/O and leaves it.
        """),
    RuleRow(
      holds: done, untils: points("invalidate", "erased", "freed"), ordering: .avoids,
      results: [0], evidenceFor: [.s7],
      reason: "zswap_writeback_entry() has taken the entry out of the tree: none is left."),
  ]

  // MARK: … and a fault

  private static let load: [RuleRow] = [
    RuleRow(
      holds: unlocked, untils: points("load", "begin"), ordering: .possible,
      results: [0, exists, noMemory],
      reason: "Nothing is held at unlocked, and nothing is read yet: either may win."),
    RuleRow(
      holds: unlocked, untils: points("load", "enter", "erased", "done", "end"),
      ordering: .possible, results: [exists, noMemory], evidenceFor: [.s1],
      reason: """
        Nothing keeps a fault from the slot. Its folio is in the swapcache before zswap_load() is \
        called, so that writeback finds it there (-EEXIST); or, with SWP_SYNCHRONOUS_IO, the slot \
        has SWAP_HAS_CACHE without one (-ENOMEM); or the slot is free again (-ENOMEM).
        """),
    RuleRow(
      holds: pinned, untils: points("load", "begin"), ordering: .possible, results: [0],
      reason: "The fault has not begun."),
    RuleRow(
      holds: pinned, untils: points("load", "enter", "erased", "done", "end"),
      ordering: folioLock, results: [0], evidenceFor: [.s4],
      reason: """
        do_swap_page() finds writeback's folio in the swapcache and waits for its lock. Once it \
        has that, the folio is up to date, and the fault maps it without reading.
        """),
    RuleRow(
      holds: done, untils: points("load", "begin", "end"), ordering: .possible, results: [0],
      reason: "Nothing is held any more."),
    RuleRow(
      holds: done, untils: points("load", "enter", "done"), ordering: .either, results: [0],
      reason: "The folio is in the swapcache as long as nobody reclaims it."),
    RuleRow(
      holds: done, untils: points("load", "erased"), ordering: .avoids, results: [0],
      evidenceFor: [.s7],
      reason: "zswap_writeback_entry() has taken the entry out of the tree: none is left."),
  ]

  // MARK: … and a store that uses the slot again

  private static let store: [RuleRow] = [
    RuleRow(
      holds: unlocked, untils: points("store", "begin"), ordering: .possible,
      results: [0, exists, noMemory],
      reason: "Nothing is held at unlocked, and nothing is freed yet: either may win."),
    RuleRow(
      holds: unlocked, untils: points("store", "enter", "compressed", "published", "done", "end"),
      ordering: .possible, results: [0, exists, noMemory], evidenceFor: [.s3],
      reason: """
        The slot is free, and another page's once that is paged out. Writeback finds that page's \
        folio in the swapcache (-EEXIST), or pins the slot and finds another entry in the tree \
        (-ENOMEM). If the slab gave the new entry the old one's address, it is alive and at that \
        slot: writing it back is right (0).
        """),
    RuleRow(
      holds: pinned, untils: points("store", "begin", "end"), ordering: .possible, results: [0],
      reason: "The pages go to other slots."),
    RuleRow(
      holds: pinned, untils: points("store", "enter", "compressed", "published", "done"),
      ordering: .avoids,
      results: [0], evidenceFor: [.s4],
      reason: """
        The slot has SWAP_HAS_CACHE as long as the locked folio is in the swapcache: the \
        allocator does not give it away, even where all others are taken.
        """),
    RuleRow(
      holds: done, untils: points("store", "begin", "end"), ordering: .possible, results: [0],
      reason: "Nothing is held any more."),
    RuleRow(
      holds: done, untils: points("store", "enter", "compressed", "published", "done"),
      ordering: .either,
      results: [0],
      reason: "The slot is free as soon as the folio has left the swapcache, after the I/O."),
  ]

  // MARK: … and a second writeback

  private static let shrinker: [RuleRow] = [
    RuleRow(
      holds: unlocked, untils: points("shrinker", "begin", "isolated", "unlocked"),
      ordering: .possible, results: [0, exists, noMemory],
      otherResults: [0, exists, noMemory], evidenceFor: [.s6],
      reason: """
        The entry is on the LRU, at its tail: a second reclaimer comes to it last. Either may pin \
        it first.
        """),
    RuleRow(
      holds: unlocked,
      untils: points("shrinker", "pinned", "claimed", "decompressed", "submit", "done", "end"),
      ordering: .possible, results: [exists, noMemory], otherResults: [0],
      evidenceFor: [.s1, .s4, .s6],
      reason: """
        The second reclaimer pins the slot and frees the entry. The first finds the second's \
        folio in the swapcache (-EEXIST), or no entry (-ENOMEM).
        """),
    RuleRow(
      holds: points("writeback", "pinned", "claimed", "decompressed"),
      untils: points("shrinker", "begin", "isolated", "unlocked", "done", "end"),
      ordering: .possible, results: [0], otherResults: [exists], evidenceFor: [.s4, .s6],
      reason: """
        The entry is on the LRU until it is freed. The second reclaimer finds the first one's \
        folio in the swapcache and backs off with -EEXIST.
        """),
    RuleRow(
      holds: points("writeback", "pinned", "claimed", "decompressed"),
      untils: points("shrinker", "pinned", "claimed", "decompressed", "submit"),
      ordering: .avoids, results: [0], otherResults: [exists], evidenceFor: [.s4],
      reason: """
        __read_swap_cache_async() returns the folio that is there and has not allocated one: \
        -EEXIST, before the tree is looked at.
        """),
    RuleRow(
      holds: points("writeback", "submit", "done"), untils: points("shrinker", "begin", "end"),
      ordering: .possible, results: [0], reason: "The walk goes over the other entries."),
    RuleRow(
      holds: points("writeback", "submit", "done"),
      untils: points(
        "shrinker", "isolated", "unlocked", "pinned", "claimed", "decompressed", "submit", "done"),
      ordering: .avoids, results: [0], evidenceFor: [.s7],
      reason: "zswap_entry_free() has taken the entry off the LRU."),
  ]

  // MARK: … and what may run beside it without touching the slot

  private static let bystanders: [RuleRow] = [
    RuleRow(
      holds: allHolds, untils: points("pool", "begin", "end"), ordering: .possible, results: [0],
      reason: """
        A new pool goes to the head of zswap_pools; the entry keeps a reference on its own, which \
        is destroyed by a work item when the last has gone.
        """),
    RuleRow(
      holds: allHolds, untils: points("memcg", "begin", "end"), ordering: .possible, results: [0],
      reason: """
        Writeback holds no LRU lock: memcg_reparent_list_lrus() moves the entries to the parent's \
        list. The walk that comes back takes nlru->lock, which serves all memcgs, and starts over.
        """),
    RuleRow(
      holds: allHolds, untils: points("cpu", "begin", "end"), ordering: .possible, results: [0],
      reason: "acomp_ctx is taken, under its mutex, within zswap_decompress() only."),
    RuleRow(
      holds: points("store", "compressed"), untils: points("cpu", "end"),
      ordering: contextMutex, isOfContext: true,
      reason: """
        The store has acomp_ctx->mutex of the CPU that it compressed on. zswap_cpu_comp_dead() \
        takes it before it takes request and buffer away: the CPU is not gone before the store \
        has copied what it compressed, wherever that runs by then. A kernel that frees both with \
        the pool keeps nobody waiting.
        """),
    RuleRow(
      holds: allHolds, untils: points("fork", "begin", "end"), ordering: .possible, results: [0],
      reason: "copy_nonpresent_pte() adds a user to the slot's swap_map, without the folio."),
  ]

  // MARK: The others held, writeback beside them

  private static let onSlot = points("writeback", "isolated", "unlocked", "done").union(written)
  private static let ends = points("writeback", "begin", "end")

  private static let heldSwapoff: [RuleRow] = [
    RuleRow(
      holds: points("swapoff", "begin"), untils: onSlot.union(ends), ordering: .possible,
      reason: "swapoff has done nothing yet."),
    RuleRow(
      holds: points("swapoff", "unused", "quiesced", "trees-freed"), untils: ends,
      ordering: .possible, reason: "The walk takes no lock that swapoff has."),
    RuleRow(
      holds: points("swapoff", "unused", "quiesced", "trees-freed"), untils: onSlot,
      ordering: .avoids, evidenceFor: [.s7],
      reason: """
        try_to_unuse() has had every page read back, and each load has freed its entry: there is \
        none on the LRU.
        """),
  ]

  private static let heldLoad: [RuleRow] = [
    RuleRow(
      holds: points("load", "enter", "erased", "done"), untils: ends, ordering: .possible,
      reason: "The walk takes no lock that the fault has."),
    RuleRow(
      holds: points("load", "enter", "erased"),
      untils: points("writeback", "isolated", "unlocked", "done"), ordering: .possible,
      otherResults: [exists], evidenceFor: [.s4], applies: { $0.swap == .disk },
      reason: """
        The entry is on the LRU until it is freed, which is after the decompression. Writeback \
        finds the fault's folio in the swapcache and backs off.
        """),
    RuleRow(
      holds: points("load", "enter", "erased", "done"),
      untils: points("writeback", "isolated", "unlocked", "done"), ordering: .possible,
      otherResults: [noMemory], evidenceFor: [.s4], applies: { $0.swap == .brd },
      reason: """
        With SWP_SYNCHRONOUS_IO the entry stays until the fault frees the slot. The slot has \
        SWAP_HAS_CACHE and no folio: __read_swap_cache_async() does not wait for one here \
        (skip_if_exists) and returns NULL.
        """),
    RuleRow(
      holds: points("load", "enter", "erased", "done"), untils: written, ordering: .avoids,
      otherResults: [exists, noMemory], evidenceFor: [.s4],
      reason: "The fault has the slot: writeback cannot pin it."),
    RuleRow(
      holds: points("load", "done"), untils: points("writeback", "isolated", "unlocked", "done"),
      ordering: .avoids, evidenceFor: [.s7],
      reason: "zswap_load() has freed the entry, and thereby taken it off the LRU."),
  ]

  private static let heldStore: [RuleRow] = [
    RuleRow(
      holds: points("store", "enter", "published", "done"), untils: ends, ordering: .possible,
      reason: "The walk takes no lock that a store has."),
    RuleRow(
      holds: points("store", "enter", "published"), untils: onSlot, ordering: .avoids,
      reason: """
        The entry goes on the LRU last, complete, and after it is in the tree: until then no \
        walk meets it.
        """),
    RuleRow(
      holds: points("store", "done"), untils: points("writeback", "isolated"),
      ordering: .possible, reason: "The entry is on the LRU."),
    RuleRow(
      holds: points("store", "done"), untils: onSlot, ordering: .avoids,
      reason: """
        A new entry has its referenced bit set: the first walk that meets it clears the bit and \
        rotates it.
        """),
  ]

  // MARK: A page that is stored twice at one slot

  private static let storedTwice: [RuleRow] = [
    RuleRow(
      holds: points("store", "done"), untils: points("load", "end"), ordering: folioLock,
      applies: { $0.again != .no && $0.swap == .disk && !$0.failsPin },
      reason: """
        The folio is locked until shrink_folio_list() is through with it: the fault finds it in \
        the swapcache, takes a reference and waits. With that reference __remove_mapping() fails, \
        and the folio stays in the swapcache, at its slot, while the pte is mapped writable: \
        rewritten, it is stored again where an entry of its first copy is in the tree. \
        zswap_store() has to free that one, if it stores the page or not: a load would find the \
        old copy, and a writeback would put it over the new one on the disk.
        """)
  ]

  // MARK: Writeback made to fail

  private static let injected: [RuleRow] = [
    RuleRow(
      holds: done, untils: points("shrinker", "isolated", "unlocked", "done", "end"),
      ordering: .possible, results: [noMemory], otherResults: [0], evidenceFor: [.s6, .s8],
      applies: { $0.failsPin },
      reason: """
        The pin found no memory: the entry has not been touched since it was rotated. It is \
        alive, at the tail, where a second reclaimer comes to it last and writes it back.
        """)
  ]

  // MARK: Chains: a third actor, or the first one again

  /// Before the entry is freed.
  private static let entryAlive = points("writeback", "pinned", "claimed", "decompressed")
  private static let swapoffDone = points("swapoff", "unused", "quiesced", "trees-freed", "end")

  private static let chains: [RuleRow] = [
    RuleRow(
      before: points("invalidate", "begin"), holds: pinned, untils: swapoffDone,
      ordering: folioLock, first: .returns, results: [0], evidenceFor: [.s2, .s5],
      reason: """
        The page's owner has let the slot go, and no page table leads swapoff to the folio: \
        SWAP_HAS_CACHE is all that is left of it in swap_map. That alone keeps si->inuse_pages \
        above 0: find_next_to_unuse() finds the slot, and try_to_unuse() waits in folio_lock() of \
        its second loop.
        """),
    RuleRow(
      before: points("invalidate", "begin"), holds: pinned,
      untils: points("shrinker", "pinned", "claimed", "decompressed", "submit"),
      ordering: .avoids, first: .returns, results: [0], otherResults: [exists],
      evidenceFor: [.s4],
      reason: """
        The slot has no user but the swapcache. __read_swap_cache_async() looks there before it \
        asks swap_map, and finds writeback's folio: -EEXIST. It has nothing to allocate, and the \
        freed slot cannot be pinned a second time.
        """),
    RuleRow(
      before: points("load", "begin"), holds: pinned, untils: swapoffDone,
      ordering: folioLock, first: .sleeps, results: [0], evidenceFor: [.s2, .s4, .s5],
      reason: """
        The fault has a reference on the folio and waits for its lock, with neither mmap_lock nor \
        page-table lock; swapoff comes to the same pte and waits behind it. The folio is up to \
        date when both go on: the fault maps it, and swapoff finds the pte changed.
        """),
    RuleRow(
      before: points("swapoff", "begin"), holds: pinned,
      untils: points("load", "enter", "erased", "done", "end"),
      ordering: folioLock, first: .sleeps, results: [0], evidenceFor: [.s4, .s5],
      reason: """
        swapoff waits for the folio's lock first, and the fault behind it: swapoff maps the page, \
        and the fault, which finds the folio out of the swapcache, finds the pte changed.
        """),
    RuleRow(
      before: points("swapoff", "begin"), holds: pinned, untils: points("invalidate", "end"),
      ordering: .possible, first: .sleeps, results: [0], evidenceFor: [.s4, .s5],
      applies: { $0.free == .dontneed && !$0.failsPin },
      reason: """
        swapoff sleeps on the folio with mmap_lock for reading, as MADV_DONTNEED has it: the pte \
        is cleared under the sleeping swapoff. unuse_pte() compares it once the folio is locked, \
        and folio_free_swap() gives up a slot that nobody but the swapcache has.
        """),
    RuleRow(
      before: points("swapoff", "begin"), holds: entryAlive,
      untils: points("shrinker", "done", "end"),
      ordering: .possible, first: .sleeps, results: [0], otherResults: [exists],
      evidenceFor: [.s4, .s5],
      reason: """
        swapoff has not killed si->users: it waits for the folio. get_swap_device() succeeds for \
        the second reclaimer, which finds the first one's folio (-EEXIST).
        """),
    RuleRow(
      before: unlocked.union(entryAlive), holds: points("shrinker", "unlocked"),
      untils: swapoffDone, ordering: .possible, first: .returns,
      results: [noMemory, GuestErrno.noEntry.result], otherResults: [0],
      evidenceFor: [.s1, .s2],
      reason: """
        The first writeback has written the entry back and freed it: the second one's pointer \
        dangles without any invalidation, and swapoff has freed the tree. get_swap_device() fails \
        on the killed si->users, before a tree is looked at.
        """),
    RuleRow(
      before: points("load", "enter", "erased"), holds: unlocked, untils: swapoffDone,
      ordering: .possible, first: .returns,
      results: [noMemory, GuestErrno.noEntry.result], evidenceFor: [.s1, .s2],
      applies: { $0.swap == .disk && !$0.failsPin },
      reason: """
        The entry is on the LRU while zswap_load() decompresses it, out of the tree already: \
        writeback has taken its swp_entry_t from it before zswap_entry_free() unlinks it, which \
        waits for the LRU lock and for nothing else. swapoff then frees the tree; \
        get_swap_device() fails.
        """),
    RuleRow(
      before: points("memcg", "begin"), holds: unlocked, untils: swapoffDone,
      ordering: .possible, first: .returns,
      results: [noMemory, GuestErrno.noEntry.result], evidenceFor: [.s1, .s2],
      reason: """
        memcg_reparent_list_lrus() has moved the entry to the parent's list, and swapoff's loads \
        have freed it from there: zswap_lru_del() finds the list through the entry's objcg, which \
        is the parent's by now. The walk that comes back starts over under nlru->lock.
        """),
    RuleRow(
      before: unlocked, holds: points("load", "enter", "erased"),
      untils: points("writeback", "done", "end"),
      ordering: .possible, otherResults: [exists], evidenceFor: [.s1, .s4],
      applies: { $0.swap == .disk && !$0.failsPin },
      reason: """
        The fault's folio is in the swapcache before zswap_load() is called, locked: writeback \
        finds it (-EEXIST), and looks at no tree, whether the entry is still in it or not.
        """),
    RuleRow(
      before: unlocked, holds: points("load", "enter", "erased"),
      untils: points("writeback", "done", "end"),
      ordering: .possible, otherResults: [noMemory], evidenceFor: [.s1, .s4],
      applies: { $0.swap == .brd && !$0.failsPin },
      reason: """
        With SWP_SYNCHRONOUS_IO the fault has SWAP_HAS_CACHE and no folio in the swapcache: \
        swapcache_prepare() gives -EEXIST, for which skip_if_exists does not wait: NULL, -ENOMEM.
        """),
    RuleRow(
      before: unlocked, holds: points("store", "published"),
      untils: points("writeback", "done", "end"),
      ordering: .possible, otherResults: [exists], evidenceFor: [.s3],
      reason: """
        The slot's new entry is in the tree, and perhaps at the old one's address. The folio that \
        is stored stands in the swapcache until after the store: -EEXIST, before the pointers are \
        compared.
        """),
  ]
}

/// Something that upstream kernels are known to do: shown, and never a failure.
public struct KnownNote: Hashable, Sendable, Codable {
  /// What happens, in a few words.
  public var title: String
  /// By which functions it comes about, and why it is no failure.
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

  /// KCSAN samples the whole kernel, and its timekeeping, scheduler and RCU race on purpose,
  /// marked or not.
  static let raceElsewhere = KnownNote(
    title: "a data race outside of memory management",
    explanation: "Neither of the two functions is one of mm/: KCSAN reports the whole kernel, and "
      + "such a race says nothing about zswap. It may be worth a report to those whose code it is.")
}
