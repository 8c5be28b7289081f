import Glibc
import GuestWire

/// The figures that a sound kernel brings back to where they were, once the
/// pages' owner has exited and swap is off.
struct RestProbe {
  /// written_back_pages is incremented without a lock: several writers at once
  /// lose some, and only some more of it than of zswpwb cannot be.
  enum Tolerance {
    case none, lostIncrements
  }

  private let dying: Int64
  private var taint: Int64
  private var zswpwb: Int64 = 0
  private var writtenBack: Int64 = 0
  private var tolerance = Tolerance.none
  /// Told in every wait that there is still somebody.
  private let beat: () -> Void

  init(beat: @escaping () -> Void) throws(SystemError) {
    self.beat = beat
    dying = try ControlGroup.dyingDescendants()
    taint = try KernelTaint.read()
  }

  /// Takes the figures that a trial's are compared with.
  mutating func begin() throws(SystemError) {
    taint = try KernelTaint.read()
    zswpwb = KernelTrait.has(.writebackEvent) ? try Self.vmstat("zswpwb") : 0
    writtenBack = try Zswap.counter("written_back_pages")
  }

  /// Since `begin`, or before.
  var hasOopsed: Bool { KernelTaint.hasOopsed }

  /// How long a figure may take to come to rest: frees go through RCU, work
  /// items and per-CPU caches.
  private static let limitMilliseconds: UInt64 = 20_000

  /// What was measured, and why no more was.
  struct Result {
    var measurements: [RestMeasurement]
    var skipped: String?
    /// Everything was as expected within the limit.
    var isSettled: Bool
  }

  /// After each trial, when every page has been given up. The memcg lives on.
  ///
  /// - Parameter emptySwap: swaps off, and so gives back slots that nobody uses any more.
  mutating func settleTrial(
    _ group: ControlGroup?, _ tolerance: Tolerance, emptySwap: () throws -> Void
  ) throws -> Result {
    self.tolerance = tolerance
    return try settle(fixed: []) {
      var rest = try measureZswap()
      if let group {
        try group.flushStatistics()
        rest.append(
          RestMeasurement(
            name: "memory.zswap.current", expected: 0,
            observed: try group.value("memory.zswap.current")))
      }
      rest.append(
        RestMeasurement(
          name: "KiB of swap in use", expected: 0, observed: try Swapfile.kibibytesUsed()))
      return rest
    } nudge: {
      // A page whose user went while it was written back stays in the swap cache
      // until somebody wants its memory or its slot, and to reclaim it is too young.
      if try Swapfile.kibibytesUsed() > 0 { try emptySwap() } else { try Self.drain() }
    }
  }

  /// After exit and swapoff.
  ///
  /// - Parameters:
  ///   - memcg: what the trials' memcg had when it was removed.
  ///   - chargeAnother: charges another memcg on every CPU.
  func settle(
    _ memcg: [RestMeasurement], chargeAnother: () throws -> Void
  ) throws -> Result {
    try settle(fixed: memcg) {
      try measureZswap() + measureSystem()
    } lastly: {
      Self.measureEntries()
    } nudge: {
      try Self.drain()
      try chargeAnother()
    }
  }

  /// Measures until everything is as expected, or gives what there is at the
  /// limit. A kernel that has become tainted does not come to rest, and what it
  /// leaves lying about is no finding of its own.
  ///
  /// - Parameter lastly: measured only once all else is as expected.
  private func settle(
    fixed: [RestMeasurement], _ measure: () throws -> [RestMeasurement],
    lastly: () -> [RestMeasurement] = { [] }, nudge: () throws -> Void
  ) throws -> Result {
    let began = MonotonicClock.milliseconds
    var attempts = 0
    while true {
      let now = RestMeasurement(
        name: RestFigure.taint, expected: taint, observed: try KernelTaint.read())
      if now.observed != now.expected {
        return Result(
          measurements: [now], skipped: "the kernel has become tainted", isSettled: false)
      }
      var measurements = try [now] + measure()
      var settled = measurements.allSatisfy(Self.isSettled)
      let late = MonotonicClock.milliseconds - began > Self.limitMilliseconds
      if settled || late {
        let last = lastly()
        measurements += last
        settled = settled && last.allSatisfy(Self.isSettled)
      }
      if settled || late {
        return Result(
          measurements: fixed + measurements, skipped: nil,
          isSettled: settled && fixed.allSatisfy(Self.isSettled))
      }
      attempts += 1
      beat()
      if attempts % 4 == 2 { try nudge() }
      MonotonicClock.sleep(milliseconds: attempts < 20 ? 1 : 20)
    }
  }

