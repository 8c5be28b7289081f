import Foundation
import GuestWire
import Kmod
import SystemPackage

/// All that stands before the first boot: the kernel looked at, its module and
/// the agent built, the guest's images made, the accelerator chosen.
struct RunPreparation {
  let run: HarnessRun
  /// The run's folder, absolute.
  let folder: String

  /// The disk's size: a swapfile and room to spare.
  static let diskMebibytes = 128

  struct Prepared: Sendable {
    var specs: [TrialSpec]
    var commandLine: QEMUCommandLine
    var qemu: String
    var jobs: Int
    /// See `KernelCost`.
    var slowness: Int
    var hasKmemleak: Bool
    /// Of the saved guest; nil where none is wanted.
    var snapshotKey: String?
    var kernelRecord: RunRecord.Kernel
    var moduleRecord: RunRecord.Module
    var machineRecord: RunRecord.Machine
    /// Of the kernel, where there is one.
    var buildTree: FilePath?
    /// Likewise.
    var vmlinux: FilePath?
    var notes: [String]
  }

  func prepare() async throws -> Prepared {
    let request = run.request
    let progress = run.progress
    let guestCache = run.cache.root.appending("guest")
    try SharedDirectory.make(guestCache)
    let caches = URL(filePath: guestCache.string)

    guard let qemu = Tool.locate("qemu-system-x86_64") else {
      throw HarnessFailure(
        .harness, "there is no qemu-system-x86_64 here: apt-get install qemu-system-x86")
    }
    progress.phase("reading the kernel")
    let kernel = try await Kernel.resolve(
      request.kernel, parts: request.kernelParts, cache: run.cache)
    try Preflight.check(kernel.config, kernel: kernel.image.string)
    let zswap = try ZswapParameters(compressor: request.compressor, zpool: request.zpool)
      .kernelWords(for: kernel.config)
    let cost = KernelCost(of: kernel.config)
    let all = try trials(kernel.providers, kernel.zswapLRU, slowness: cost.slowness)
    let specs = request.part?.trials(of: all) ?? all
    guard !specs.isEmpty else {
      throw HarnessFailure(
        .usage,
        "part \(request.part?.description ?? "1/1") has no trial: there are \(all.count) in all")
    }

    progress.phase("building the module for \(kernel.release)")
    let module = try await ModuleBuild(checkout: run.checkout, cache: run.cache)
      .module(for: kernel, prebuilt: request.module.map { FilePath($0) })
    progress.phase("building the guest agent")
    let agent = try await GuestAgentBuild(root: URL(filePath: run.checkout.root.string))
      .executable(cache: caches) { progress.update("compiling the guest agent") }
    var programs: [Initramfs.Program] = []
    for workload in Workload.allCases where specs.contains(where: { $0.workload == workload }) {
      guard let place = workload.program else { continue }
      progress.phase("getting \(workload.rawValue)")
      programs.append(
        Initramfs.Program(
          source: try await WorkloadProgram(workload).path(cache: run.cache), destination: place))
    }
    progress.phase("making the initramfs")
    let initramfs = try await Initramfs(
      agent: agent,
      modules: kernel.modulesDirectory.map { ModuleDirectory(path: URL(filePath: $0.string)) },
      hooksModule: module.string, programs: programs
    ).image(cache: caches)

    let machine = try Machine.named(
      request.machine, in: URL(filePath: run.checkout.root.appending("qemu/machines").string))
    var commandLine = QEMUCommandLine(
      machine: machine, acceleration: .tcg, kernel: kernel.image.string,
      initramfs: initramfs.path, disk: "\(folder)/disk.img",
      token: Self.newToken(),
      memoryMiB: request.memoryMiB ?? max(machine.memoryMiB, cost.memoryMiB),
      cpus: request.cpus, tscKHz: HostTSC.kilohertz(), extraKernelWords: request.kernelWords + zswap
    )
    try await DiskImage.create(at: commandLine.disk, mebibytes: Self.diskMebibytes)
    progress.phase("choosing the accelerator")
    let decision = try await AcceleratorProbe(cache: caches, qemu: qemu.string)
      .decide(request.accelerator, for: commandLine)
    commandLine.acceleration = decision.acceleration

    let kernelSum = try await ContentHash.of(file: kernel.image)
    let qemuVersion = try await Self.version(of: qemu)
    var snapshotKey: String?
    if request.snapshot {
      snapshotKey = try await Snapshot.key(
        commandLine, kernel: kernelSum, initramfs: initramfs.key,
        disk: "\(Self.diskMebibytes) MiB \(DiskImage.features)", qemu: qemuVersion,
        hostCPU: Snapshot.hostCPU())
    }

    return Prepared(
      specs: specs, commandLine: commandLine, qemu: qemu.string,
      jobs: min(specs.count, request.jobs ?? Self.defaultJobs(for: commandLine)),
      slowness: cost.slowness, hasKmemleak: kernel.config["DEBUG_KMEMLEAK"] == .yes,
      snapshotKey: snapshotKey,
      kernelRecord: .init(
        path: kernel.image.string, release: kernel.release,
        sha256: kernelSum,
        configOrigin: kernel.config.origin?.description, zswapLRU: kernel.zswapLRU,
        name: request.kernel?.debianName),
      moduleRecord: .init(
        path: module.string, vermagic: kernel.vermagic.description,
        sha256: try await ContentHash.of(files: [module.string]).first),
      machineRecord: .init(
        name: machine.name, cpus: commandLine.cpus, memoryMiB: commandLine.memoryMiB,
        accelerator: decision.acceleration.rawValue,
        qemuVersion: qemuVersion),
      buildTree: kernel.buildTree, vmlinux: kernel.vmlinux,
      notes: [decision.reason]
        + (request.part.map { ["part \($0): \(specs.count) of \(all.count) trials"] } ?? [])
        + Preflight.misses(kernel.config).map(\.description))
  }

