/// Exit codes as `git bisect run` reads them: 0 good, 1 bad, 125 skip this commit,
/// 128 end the bisection. Anything else below 128 would call the commit bad, usage
/// errors and a broken host among them.
public enum BisectExit {
  /// Nothing can be said about this commit.
  public static let skip: Int32 = 125
  /// Nothing could be said about any.
  public static let abort: Int32 = 128

  /// - Parameter target: part of a finding's title, or its fingerprint; nil where any
  ///   finding is the one that is looked for.
  public static func code(of record: RunRecord, target: String?) -> Int32 {
    switch record.status {
    case .pass: 0
    case .fail: record.findings.contains { $0.isTarget(target) } ? 1 : skip
    case .notExercised: skip
    case .error: record.error?.kind == .kernelUnusable ? skip : abort
    }
  }

  /// Of a command that ended before there was a record.
  ///
  /// - Parameter exitCode: as the command would end without `--bisect`.
  public static func code(ofExit exitCode: Int32) -> Int32 {
    switch exitCode {
    case 0, 1, skip: exitCode
    // The kernel cannot be built or used; a window was not entered.
    case 3, 4: skip
    default: abort
    }
  }
}

extension Finding {
  /// Whether it is the one that is looked for: see `BisectExit.code(of:target:)`.
  /// What is known upstream never is.
  public func isTarget(_ target: String?) -> Bool {
    guard known == nil else { return false }
    guard let target else { return true }
    return title.contains(target) || fingerprint == target
  }
}