  /// As expected, or written as a note and not waited for: see `nodeItems`.
  private static func isSettled(_ measurement: RestMeasurement) -> Bool {
    measurement.observed == measurement.expected || measurement.name == nodeItems
  }

  /// list_lru_del() and __list_lru_walk_one() both decrement it for an entry
  /// written back, so that it drifts on sound kernels too. Nobody in zswap reads
  /// it.
  private static let nodeItems = RestFigure.nodeItems

  /// The memcg's own figures, when its tasks have gone and swap is off.
  static func settle(
    _ group: ControlGroup, beat: () -> Void
  ) throws(SystemError) -> [RestMeasurement] {
    let began = MonotonicClock.milliseconds
    while true {
      // Gives back what per-CPU stocks have charged ahead, and the last pages. Each
      // time: what an object's late free gives back goes into the stock of its CPU,
      // and a forked child's come after a grace period.
      try group.set("memory.high", "0")
      try group.flushStatistics()
      // Pages charged for objects may stay when every object is gone, and no figure
      // bounds them: the comment in obj_cgroup_release() has the sequence. It gives
      // them back when the memcg is offline, and warns where they are no whole pages;
      // what never goes is a dying descendant.
      let current = try group.value("memory.current") - group.statistic("kernel")
      let measurements = [
        RestMeasurement(
          name: "memory.zswap.current", expected: 0,
          observed: try group.value("memory.zswap.current")),
        RestMeasurement(
          name: "memory.swap.current", expected: 0,
          observed: try group.value("memory.swap.current")),
        RestMeasurement(
          name: "memory.current less the kernel's", expected: 0, observed: current),
      ]
      let late = MonotonicClock.milliseconds - began > limitMilliseconds
      if late || measurements.allSatisfy({ $0.observed == 0 }) { return measurements }
      try Self.drain()
      beat()
      MonotonicClock.sleep(milliseconds: 2)
    }
  }

  private func measureZswap() throws(SystemError) -> [RestMeasurement] {
    var rest = [
      RestMeasurement(
        name: "zswap stored_pages", expected: 0, observed: try Zswap.counter("stored_pages"))
    ]
    if KernelTrait.has(.livePoolSize) {
      rest.append(
        RestMeasurement(
          name: RestFigure.poolSize, expected: 0, observed: try Zswap.counter("pool_total_size")))
    }
    if let lru = try HooksModule.lru() {
      rest.append(RestMeasurement(name: RestFigure.lruItems, expected: 0, observed: lru.items))
    }
    if KernelTrait.has(.writebackEvent) {
      let drift =
        try Self.vmstat("zswpwb") - zswpwb - (Zswap.counter("written_back_pages") - writtenBack)
      rest.append(
        RestMeasurement(
          name: RestFigure.writebackDrift, expected: 0,
          observed: tolerance == .lostIncrements ? min(drift, 0) : drift))
    }
    return rest
  }

  private func measureSystem() throws(SystemError) -> [RestMeasurement] {
    var rest = [
      RestMeasurement(
        name: "swap areas in use", expected: 0, observed: Int64(try Swapfile.areasInUse())),
      RestMeasurement(
        name: "nr_dying_descendants", expected: dying,
        observed: try ControlGroup.dyingDescendants()),
    ]
    if let lru = try HooksModule.lru() {
      rest.append(
        RestMeasurement(name: Self.nodeItems, expected: 0, observed: lru.nodeItems))
    }
    return rest
  }

  /// Makes another pool the current one, waits for the first to be destroyed, and
  /// comes back: a pool without entries goes when it is no longer the current one.
  /// Nothing where the zpool has no slab cache of each pool's own to count them by.
  ///
  /// - Parameter changes: ways to make another pool, each the present one first.
  static func settlePools(
    _ changes: [[Zswap.PoolChange]], beat: () -> Void
  ) throws(SystemError) -> RestMeasurement? {
    guard !changes.isEmpty, Zswap.pools() > 0 else { return nil }
    var left = 0
    for pool in changes.flatMap({ $0.reversed() }) {
      try pool.apply()
      let began = MonotonicClock.milliseconds
      while Zswap.pools() > 1, MonotonicClock.milliseconds - began < limitMilliseconds {
        beat()
        MonotonicClock.sleep(milliseconds: 2)
      }
      left = max(left, Zswap.pools() - 1)
    }
    return RestMeasurement(
      name: "zswap pools beside the current one", expected: 0, observed: Int64(left))
  }

