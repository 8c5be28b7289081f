/// What options of a kernel cost the guest that runs it. A row for each that costs
/// anything; of several the largest counts.
struct KernelCost: Hashable, Sendable {
  /// The guest's memory at the least.
  var memoryMiB = 0
  /// By how much it is slower than a plain kernel, which limits are multiplied by.
  var slowness = 1

  private static let rows: [(option: String, cost: KernelCost)] = [
    // Shadow and quarantine.
    ("KASAN", KernelCost(memoryMiB: 1024)),
    // Each access a call, and now and then a wait.
    ("KCSAN", KernelCost(memoryMiB: 1024, slowness: 4)),
    ("KMSAN", KernelCost(memoryMiB: 2048, slowness: 4)),
    ("PROVE_LOCKING", KernelCost(memoryMiB: 1024)),
    // An object for each object, and all memory read in a scan.
    ("DEBUG_KMEMLEAK", KernelCost(memoryMiB: 1024, slowness: 2)),
  ]

  init(memoryMiB: Int = 0, slowness: Int = 1) {
    self.memoryMiB = memoryMiB
    self.slowness = slowness
  }

  init(of config: KernelConfig) {
    for row in Self.rows where config[row.option] == .yes {
      memoryMiB = max(memoryMiB, row.cost.memoryMiB)
      slowness = max(slowness, row.cost.slowness)
    }
  }
}
