public import HarnessKit

/// Why a bisection could not be begun, or could not go on: what was being done, with what,
/// what is wrong, and what to do about it.
public struct BisectError: FaultError, Hashable, Sendable, CustomStringConvertible {
  public let operation: String
  public let object: String
  public let problem: String
  public let advice: String?
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
