import CLinux
import Glibc
import LibMount
import SystemPackage

/// PID 1: mounts, runs the worker as a child, reaps, and powers off.
///
/// It does nothing that can fail in an interesting way, so that a crash of the
/// agent is a line on the console and not "Attempted to kill init".
struct Supervisor {
  let identity: GuestIdentity

  private static let mounts = [
    Mount(source: "sysfs", target: "/sys", type: "sysfs"),
    Mount(source: "devtmpfs", target: "/dev", type: "devtmpfs"),
    Mount(source: "debugfs", target: "/sys/kernel/debug", type: "debugfs"),
    Mount(source: "cgroup2", target: "/sys/fs/cgroup", type: "cgroup2"),
    Mount(source: "tmpfs", target: "/tmp", type: "tmpfs"),
  ]

  func run() -> Never {
    Self.keepPagesInMemory()
    for mount in Self.mounts {
      do {
        try mount.mount()
      } catch {
        // devtmpfs may be there already (CONFIG_DEVTMPFS_MOUNT). What is really
        // missing, the worker finds missing and says so to the host.
        if error.errno != .resourceBusy { print("guest-agent: \(error)") }
      }
    }
    let worker = clinux_fork()
    guard worker >= 0 else { powerOff(because: SystemError.last("fork", "the worker")) }
    if worker == 0 { Worker.run(identity: identity) }
    print("guest-agent: worker is \(worker)")
    while true {
      var status: Int32 = 0
      let pid = wait(&status)
      if pid == worker {
        if status != 0 { print("guest-agent: worker ended with status \(status)") }
        powerOff(because: nil)
      }
      if pid < 0, errno == ECHILD { powerOff(because: SystemError.last("wait for", "the worker")) }
    }
  }

  /// Keeps this process's pages from swap: a kernel that spoils what it swaps is to spoil the
  /// pages under test, not who tells of it. What is forked later does not inherit it.
  static func keepPagesInMemory() {
    if mlockall(MCL_CURRENT | MCL_FUTURE) != 0 {
      print("guest-agent: \(SystemError.last("lock", "the agent's pages"))")
    }
  }

  private func powerOff(because error: SystemError?) -> Never {
    if let error { print("guest-agent: \(error)") }
    _ = clinux_power_off()
    while true { pause() }
  }
}
