import CLinux
import Foundation
import Synchronization
import SystemPackage

/// A child process that ends whenever this process does, even by SIGKILL.
///
/// The kernel sends the child SIGKILL when the *thread* that forked it ends
/// (PR_SET_PDEATHSIG). Threads of the cooperative pool may end at any time, so
/// each child has a thread of its own, which forks it, waits for it, and ends
/// after it.
///
/// The child has a session of its own: Ctrl-C in the terminal reaches the
/// harness alone, which then ends the child in order. It inherits the listed
/// descriptors and no others.
///
/// Letting go of the last reference kills the child.
public final class TetheredProcess: Sendable {
  /// How a process ended.
  public enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    /// With this exit code.
    case exited(Int32)
    /// By this signal; SIGKILL where it was terminated from here.
    case signalled(Int32)

    public var description: String {
      switch self {
      case .exited(let code): "exited with \(code)"
      case .signalled(let signal): "killed by signal \(signal)"
      }
    }
  }

  /// The program could not be started.
  public struct SpawnError: Error, CustomStringConvertible {
    /// The path as it was given.
    public let executable: String
    /// Of the first call that failed, on the way from pipe2() to execve().
    public let errno: Errno

    public var description: String {
      let advice =
        switch errno {
        case .noSuchFileOrDirectory: "; is it installed?"
        case .permissionDenied: "; is it executable?"
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem: "; raise `ulimit -n`"
        default: ""
        }
      return "start \(executable): \(errno) (\(errno.rawValue))\(advice)"
    }
  }

  /// Of the child; the kernel may give it to another process once
  /// ``exitStatus()`` has returned.
  public let pid: Int32
  private let child: Child

  private init(pid: Int32, child: Child) {
    self.pid = pid
    self.child = child
  }

  deinit { child.kill() }

  /// Starts a program.
  ///
  /// - Parameters:
  ///   - executable: A path; PATH is not searched.
  ///   - arguments: Without the program's own name.
  ///   - environment: All of the child's variables.
  ///   - descriptors: The child's descriptors by their number there. They stay
  ///     the caller's to close. 0, 1 and 2 should be among them.
  public static func spawn(
    executable: String, arguments: [String],
    environment: [String: String] = ProcessInfo.processInfo.environment,
    descriptors: [Int32: FileDescriptor]
  ) async throws(SpawnError) -> TetheredProcess {
    let child = Child()
    let pid: Int32 = await withCheckedContinuation { started in
      let thread = Thread {
        let pid = fork(
          executable: executable, arguments: arguments, environment: environment,
          descriptors: descriptors)
        if pid > 0 { child.started(pid) }
        started.resume(returning: pid)
        if pid > 0 { child.waitAndReap(pid) }
      }
      thread.name = "tether"
      thread.stackSize = 256 << 10
      thread.start()
    }
    guard pid > 0 else {
      throw SpawnError(executable: executable, errno: Errno(rawValue: -pid))
    }
    return TetheredProcess(pid: pid, child: child)
  }

  /// Kills the child. Does nothing once it has ended: its pid may be another's.
  public func terminate() { child.kill() }

  /// Sends the child a signal, in the same way.
  public func signal(_ number: Int32) { child.signal(number) }

  /// Waits for the child's end. Cancelling the waiting task does not shorten it.
  public func exitStatus() async -> ExitStatus { await child.exitStatus() }

  private static func fork(
    executable: String, arguments: [String], environment: [String: String],
    descriptors: [Int32: FileDescriptor]
  ) -> Int32 {
    let argv = CStrings([executable] + arguments)
    let envp = CStrings(environment.map { "\($0.key)=\($0.value)" }.sorted())
    let table = descriptors.sorted { $0.key < $1.key }
      .map { clinux_descriptor(source: $0.value.rawValue, target: $0.key) }
    return argv.withPointers { argv in
      envp.withPointers { envp in
        clinux_spawn_tethered(executable, argv, envp, table, table.count)
      }
    }
  }
}

/// What the thread and the owner share.
private final class Child: Sendable {
  private struct State {
    var pid: Int32?
    var status: TetheredProcess.ExitStatus?
    var waiters: [CheckedContinuation<TetheredProcess.ExitStatus, Never>] = []
  }

  private let state = Mutex(State())

  func started(_ pid: Int32) {
    state.withLock { $0.pid = pid }
  }

  func kill() { signal(SIGKILL) }

  func signal(_ number: Int32) {
    state.withLock {
      // Reaping takes the same lock, so the pid is still our child's.
      if let pid = $0.pid { _ = Foundation.kill(pid, number) }
    }
  }

  func waitAndReap(_ pid: Int32) {
    _ = clinux_wait_exited(pid)
    let (status, waiters) = state.withLock { state in
      var raw: Int32 = 0
      while waitpid(pid, &raw, 0) < 0, Foundation.errno == EINTR {}
      let status: TetheredProcess.ExitStatus =
        raw & 0x7F == 0 ? .exited(raw >> 8 & 0xFF) : .signalled(raw & 0x7F)
      defer { state.waiters = [] }
      state.pid = nil
      state.status = status
      return (status, state.waiters)
    }
    for waiter in waiters { waiter.resume(returning: status) }
  }

  func exitStatus() async -> TetheredProcess.ExitStatus {
    await withCheckedContinuation { waiter in
      let status = state.withLock { state in
        if state.status == nil { state.waiters.append(waiter) }
        return state.status
      }
      if let status { waiter.resume(returning: status) }
    }
  }
}

/// A null-terminated array of C strings, as exec wants it.
private struct CStrings {
  private let bytes: [[CChar]]

  init(_ strings: [String]) { bytes = strings.map { Array($0.utf8CString) } }

  func withPointers<Result>(
    _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    let copies = bytes.map { string in
      let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count)
      copy.initialize(from: string, count: string.count)
      return copy
    }
    defer {
      for copy in copies { copy.deallocate() }
    }
    let pointers: [UnsafeMutablePointer<CChar>?] = copies + [nil]
    return pointers.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { fatalError("an array with an element has a base") }
      return body(base)
    }
  }
}
