import CLinux
import Glibc
import SystemPackage

/// A program of the initramfs, running, with what it prints.
final class Program {
  enum End: Hashable {
    case exited(Int32)
    case signalled(Int32)
  }

  let pid: pid_t
  private let output: Int32
  private var partial: [UInt8] = []
  private var end: End?

  /// - Parameters:
  ///   - arguments: its path first.
  ///   - group: the memcg that it is started in; nil for the worker's own.
  init(_ arguments: [String], in group: ControlGroup? = nil) throws(SystemError) {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw .last("make a pipe for", arguments[0]) }
    var argv: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for text in argv { free(text) } }
    let child = clinux_fork()
    guard child >= 0 else { throw .last("fork", arguments[0]) }
    if child == 0 {
      setpgid(0, 0)
      // The worker ignores it, and exec() keeps that.
      signal(SIGPIPE, SIG_DFL)
      dup2(ends[1], 1)
      dup2(ends[1], 2)
      close(ends[0])
      close(ends[1])
      if let group, (try? group.add(getpid())) == nil { _exit(126) }
      if let path = argv[0] { execv(path, &argv) }
      _exit(127)
    }
    close(ends[1])
    _ = fcntl(ends[0], F_SETFL, O_NONBLOCK)
    pid = child
    output = ends[0]
  }

  deinit { close(output) }

  /// The whole lines that it has printed since the last call; the rest too once it
  /// has ended.
  func readLines() -> [String] {
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = read(output, &chunk, chunk.count)
      guard count > 0 else { break }
      partial += chunk[..<count]
    }
    var lines = partial.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    partial = Array(lines.removeLast())
    if ending != nil, !partial.isEmpty {
      lines.append(partial[...])
      partial = []
    }
    return lines.map { String(decoding: $0, as: UTF8.self) }
  }

  /// How it ended; nil while it runs.
  var ending: End? {
    if end == nil {
      var status: Int32 = 0
      guard waitpid(pid, &status, WNOHANG) == pid else { return nil }
      let signal = status & 0x7F
      end = signal == 0 ? .exited((status >> 8) & 0xFF) : .signalled(signal)
    }
    return end
  }

  /// Kills it, and those of its children that have stayed in its process group.
  func kill() { Glibc.kill(-pid, SIGKILL) }
}
