public import GuestWire

/// What the harness needs of a kernel, checked against its configuration
/// before anything is booted.
public enum Preflight {
  /// One row of the table.
  public struct Requirement: Hashable, Sendable {
    /// Any one of them will do.
    public let options: [String]
    /// Whether a module is as good as built in.
    public let moduleWillDo: Bool
    /// An option with which the row does not count; nil: it always does.
    public let unless: String?
    /// What it is needed for.
    public let reason: String
    /// What a run is like without it; nil: there can be no run.
    public let price: String?
    /// Whether it has to be off instead.
    public var isUnwanted = false

    /// The line to add to the configuration.
    public var line: String {
      isUnwanted ? "# CONFIG_\(options[0]) is not set" : "CONFIG_\(options[0])=y"
    }

    /// - Parameter options: alternatives are parted by `|`.
    fileprivate static func needed(
      _ options: String, moduleWillDo: Bool = false, unless: String? = nil, _ reason: String
    ) -> Requirement {
      Requirement(
        options: options.split(separator: "|").map(String.init), moduleWillDo: moduleWillDo,
        unless: unless, reason: reason, price: nil)
    }

    /// With it there can be no run.
    fileprivate static func unwanted(_ option: String, _ reason: String) -> Requirement {
      Requirement(
        options: [option], moduleWillDo: false, unless: nil, reason: reason, price: nil,
        isUnwanted: true)
    }

    fileprivate static func wished(
      _ options: String, moduleWillDo: Bool = false, unless: String? = nil, _ reason: String,
      price: String
    ) -> Requirement {
      Requirement(
        options: options.split(separator: "|").map(String.init), moduleWillDo: moduleWillDo,
        unless: unless, reason: reason, price: price)
    }

    func isMet(by config: KernelConfig) -> Bool {
      if let unless, config[unless] == .yes { return true }
      if isUnwanted { return options.allSatisfy { config[$0] == .no } }
      return options.contains {
        config[$0] == .yes || (moduleWillDo && config[$0] == .module)
      }
    }
  }

  /// A requirement that the kernel does not meet, and what it has instead.
  public struct Miss: Hashable, Sendable, CustomStringConvertible {
    /// A row of ``Preflight/requirements``.
    public let requirement: Requirement
    /// Of the first of the row's options.
    public let actual: KernelConfig.Value
    /// There can be no run on this kernel.
    public var isFatal: Bool { requirement.price == nil }

    public var description: String {
      requirement.options.map { "CONFIG_\($0)" }.joined(separator: " or ") + " is \(summary)"
    }

    /// The description less the option's name.
    var summary: String {
      let start = "\(actual == .no ? "not set" : actual.description): "
      guard let price = requirement.price else {
        return start + "needed \(requirement.reason); add \(requirement.line)"
      }
      return start + "wanted \(requirement.reason); without it \(price); add \(requirement.line)"
    }
  }

