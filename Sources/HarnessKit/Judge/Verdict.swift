/// A run, or a trial, could not be judged, and the kernel is not shown to be at fault.
public struct HarnessFailure: Error, Hashable, Sendable, Codable, CustomStringConvertible {
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

  public var kind: Kind
  public var message: String

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  public var description: String { message }

  /// Whose fault an error is: the kernel's only where it says so.
  public init(_ error: any Error) {
    if let failure = error as? HarnessFailure {
      self = failure
    } else {
      self.init((error as? KernelError)?.fault ?? .harness, String(describing: error))
    }
  }
}

/// What is said of a trial or a run.
public enum Verdict: Hashable, Sendable {
  case pass
  case fail([Finding])
  case notExercised([String])
  case error(HarnessFailure)

  /// The exit status of `harness` (`docs/result-schema.md` has the table).
  public var exitCode: Int32 {
    switch self {
    case .pass: 0
    case .fail: 1
    case .notExercised: 4
    case .error(let failure): failure.kind.exitCode
    }
  }

  /// The rule of precedence, for a trial and for a run: a finding stays true
  /// whatever broke beside it; what broke says that nothing else is known; a
  /// window that was not entered is never a pass.
  static func of(
    findings: [Finding], failures: [HarnessFailure], reasons: [String]
  ) -> Verdict {
    let failing = findings.filter { $0.known == nil }
    if !failing.isEmpty { return .fail(failing) }
    if let worst = failures.min(by: { $0.kind.precedence < $1.kind.precedence }) {
      return .error(worst)
    }
    return reasons.isEmpty ? .pass : .notExercised(reasons)
  }
}

extension HarnessFailure.Kind {
  /// What broke on our side is said first: it casts doubt on the rest.
  fileprivate var precedence: Int {
    switch self {
    case .usage: 0
    case .harness: 1
    case .kernelUnusable: 2
    }
  }
}
