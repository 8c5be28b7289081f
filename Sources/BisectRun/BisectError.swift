public import HarnessKit

/// Why a bisection could not be begun, or could not go on: what was being done, with what,
/// what is wrong, and what to do about it.
public struct BisectError: FaultError, Hashable, Sendable, CustomStringConvertible {
  /// What was being done, as a verb: `open`, `go on with`, …
  public let operation: String
  /// With what: a path, a commit, a range of commits.
  public let object: String
  /// What is wrong with it.
  public let problem: String
  /// What to do about it, on a line of its own; nil where there is nothing to say.
  public let advice: String?
  /// Whose it is, which decides the exit status.
  public let fault: HarnessFailure.Kind

  /// - Parameter fault: the host's, unless the caller asked for what is not there.
  public init(
    _ operation: String, _ object: String, _ problem: String, advice: String? = nil,
    fault: HarnessFailure.Kind = .harness
  ) {
    self.fault = fault
    self.operation = operation
    self.object = object
    self.problem = problem
    self.advice = advice
  }

  public var description: String {
    "\(operation) \(object): \(problem)" + (advice.map { "\n  \($0)" } ?? "")
  }
}
