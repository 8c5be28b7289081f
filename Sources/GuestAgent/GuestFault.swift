import CLinux
import Glibc
import GuestWire

/// Misbehaviour on purpose, for the tests of the host: asked for on the kernel
/// command line as `zswap_harness.fault=NAME`, and done when the first trial
/// has started.
enum GuestFault: String {
  case panic, hang, poweroff, flood, lie, crash, bereave, orphan

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
      if clinux_fork() == 0 {
        // In the middle of a stress.
        Self.killPageHolder { _ in Self.pid(of: "reclaim") != nil }
      }
    case .orphan:
      if clinux_fork() == 0 {
        // As soon as it is in the trial's memcg, before it has filled its pages.
        Self.killPageHolder {
          ((try? KernelFile.read("/proc/\($0)/cgroup")) ?? "").contains("/trial-")
        }
      }
    }
  }

  /// As a page that came back wrong may.
  private static func killPageHolder(when isTime: (pid_t) -> Bool) -> Never {
    while true {
      if let holder = pid(of: "page-holder"), isTime(holder) {
        kill(holder, SIGKILL)
        _exit(0)
      }
      MonotonicClock.sleep(milliseconds: 1)
    }
  }

  private static func pid(of name: String) -> pid_t? {
    ((try? KernelFile.entries("/proc")) ?? []).lazy.compactMap { pid_t($0) }.first {
      (try? KernelFile.read("/proc/\($0)/comm"))?.trimmed == name
    }
  }
}
