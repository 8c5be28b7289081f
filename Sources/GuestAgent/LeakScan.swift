import Glibc
import GuestWire

/// kmemleak, where the kernel has it: what nothing points to any more when all is at rest.
enum LeakScan {
  private static let file = "/sys/kernel/debug/kmemleak"
  /// Younger objects are not reported (MSECS_MIN_AGE): their pointer may be in a register.
  private static let ageMilliseconds: UInt64 = 6000

  static var isThere: Bool { KernelFile.exists(file) }

  /// Forgets what the boot has left behind, and ends the kernel's own scans.
  static func begin() {
    guard isThere else { return }
    // Where it is off, it says so when it is asked at the end.
    for command in ["scan=off", "scan", "scan", "clear"] {
      try? KernelFile.write(command, to: file)
    }
  }

  /// The objects that two scans in a row have not found a pointer to, as the kernel lists
  /// them. The first scan only learns what an object holds: one that changes is in use.
  static func leaks(beat: () -> Void) -> LeakReport {
    let began = MonotonicClock.milliseconds
    while MonotonicClock.milliseconds - began < ageMilliseconds {
      beat()
      MonotonicClock.sleep(milliseconds: 50)
    }
    do throws(SystemError) {
      for _ in 0..<2 {
        try KernelFile.write("scan", to: file)
        beat()
      }
      guard !(try KernelFile.bytes(of: file)).isEmpty else { return LeakReport(text: "") }
      // A pointer on its way from one place to another is missed by one scan, and not by two.
      try KernelFile.write("scan", to: file)
      return LeakReport(text: String(try KernelFile.read(file).prefix(LeakReport.limit)))
    } catch {
      // It switches itself off when it runs out of memory for its own objects.
      return LeakReport(text: "", problem: "\(error)")
    }
  }
}
