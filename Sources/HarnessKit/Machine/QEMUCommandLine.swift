import Foundation

/// QEMU's arguments for one guest. Pure: what it starts with is all here.
struct QEMUCommandLine: Hashable, Sendable {
  /// What executes the guest's instructions.
  enum Acceleration: String, Hashable, Sendable, Codable {
    case tcg
    case kvm
  }

  /// The name of the virtio-serial port that the agent reports through.
  static let resultsPort = "org.zswap_harness.0"

  /// Descriptors in QEMU. Its console is standard output.
  enum Descriptor {
    static let qmp: Int32 = 3
    static let results: Int32 = 4
    static let memory: Int32 = 5
  }

  /// What the guest begins with.
  enum Start: Hashable, Sendable {
    case boot
    /// A boot whose memory is a file in memory, so that the guest can be saved.
    case savableBoot
    /// A saved guest. Its memory is mapped privately: what the guest writes is
    /// its own, and what it does not touch is never read.
    case saved(memory: String)
  }

  var machine: Machine
  var acceleration: Acceleration
  var kernel: String
  var initramfs: String
  /// The raw image behind the guest's /dev/vda.
  var disk: String
  /// 32 hexadecimal digits, which the agent has to repeat.
  var token: String
  var memoryMiB: Int
  var cpus: Int
  /// The host's TSC frequency, where it is known.
  var tscKHz: Int?
  /// The caller's words, at the end, where they win.
  var extraKernelWords: [String]
  var start = Start.boot

  init(
    machine: Machine, acceleration: Acceleration, kernel: String, initramfs: String, disk: String,
    token: String, memoryMiB: Int? = nil, cpus: Int? = nil, tscKHz: Int? = nil,
    extraKernelWords: [String] = []
  ) {
    self.machine = machine
    self.acceleration = acceleration
    self.kernel = kernel
    self.initramfs = initramfs
    self.disk = disk
    self.token = token
    self.memoryMiB = memoryMiB ?? machine.memoryMiB
    self.cpus = cpus ?? machine.cpus
    self.tscKHz = tscKHz
    self.extraKernelWords = extraKernelWords
  }

  /// The guest kernel's command line.
  var kernelCommandLine: String {
    var words = [
      "console=ttyS0", "loglevel=7",
      // A panic is a reset, at which QEMU ends (-no-reboot). An oops is not a
      // panic: the agent goes on and says what it saw.
      "panic=-1", "hung_task_panic=0",
      // Every report, not the first alone; each cache its own, so that a
      // report names it.
      "kasan_multi_shot", "slab_nomerge",
      "zswap.enabled=1",
      // Nothing here defends against the guest's own programs.
      "mitigations=off", "ibt=off", "nokaslr", "audit=0",
    ]
    for word in machine.kernelWords + (acceleration == .tcg ? machine.emulatedKernelWords : []) {
      if !word.contains("{tscKHz}") {
        words.append(word)
      } else if let tscKHz {
        words.append(word.replacingOccurrences(of: "{tscKHz}", with: String(tscKHz)))
      }
    }
    words.append("zswap_harness.token=\(token)")
    return (words + extraKernelWords).joined(separator: " ")
  }

  /// Everything after QEMU's name.
  var arguments: [String] {
    let device = machine.transport == .pci ? "pci" : "device"
    var list = [
      "-name", "zswap-harness", "-nodefaults", "-no-user-config", "-no-reboot",
      "-display", "none", "-nic", "none",
      "-M", machine.machine + (start == .boot ? "" : ",memory-backend=memory"),
    ]
    switch acceleration {
    case .tcg: list += ["-accel", "tcg,thread=multi", "-cpu", machine.cpu.tcg]
    case .kvm: list += ["-accel", "kvm", "-cpu", machine.cpu.kvm]
    }
    list += [
      "-smp", String(cpus), "-m", "\(memoryMiB)M",
      "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
      "-chardev", "socket,id=qmp,fd=\(Descriptor.qmp)", "-mon", "chardev=qmp,mode=control",
      "-chardev", "socket,id=results,fd=\(Descriptor.results)",
      "-device", "virtio-serial-\(device),max_ports=2",
      "-device", "virtserialport,chardev=results,name=\(Self.resultsPort)",
      // An error of the host's disk is not to reach the guest: it would be swap's.
      "-drive",
      "if=none,id=disk,format=raw,cache=unsafe,werror=stop,rerror=stop,"
        + "file=\(Self.escaped(disk))",
      "-device", "virtio-blk-\(device),drive=disk",
    ]
    list += machine.arguments
    list += memoryArguments
    list += ["-kernel", kernel, "-initrd", initramfs, "-append", kernelCommandLine]
    return list
  }

  private var memoryArguments: [String] {
    let object = "memory-backend-file,id=memory,size=\(memoryMiB)M"
    return switch start {
    case .boot: []
    case .savableBoot:
      ["-object", "\(object),share=on,mem-path=/proc/self/fd/\(Descriptor.memory)"]
    case .saved(let memory):
      ["-object", "\(object),share=off,mem-path=\(Self.escaped(memory))", "-incoming", "defer"]
    }
  }

  /// All that a saved guest depends on but the files: these stand here by name,
  /// and are known by their contents. The token is saved with the guest. The
  /// TSC's frequency is a measurement, another one each time; the host's CPU
  /// stands for it.
  var identity: String {
    var line = self
    line.kernel = ""
    line.initramfs = ""
    line.disk = ""
    line.token = ""
    line.tscKHz = nil
    line.start = .savableBoot
    return line.arguments.joined(separator: "\n")
  }

  /// QEMU's option syntax doubles a comma within a value.
  static func escaped(_ value: String) -> String {
    value.replacingOccurrences(of: ",", with: ",,")
  }
}
