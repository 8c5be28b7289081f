public import HarnessKit

/// Why a night cannot be run: what was being done, to what, and what to do about it.
public struct NightError: FaultError, Hashable, Sendable, CustomStringConvertible {
  /// "create", "read" or "submit".
  public let operation: String
  /// A path: of a night's folder, of a file in it, of a script for sbatch.
  public let object: String
  /// What the system or the decoder said, or what is wrong with what was found.
  public let reason: String
  /// Nil where there is none.
  public let advice: String?
  /// `usage` where the folder that was named is no night's, else `harness`.
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
