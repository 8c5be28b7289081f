import CLinux
import Glibc

/// Misbehaviour on purpose, for the tests of the host: asked for on the kernel
/// command line as `zswap_harness.fault=NAME`, and done when the first trial
/// has started.
enum GuestFault: String {
  case panic, hang, poweroff, flood, lie, crash

  func commit(_ channel: HostChannel) throws {
    switch self {
    case .panic:
      try KernelFile.write("1", to: "/proc/sys/kernel/sysrq")
      try KernelFile.write("c", to: "/proc/sysrq-trigger")
    case .hang:
      while true { pause() }
    case .poweroff:
      _ = clinux_power_off()
    case .flood:
      let line = String(repeating: "the guest floods the console ", count: 30)
      while true { try? KernelFile.write(line + "\n", to: "/dev/console") }
    case .lie:
      try channel.send(raw: [UInt8](repeating: 0x41, count: 4096))
      while true { pause() }
    case .crash:
      fatalError("asked for on the command line")
    }
  }
}
