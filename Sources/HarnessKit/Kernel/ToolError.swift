/// A program of the host that could not be run, or that failed.
public struct ToolError: Error, Hashable, Sendable, CustomStringConvertible {
  /// How it failed.
  public enum Reason: Hashable, Sendable {
    /// Not installed; the package that has it, where known.
    case missing(package: String?)
    /// With an exit status that the caller does not accept.
    case exited(Int32)
    /// By a signal, before it came to its end.
    case killed(signal: Int32)
    /// It could not be started, or its output not read.
    case notRun(String)
  }

  /// The command line, as one could paste it into a shell.
  public let command: String
  /// With `missing` and `notRun` there are no last lines.
  public let reason: Reason
  /// The last lines of what it wrote to standard error.
  public let lastLines: [String]

  public var description: String {
    let what =
      switch reason {
      case .missing(let package?): "not installed; apt-get install \(package)"
      case .missing(nil): "not installed, or not in PATH"
      case .exited(let status): "failed with status \(status)"
      case .killed(let signal): "was killed by signal \(signal)"
      case .notRun(let why): "could not be run: \(why)"
      }
    return (["\(command): \(what)"] + lastLines.map { "    \($0)" }).joined(separator: "\n")
  }
}