  /// The table, the fatal rows first.
  public static let requirements: [Requirement] = [
    .needed("64BIT", "because guest agent and module are built for x86-64"),
    .needed("ZSWAP", "because zswap is what is tested"),
    .needed("SWAP", "because swapoff is half of the race"),
    .needed("MODULES", "to load zswap_hooks.ko"),
    .needed("MEMCG", "to press memory in a cgroup, and for zswap's LRU for each memcg"),
    .needed("BLK_DEV_INITRD", "to boot the guest image"),
    .needed("BINFMT_ELF", "to run the guest agent"),
    .needed("SERIAL_8250_CONSOLE", "to read the guest's console"),
    .needed("PRINTK", "to see the kernel's reports"),
    .needed("PROC_FS", "for /proc/swaps and /proc/vmstat"),
    .needed("SYSFS", "for zswap's parameters"),
    .needed("DEBUG_FS", "for the module's files and zswap's counters"),
    .needed("SHMEM", "for the guest's root file system"),
    .needed("VIRTIO_PCI|VIRTIO_MMIO", moduleWillDo: true, "for the guest's devices"),
    .needed("VIRTIO_BLK", moduleWillDo: true, "for the disk with the swapfile"),
    .needed("VIRTIO_CONSOLE", moduleWillDo: true, "for the channel between host and guest"),
    .needed("EXT4_FS", moduleWillDo: true, "for the file system with the swapfile"),
    .needed("ZSMALLOC|ZBUD|Z3FOLD", moduleWillDo: true, "for zswap's pool"),
    .needed("CRYPTO_LZO|CRYPTO_ZSTD|CRYPTO_LZ4", moduleWillDo: true, "to compress pages"),
    .needed("KALLSYMS", "because the module looks up what the kernel does not export"),
    .needed("KPROBES", "because the module finds kallsyms_lookup_name with a kprobe"),
    .needed(
      "DYNAMIC_FTRACE", unless: "ZSWAP_HOOKS",
      "to reach the hook points of a kernel without the patch series"),
    .needed(
      "KALLSYMS_ALL", unless: "ZSWAP_HOOKS",
      "to reach static data of a kernel without the patch series"),
    .unwanted("MODULE_SIG_FORCE", unsigned),
    .unwanted("LOCK_DOWN_KERNEL_FORCE_INTEGRITY", unsigned),
    .unwanted("LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY", unsigned),
    .unwanted(
      "PREEMPT_RT",
      "because the module's spinlocks would sleep there, below ftrace and below LRU locks"),
    .wished(
      "SMP", "to run both sides at once",
      price: "the sides alternate on one CPU, unordered races are rare, and no CPU can be taken "
        + "away, so that no run is a pass"),
    .wished(
      "KALLSYMS_ALL", "to read zswap's pools and LRUs",
      price: "the lru file of the module is empty and S6 is not exercised"),
    .wished(
      "DYNAMIC_FTRACE", "for points that the patch series lacks, and for the ftrace provider",
      price: "only the patch provider is there, without store@compressed and fail=pin (S8), so "
        + "that no run is a pass"),
    .wished("MODULE_UNLOAD", "to unload the module", price: "its removal is not tested"),
    .wished("DEVTMPFS", "for device nodes", price: "the agent makes them itself"),
    .wished(
      "KASAN", "to see uses of freed memory",
      price: "a use after free may go unnoticed, so that S1 and S5 hold only as far as data show"),
    .wished(
      "PROVE_LOCKING", "to see lock-order and RCU mistakes",
      price: "a deadlock is noticed only when it happens"),
    .wished(
      "DEBUG_LIST", "to see corrupted LRU lists",
      price: "a list broken by a lost race may go unnoticed"),
    .wished(
      "DETECT_HUNG_TASK", "to see the stacks of a stall",
      price: "a stall is seen by the agent's watchdog only"),
    .wished(
      "BLK_DEV_RAM", moduleWillDo: true, "for a synchronous swap device",
      price: "the schedules on SWP_SYNCHRONOUS_IO are not exercised, and no run is a pass"),
    .wished(
      "IKCONFIG", "to carry its configuration in the image",
      price: "the .config has to lie beside the image"),
  ]

  private static let unsigned =
    "because zswap_hooks.ko, which is not signed with this kernel's key, could not be loaded"

  /// Every requirement that is not met, the fatal ones first. One option is
  /// named once.
  public static func misses(_ config: KernelConfig) -> [Miss] {
    var named: Set<String> = []
    return requirements.filter { !$0.isMet(by: config) && named.insert($0.options[0]).inserted }
      .map { Miss(requirement: $0, actual: config[$0.options[0]]) }
  }

  /// A fragment that would complete the configuration, each line with its reason; empty
  /// where nothing is missing.
  public static func fragment(completing config: KernelConfig) -> String {
    misses(config).map { miss in
      let requirement = miss.requirement
      let why =
        requirement.price.map { "Wanted \(requirement.reason); without it \($0)." }
        ?? "Needed \(requirement.reason)."
      return "# \(why)\n\(requirement.line)\n"
    }
    .joined()
  }

  /// Refuses a kernel on which no run is possible, naming every option.
  public static func check(_ config: KernelConfig, kernel: String) throws(KernelError) {
    let fatal = misses(config).filter(\.isFatal)
    guard let first = fatal.first else { return }
    func names(_ unwanted: Bool) -> String? {
      let names = fatal.filter { $0.requirement.isUnwanted == unwanted }
        .map { "CONFIG_\($0.requirement.options[0])" }
      return names.isEmpty ? nil : names.joined(separator: ", ")
    }
    let problem = [names(false).map { "it lacks \($0)" }, names(true).map { "it has \($0)" }]
      .compactMap(\.self).joined(separator: "; ")
    throw KernelError(
      .config, "use kernel", kernel, problem,
      advice: "Add these lines and rebuild, or let `harness kernel build` make a kernel: "
        + fatal.map(\.requirement.line).joined(separator: " ")
        + (config.origin.map { "\n  (configuration: \($0))" } ?? ""),
      details: fatal.count == 1
        ? [first.requirement.reason]
        : fatal.map { "\($0.requirement.line): \($0.requirement.reason)" })
  }

  /// The ways in which the module can reach this kernel's hook points.
  public static func providers(_ config: KernelConfig) -> [Provider] {
    var providers: [Provider] = []
    if config["ZSWAP_HOOKS"] == .yes { providers.append(.patch) }
    if ["DYNAMIC_FTRACE", "KPROBES", "KALLSYMS_ALL"].allSatisfy({ config[$0] == .yes }) {
      providers.append(.ftrace)
    }
    return providers
  }
}
