/// A program of the host that could not be run, or that failed.
public struct ToolError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Reason: Hashable, Sendable {
    /// Not installed; the package that has it, where known.
    case missing(package: String?)
    case exited(Int32)
    case killed(signal: Int32)
    /// It could not be started, or its output not read.
    case notRun(String)
  }

  /// The command line, as one could paste it into a shell.
  public let command: String
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
