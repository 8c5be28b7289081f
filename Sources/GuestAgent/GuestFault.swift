import CLinux
import Glibc
import GuestWire

/// Misbehaviour on purpose, for the tests of the host: asked for on the kernel
/// command line as `zswap_harness.fault=NAME`, and done when the first trial
/// has started.
enum GuestFault: String {
  case panic, hang, poweroff, flood, lie, crash, bereave

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
    case .bereave:
      if clinux_fork() == 0 { Self.killPageHolder() }
    }
  }

  /// As a page that came back wrong may, in the middle of a stress.
  private static func killPageHolder() -> Never {
    while true {
      MonotonicClock.sleep(milliseconds: 1000)
      var pids: [String: pid_t] = [:]
      for name in (try? KernelFile.entries("/proc")) ?? [] {
        guard let pid = pid_t(name), let comm = try? KernelFile.read("/proc/\(pid)/comm") else {
          continue
        }
        pids[comm.trimmed] = pid
      }
      guard let holder = pids["page-holder"], pids["reclaim"] != nil else { continue }
      MonotonicClock.sleep(milliseconds: 500)
      kill(holder, SIGKILL)
      _exit(0)
    }
  }
}
