import GuestWire

/// The figures that a sound kernel brings back to where they were, once the
/// pages' owner has exited and swap is off.
struct RestProbe {
  private let taint: Int64
  private let dying: Int64
  private let zswpwb: Int64
  private let writtenBack: Int64
  private let isStress: Bool

  /// Takes the figures that are compared with later ones.
  init(isStress: Bool) throws(SystemError) {
    self.isStress = isStress
    taint = try Self.taint()
    dying = try ControlGroup.dyingDescendants()
    zswpwb = try Self.vmstat("zswpwb")
    writtenBack = try Zswap.counter("written_back_pages")
  }

  /// How long a figure may take to come to rest: frees go through RCU, work
  /// items and per-CPU caches.
  private static let limitMilliseconds: UInt64 = 20_000

  /// What was measured, and why no more was.
  struct Result {
    var measurements: [RestMeasurement]
    var skipped: String?
  }

  /// Measures until everything is as expected, or gives what there is at the
  /// limit. A kernel that has become tainted does not come to rest, and what it
  /// leaves lying about is no finding of its own.
  ///
  /// - Parameter memcg: what the trial's memcg had when it was removed.
  func settle(_ memcg: [RestMeasurement]) throws(SystemError) -> Result {
    let began = MonotonicClock.milliseconds
    while true {
      let now = RestMeasurement(name: "kernel taint", expected: taint, observed: try Self.taint())
      if now.observed != now.expected {
        return Result(measurements: [now], skipped: "the kernel has become tainted")
      }
      let measurements = try memcg + [now] + measure()
      let settled = measurements.allSatisfy { $0.observed == $0.expected || Self.isNote($0) }
      let late = MonotonicClock.milliseconds - began > Self.limitMilliseconds
      if settled || late { return Result(measurements: measurements, skipped: nil) }
      try Self.drain()
      MonotonicClock.sleep(milliseconds: 20)
    }
  }

  /// Written as a note and not waited for: see `nodeItems`.
  private static func isNote(_ measurement: RestMeasurement) -> Bool {
    measurement.name == nodeItems
  }

  /// list_lru_del() and __list_lru_walk_one() both decrement it for an entry
  /// written back, so that it drifts on sound kernels too. Nobody in zswap reads
  /// it.
  private static let nodeItems = "list_lru_node.nr_items"

  /// The memcg's own figures, when its tasks have gone and swap is off.
  static func settle(_ group: ControlGroup) throws(SystemError) -> [RestMeasurement] {
    // Gives back what per-CPU stocks have charged ahead, and the last pages.
    try group.set("memory.high", "0")
    let began = MonotonicClock.milliseconds
    while true {
      // Less than a page of bytes charged ahead for objects stays with the
      // obj_cgroup until the memcg goes offline: obj_cgroup_release().
      let current = max(0, try group.number("memory.current") - Int64(PageStamp.size))
      let measurements = [
        RestMeasurement(
          name: "memory.zswap.current", expected: 0,
          observed: try group.number("memory.zswap.current")),
        RestMeasurement(
          name: "memory.swap.current", expected: 0,
          observed: try group.number("memory.swap.current")),
        RestMeasurement(
          name: "memory.current beyond one page", expected: 0, observed: current),
      ]
      let late = MonotonicClock.milliseconds - began > limitMilliseconds
      if late || measurements.allSatisfy({ $0.observed == 0 }) { return measurements }
      try Self.drain()
      MonotonicClock.sleep(milliseconds: 20)
    }
  }

  private func measure() throws(SystemError) -> [RestMeasurement] {
    var rest: [RestMeasurement] = []
    func expect(_ name: String, _ expected: Int64, _ observed: Int64) {
      rest.append(RestMeasurement(name: name, expected: expected, observed: observed))
    }
    expect("swap areas in use", 0, Int64(try Swapfile.areasInUse()))
    expect("zswap stored_pages", 0, try Zswap.counter("stored_pages"))
    expect("zswap pool_total_size", 0, try Zswap.counter("pool_total_size"))
    let lru = LRUListing(try HooksModule.read("lru"))
    expect("list_lru_count_one over all memcgs and nodes", 0, lru.items)
    expect("nr_dying_descendants", dying, try ControlGroup.dyingDescendants())
    let drift =
      try Self.vmstat("zswpwb") - zswpwb - (Zswap.counter("written_back_pages") - writtenBack)
    // written_back_pages is incremented without a lock: several writers at once
    // lose some, and only some more of it than of zswpwb cannot be.
    expect("vmstat zswpwb less zswap written_back_pages", 0, isStress ? min(drift, 0) : drift)
    if let objects = Self.liveEntries() { expect("slab zswap_entry objects", 0, objects) }
    expect(Self.nodeItems, 0, lru.nodeItems)
    return rest
  }

  /// Folios wait in per-CPU batches for their LRU list and pin their memcg. This
  /// drains them. A 4 beforehand keeps it from saying so on the console each time.
  private static func drain() throws(SystemError) {
    try KernelFile.write("4", to: "/proc/sys/vm/drop_caches")
    try KernelFile.write("3", to: "/proc/sys/vm/drop_caches")
  }

  private static func vmstat(_ key: String) throws(SystemError) -> Int64 {
    try KernelFile.value(of: key, in: "/proc/vmstat")
  }

  private static func taint() throws(SystemError) -> Int64 {
    try KernelFile.number("/proc/sys/kernel/tainted")
  }

  /// Objects of zswap's own slab cache. Shrinking it first empties per-CPU slabs
  /// and KASAN's quarantine, which count as live otherwise. Nil where the cache
  /// has no directory of its own (merged, or no CONFIG_SLUB_DEBUG).
  private static func liveEntries() -> Int64? {
    let cache = "/sys/kernel/slab/zswap_entry"
    try? KernelFile.write("1", to: "\(cache)/shrink")
    guard let text = try? KernelFile.read("\(cache)/objects"),
      let total = text.split(separator: " ").first
    else { return nil }
    return Int64(total.trimmed)
  }
}

/// The counts of the module's `lru` file.
struct LRUListing: Equatable {
  /// Of each memcg, over all nodes, by its cgroup's inode.
  var itemsOfMemcg: [UInt64: Int64] = [:]
  /// Over all memcgs and nodes.
  var items: Int64 { itemsOfMemcg.values.reduce(0, +) }
  /// Over all nodes, as struct list_lru_node has them.
  var nodeItems: Int64 = 0

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      var values: [Substring: Int64] = [:]
      for word in line.split(separator: " ") {
        let pair = word.split(separator: "=")
        if pair.count == 2 { values[pair[0]] = Int64(pair[1]) }
      }
      if let memcg = values["memcg"] {
        itemsOfMemcg[UInt64(memcg), default: 0] += values["items"] ?? 0
      } else if let count = values["nr_items"] {
        nodeItems += count
      }
    }
  }
}
