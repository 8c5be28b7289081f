/// Made-up bisections that are the same for every way to bisect: which commit is the
/// culprit, and how the n-th trial of a commit comes out.
///
/// `scripts/bisect-bayesect.py` has the same in Python.
public struct FairCase: Hashable, Sendable {
  public let culprit: Int
  private let seed: UInt64

  /// - Parameters:
  ///   - number: which case it is.
  ///   - commits: how many commits may be the culprit: 1, 2, … `commits`.
  public init(number: Int, commits: Int) {
    seed = FairCase.mixed(UInt64(number) &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(commits))
    culprit = 1 + Int(FairCase.mixed(seed ^ 0xD6E8_FEB8_6659_FD93) % UInt64(commits))
  }

  /// Whether a trial of a commit shows the finding.
  public func shows(commit: Int, trial: Int, high: Double, low: Double) -> Bool {
    let word = FairCase.mixed(
      seed &+ UInt64(commit) &* 0xBF58_476D_1CE4_E5B9 &+ UInt64(trial) &* 0x94D0_49BB_1331_11EB)
    return Double(word >> 11) / 9_007_199_254_740_992 < (commit >= culprit ? high : low)
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var word = value &+ 0x9E37_79B9_7F4A_7C15
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}
