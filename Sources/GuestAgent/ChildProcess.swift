import CLinux
import Glibc
import GuestWire
import SystemPackage

/// A child of the worker that waits for commands: an oops kills the task that
/// oopses, and that must not be the worker.
///
/// The worker has one thread, so a forked child may go on in Swift.
final class ChildProcess {
  /// One command: what to do, in the terms of the child's own loop.
  struct Command {
    var kind: Int64
    var first: Int64 = 0
    var second: Int64 = 0
    var third: Int64 = 0
    /// Index in `ActorName.all` of the actor that it acts as, or -1.
    var actor: Int64 = -1
  }

  /// The child's side.
  struct Station {
    fileprivate let commands: Int32
    fileprivate let replies: Int32

    /// The next command, or nil once the worker is gone.
    func receive() -> Command? {
      var command = Command(kind: 0)
      let count = read(commands, &command, MemoryLayout<Command>.size)
      return count == MemoryLayout<Command>.size ? command : nil
    }

    func reply(_ errno: Int32) {
      var value = errno
      _ = write(replies, &value, 4)
    }
  }

  let name: String
  let pid: pid_t
  private let commands: Int32
  private let replies: Int32
  private var status: Int32?
  private var answer: Int32?
  /// A wait for it has been given up.
  private var isStuck = false

  init(_ name: String, body: (Station) -> Never) throws(SystemError) {
    var down: [Int32] = [0, 0]
    var up: [Int32] = [0, 0]
    guard pipe(&down) == 0, pipe(&up) == 0 else { throw .last("make a pipe for", name) }
    let child = clinux_fork()
    guard child >= 0 else { throw .last("fork", name) }
    if child == 0 {
      // The other ends close with the worker: no child outlives it.
      close(down[1])
      close(up[0])
      try? KernelFile.write(name, to: "/proc/self/comm")
      body(Station(commands: down[0], replies: up[1]))
    }
    close(down[0])
    close(up[1])
    self.name = name
    pid = child
    commands = down[1]
    replies = up[0]
  }

  deinit {
    close(commands)
    close(replies)
  }

  func send(_ command: Command) throws(SystemError) {
    var command = command
    answer = nil
    let size = MemoryLayout<Command>.size
    guard write(commands, &command, size) == size else {
      let failure = SystemError.last("command", name)
      // Its files are closed a moment before it can be waited for.
      for _ in 0..<1000 where ending == nil { MonotonicClock.sleep(milliseconds: 1) }
      throw failure
    }
  }

  /// How the last command went, or how the process ended before it did; nil
  /// while it is under way.
  func poll(milliseconds: Int32 = 0) -> ActorReport.End? {
    if answer == nil {
      var descriptor = pollfd(fd: replies, events: Int16(POLLIN), revents: 0)
      if Glibc.poll(&descriptor, 1, milliseconds) > 0, descriptor.revents & Int16(POLLIN) != 0 {
        var value: Int32 = 0
        if read(replies, &value, 4) == 4 { answer = value }
      }
    }
    if let answer { return .returned(errno: answer) }
    return ending
  }

  /// How the process ended, or nil while it lives.
  var ending: ActorReport.End? {
    if status == nil {
      var raw: Int32 = 0
      if waitpid(pid, &raw, WNOHANG) == pid { status = raw }
    }
    guard let status else { return nil }
    // WIFEXITED and its kin are macros.
    let signal = status & 0x7F
    return signal == 0 ? .returned(errno: (status >> 8) & 0xFF) : .signalled(signal)
  }

  /// Sends a command and waits for its errno.
  func order(_ command: Command, beat: () -> Void) throws(SystemError) -> Int32 {
    try send(command)
    var watchdog = Watchdog()
    while true {
      switch poll(milliseconds: 20) {
      case .returned(let errno) where answer != nil: return errno
      case .returned, .signalled, .stalled:
        throw SystemError(operation: "command", object: name, errno: .noSuchProcess)
      case nil: break
      }
      beat()
      if watchdog.isStalled([pid]) { throw giveUp() }
    }
  }

  /// It stands still, and is waited for no more.
  func giveUp() -> SystemError {
    isStuck = true
    return SystemError(operation: "wait for", object: name, errno: .timedOut)
  }

  /// What became of it, for the report.
  func report(as name: String) -> ActorReport {
    ActorReport(name: name, pid: Int(pid), end: poll() ?? whereItStands)
  }

  /// The same, if it was killed or stands still. One that waits for its next command does
  /// neither.
  var badReport: ActorReport? {
    switch ending {
    case .returned: nil
    case .some(let end): ActorReport(name: name, pid: Int(pid), end: end)
    case nil: isStuck ? ActorReport(name: name, pid: Int(pid), end: whereItStands) : nil
    }
  }

  private var whereItStands: ActorReport.End {
    .stalled(wchan: ProcessProbe(pid)?.wchan ?? "?", stack: ProcessProbe.stack(pid))
  }
}

/// The actors that a schedule can name.
enum ActorName {
  static let all = [
    "writeback", "shrinker", "swapoff", "invalidate", "load", "store", "pool", "memcg", "cpu",
    "fork",
  ]

  static func index(_ name: String) -> Int64 { Int64(all.firstIndex(of: name) ?? -1) }

  /// Runs what an actor does between its two marks, under its name.
  ///
  /// - Parameter body: its result, as of a system call: negative for an errno.
  /// - Returns: an errno, 0 for success.
  static func act(_ index: Int64, _ body: () -> Int32) -> Int32 {
    guard all.indices.contains(Int(index)) else { return max(0, -body()) }
    let name = all[Int(index)]
    try? KernelFile.write(name, to: "/proc/self/comm")
    // swapoff has a point of the kernel's at its begin.
    if name != "swapoff" { HooksModule.mark("\(name)@begin", 0) }
    let result = body()
    HooksModule.mark("\(name)@end", result)
    return max(0, -result)
  }
}

/// Ends a wait for processes that have stopped making progress.
///
/// Progress is any context switch or tick of any of them; there is an overall
/// limit too, for a loop in the kernel that is all ticks and no end.
struct Watchdog {
  static let stallMilliseconds: UInt64 = 30_000
  /// Once a task has died in the kernel: what it held is never let go.
  static let stallAfterOopsMilliseconds: UInt64 = 3_000
  /// So many times as long while the disk has requests: there may be others than the task's.
  private static let patienceWithDisk: UInt64 = 4
  static let limitMilliseconds: UInt64 = 240_000
  /// Looking at /proc costs more than most commands take.
  private static let firstLook: UInt64 = 1000

  /// When the wait ends in any case, on the monotonic clock.
  private let limit: UInt64
  private var looked = MonotonicClock.milliseconds
  private var changed = MonotonicClock.milliseconds
  private var last: [pid_t: ProcessProbe] = [:]

  init(limit: UInt64 = MonotonicClock.milliseconds + limitMilliseconds) { self.limit = limit }

  /// True if the processes have been standing still for too long.
  mutating func isStalled(_ pids: [pid_t]) -> Bool {
    let now = MonotonicClock.milliseconds
    guard now - looked >= Self.firstLook else { return false }
    looked = now
    var probes: [pid_t: ProcessProbe] = [:]
    for pid in pids { probes[pid] = ProcessProbe(pid) }
    if probes != last {
      last = probes
      changed = now
    }
    var patience =
      KernelTaint.hasOopsed ? Self.stallAfterOopsMilliseconds : Self.stallMilliseconds
    // A request that the host has not answered is no task of the kernel's that stands still.
    if now - changed > patience, Disk.isBusy { patience *= Self.patienceWithDisk }
    return now - changed > patience || now > limit
  }
}
