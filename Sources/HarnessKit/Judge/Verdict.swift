/// What is said of a trial or a run.
public enum Verdict: Hashable, Sendable {
  /// Nothing was found but what is known upstream, nothing broke, and nothing is in doubt.
  case pass
  /// With every finding that is not known upstream.
  case fail([Finding])
  /// With all that speaks against a pass.
  case notExercised([String])
  /// With one of them: of usage, else of the harness, else of the kernel.
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
