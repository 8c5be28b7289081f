public import HarnessKit

/// Why a night cannot be run: what was being done, to what, and what to do about it.
public struct NightError: FaultError, Hashable, Sendable, CustomStringConvertible {
  public let operation: String
  public let object: String
  public let reason: String
  public let advice: String?
  public let fault: HarnessFailure.Kind

  init(
    _ operation: String, _ object: String, _ reason: String, advice: String? = nil,
    fault: HarnessFailure.Kind = .harness
  ) {
    self.fault = fault
    self.operation = operation
    self.object = object
    self.reason = reason
    self.advice = advice
  }

  public var description: String {
    "\(operation) \(object): \(reason)" + (advice.map { "\n  \($0)" } ?? "")
  }
}
