import Glibc
import GuestWire

/// An activity that runs once, to its end, in a process of its own.
final class ActorProcess {
  private let child: ChildProcess

  var name: String { child.name }
  var pid: pid_t { child.pid }

  /// Forks the process; it does nothing until `start()`.
  ///
  /// - Parameter body: gives an errno, 0 for success; it is the exit status.
  init(_ name: String, body: () -> Int32) throws(SystemError) {
    child = try ChildProcess(name) { station in
      guard station.receive() != nil else { _exit(0) }
      _exit(body())
    }
  }

  func start() throws(SystemError) { try child.send(.init(kind: 1)) }

  /// How it ended, or nil while it has not.
  func poll() -> ActorReport.End? { child.ending }

  func report() -> ActorReport { child.report(as: name) }
}

extension [ActorProcess] {
  /// Waits until all have ended; nil then, or those that stand still.
  func waitForAll(beat: () -> Void) -> [ActorProcess]? {
    var watchdog = Watchdog()
    while true {
      let running = filter { $0.poll() == nil }
      if running.isEmpty { return nil }
      if watchdog.isStalled(running.map(\.pid)) { return running }
      beat()
      MonotonicClock.sleep(milliseconds: 2)
    }
  }
}