  /// Folios wait in per-CPU batches for their LRU list and pin their memcg. This
  /// drains them. A 4 beforehand keeps it from saying so on the console each time.
  static func drain() throws(SystemError) {
    try KernelFile.write("4", to: "/proc/sys/vm/drop_caches")
    try KernelFile.write("3", to: "/proc/sys/vm/drop_caches")
    // Not in 6.1, where compaction does.
    if !KernelTrait.has(.memcgLRU) {
      try? KernelFile.write("1", to: "/proc/sys/vm/compact_memory")
    }
  }

  private static func vmstat(_ key: String) throws(SystemError) -> Int64 {
    try KernelFile.value(of: key, in: "/proc/vmstat")
  }

  /// Objects of zswap's own slab cache. Shrinking it first empties per-CPU slabs
  /// and KASAN's quarantine, which count as live otherwise; that takes longer than
  /// all other figures together. None where the cache has no directory of its own
  /// (merged, or no CONFIG_SLUB_DEBUG).
  private static func measureEntries() -> [RestMeasurement] {
    let cache = "/sys/kernel/slab/zswap_entry"
    try? KernelFile.write("1", to: "\(cache)/shrink")
    guard let text = try? KernelFile.read("\(cache)/objects"),
      let total = text.split(separator: " ").first, let objects = Int64(total.trimmed)
    else { return [] }
    return [RestMeasurement(name: "slab zswap_entry objects", expected: 0, observed: objects)]
  }
}

/// What the kernel says of its own state.
enum KernelTaint {
  static func read() throws(SystemError) -> Int64 {
    try KernelFile.number("/proc/sys/kernel/tainted")
  }

  /// TAINT_DIE.
  static var hasOopsed: Bool { ((try? read()) ?? 0) & 1 << 7 != 0 }
}

/// The module's `lru` file.
struct LRUListing: Equatable {
  /// Of each memcg, over all nodes, by its cgroup's inode: the lists' own counts, or the
  /// entries that stand there, where those are more.
  var itemsOfMemcg: [UInt64: Int64] = [:]
  /// Over all memcgs and nodes; never 0 where one of them is not: an entry that was put on one
  /// list and taken off another leaves 1 and -1.
  var items: Int64 {
    let sum = itemsOfMemcg.values.reduce(0, +)
    return sum != 0 ? sum : itemsOfMemcg.values.reduce(0) { $0 + abs($1) }
  }
  /// Of each memcg, head first; empty where the module does not know the layout of
  /// the entries.
  var slotsOfMemcg: [UInt64: [Slot]] = [:]
  /// Over all nodes, as struct list_lru_node has them.
  var nodeItems: Int64 = 0

  /// Where a slot stands, on a guest of one node.
  func place(of slot: Slot, in memcg: UInt64) -> LRUPlace {
    LRUPlace(
      position: slotsOfMemcg[memcg]?.firstIndex(of: slot), length: Int(itemsOfMemcg[memcg] ?? 0))
  }

  init(_ text: String) {
    var current: UInt64?
    for line in text.split(separator: "\n") {
      if let current, let word = line.split(separator: " ").first, let slot = Slot(word) {
        slotsOfMemcg[current, default: []].append(slot)
        continue
      }
      var values: [Substring: Int64] = [:]
      for word in line.split(separator: " ") {
        let pair = word.split(separator: "=")
        if pair.count == 2 { values[pair[0]] = Int64(pair[1]) }
      }
      if let memcg = values["memcg"] {
        current = UInt64(memcg)
        itemsOfMemcg[UInt64(memcg), default: 0] += values["items"] ?? 0
      } else if let count = values["nr_items"] {
        nodeItems += count
      }
    }
    for (memcg, slots) in slotsOfMemcg {
      itemsOfMemcg[memcg] = max(itemsOfMemcg[memcg] ?? 0, Int64(slots.count))
    }
  }
}
