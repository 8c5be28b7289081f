/// A run, or a trial, could not be judged, and the kernel is not shown to be at fault.
public struct HarnessFailure: Error, Hashable, Sendable, Codable, CustomStringConvertible {
  /// Whose fault it is.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// The harness or the host broke, or our agent or module in the guest did.
    case harness
    /// The kernel cannot be built, booted or used.
    case kernelUnusable = "kernel-unusable"
    /// The command line is wrong.
    case usage

    /// Of `harness` where it ends with such a failure.
    public var exitCode: Int32 {
      switch self {
      case .harness: 2
      case .kernelUnusable: 3
      case .usage: 64
      }
    }
  }

  /// Decides the exit code.
  public var kind: Kind
  /// For people: its first line says what is wrong, further ones have evidence and advice.
  public var message: String

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  public var description: String { message }

  /// Whose fault an error is: the kernel's, or the caller's, only where it says so.
  public init(_ error: any Error) {
    if let failure = error as? HarnessFailure {
      self = failure
    } else {
      self.init((error as? any FaultError)?.fault ?? .harness, String(describing: error))
    }
  }
}

/// An error that says whose fault it is, which decides the exit code.
public protocol FaultError: Error {
  /// An error that is no `FaultError` counts as `harness`.
  var fault: HarnessFailure.Kind { get }
}