  /// As many guests as have a CPU of the host for each of theirs, and fit into the
  /// memory that is free: more of them make each trial slower, and no run faster.
  private static func defaultJobs(for commandLine: QEMUCommandLine) -> Int {
    let byCPUs = ProcessInfo.processInfo.activeProcessorCount / commandLine.cpus
    // QEMU's own, translated code above all, comes to some hundred MiB.
    let byMemory = HostMemory.availableMiB().map { $0 / (commandLine.memoryMiB + 512) } ?? byCPUs
    return max(1, min(byCPUs, byMemory))
  }

  /// Each scenario under each provider, one provider after the other: loading
  /// the module anew is what takes time.
  private func trials(
    _ available: [Provider], _ lru: ZswapLRU, slowness: Int
  ) throws -> [TrialSpec] {
    let request = run.request
    let providers = request.providers ?? available
    if let missing = providers.first(where: { !available.contains($0) }) {
      throw HarnessFailure(
        .kernelUnusable,
        missing == .patch
          ? "this kernel has no compiled-in hook points: CONFIG_ZSWAP_HOOKS=y, with the patches "
            + "of qemu/kernel"
          : "this kernel's functions cannot be redirected: CONFIG_DYNAMIC_FTRACE=y, "
            + "CONFIG_KPROBES=y and CONFIG_KALLSYMS_ALL=y")
    }
    guard !providers.isEmpty else {
      throw HarnessFailure(
        .kernelUnusable,
        "no provider reaches this kernel's hook points: either CONFIG_DYNAMIC_FTRACE=y, "
          + "CONFIG_KPROBES=y and CONFIG_KALLSYMS_ALL=y, or CONFIG_ZSWAP_HOOKS=y with the patches "
          + "of qemu/kernel")
    }
    var specs: [TrialSpec] = []
    for provider in providers {
      for scenario in request.scenarios where scenario.usesHooks || provider == providers[0] {
        specs += scenario.trials(
          startingAt: specs.count, provider: provider, seed: request.seed, pages: request.pages,
          holdTimeoutMilliseconds: request.holdTimeoutMilliseconds * slowness,
          stressSeconds: request.stressSeconds, lru: lru)
      }
    }
    return specs
  }

  /// 32 hexadecimal digits that no other guest has.
  private static func newToken() -> String {
    var generator = SystemRandomNumberGenerator()
    return (0..<32).map { _ in String(generator.next(upperBound: UInt8(16)), radix: 16) }.joined()
  }

  private static func version(of qemu: FilePath) async throws -> String {
    let line = try await Tool(qemu.string).run(["--version"]).lines.first ?? ""
    return line.replacing("QEMU emulator version ", with: "")
  }
}
