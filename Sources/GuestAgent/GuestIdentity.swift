import Glibc

/// Whether this process may act: only in a guest that the harness booted.
///
/// The agent makes swapfiles, mounts, loads modules and powers the machine off.
/// It asks this before its first system call that changes anything.
struct GuestIdentity: Equatable {
  /// The token of the harness's kernel command line.
  let token: String
  /// Other `zswap_harness.NAME=VALUE` words of that command line.
  let options: [String: String]

  static let prefix = "zswap_harness."

  /// Nil unless the command line carries a token, and the process is PID 1 or
  /// its child.
  init?(pid: Int32, parent: Int32, commandLine: String) {
    guard pid == 1 || parent == 1 else { return nil }
    var options: [String: String] = [:]
    for word in commandLine.split(whereSeparator: \.isWhitespace)
    where word.hasPrefix(Self.prefix) {
      let pair = word.dropFirst(Self.prefix.count).split(separator: "=", maxSplits: 1)
      if pair.count == 2 { options[String(pair[0])] = String(pair[1]) }
    }
    guard let token = options.removeValue(forKey: "token"),
      token.count == 32, token.allSatisfy(\.isHexDigit)
    else { return nil }
    self.token = token
    self.options = options
  }

  /// Of this process; only reads.
  static func current() -> GuestIdentity? {
    guard let commandLine = try? KernelFile.read("/proc/cmdline") else { return nil }
    return GuestIdentity(pid: getpid(), parent: getppid(), commandLine: commandLine)
  }
}
