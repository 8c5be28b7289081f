import CLinux
import Glibc
import GuestWire
import SystemPackage

/// One activity of a trial, in a process of its own: an oops kills the task that
/// oopses, and that must not be the worker.
final class ActorProcess {
  let name: String
  let pid: pid_t
  private let go: Int32
  private var status: Int32?

  /// Forks the process; it does nothing until `start()`. The worker has one
  /// thread, so the child may go on in Swift.
  ///
  /// - Parameter body: gives an errno, 0 for success; it is the exit status.
  init(_ name: String, body: () -> Int32) throws(SystemError) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw .last("make a pipe for", name) }
    let child = clinux_fork()
    guard child >= 0 else { throw .last("fork", name) }
    if child == 0 {
      // The other end closes with the worker: no actor outlives it unstarted.
      close(ends[1])
      var byte: UInt8 = 0
      guard read(ends[0], &byte, 1) == 1 else { _exit(0) }
      try? KernelFile.write(name, to: "/proc/self/comm")
      _exit(body())
    }
    close(ends[0])
    self.name = name
    pid = child
    go = ends[1]
  }

  deinit { close(go) }

  func start() {
    var byte: UInt8 = 1
    _ = write(go, &byte, 1)
  }

  /// How it ended, or nil while it has not.
  func poll() -> ActorReport.End? {
    if status == nil {
      var raw: Int32 = 0
      if waitpid(pid, &raw, WNOHANG) == pid { status = raw }
    }
    guard let status else { return nil }
    // WIFEXITED and its kin are macros.
    let signal = status & 0x7F
    return signal == 0 ? .returned(errno: (status >> 8) & 0xFF) : .signalled(signal)
  }

  func report(_ end: ActorReport.End) -> ActorReport {
    ActorReport(name: name, pid: Int(pid), end: end)
  }
}

/// Ends a wait for processes that have stopped making progress.
///
/// Progress is any context switch or tick of any of them; there is an overall
/// limit too, for a loop in the kernel that is all ticks and no end.
struct Watchdog {
  static let stallMilliseconds: UInt64 = 30_000
  static let limitMilliseconds: UInt64 = 240_000

  private let began = MonotonicClock.milliseconds
  private var changed = MonotonicClock.milliseconds
  private var last: [pid_t: ProcessProbe] = [:]

  /// True if the processes have been standing still for too long.
  mutating func isStalled(_ pids: [pid_t]) -> Bool {
    let now = MonotonicClock.milliseconds
    var probes: [pid_t: ProcessProbe] = [:]
    for pid in pids { probes[pid] = ProcessProbe(pid) }
    if probes != last {
      last = probes
      changed = now
    }
    return now - changed > Self.stallMilliseconds || now - began > Self.limitMilliseconds
  }
}
