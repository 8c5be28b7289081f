#if canImport(Glibc)
  import Glibc
#endif

/// What is believed, before any trial, of the two rates: p, at which the finding shows
/// on a bad commit, and q, at which it shows on a good one.
///
/// A grid and no pair of Beta distributions, for what those cannot say: that p is above
/// q, and that q may well be exactly 0. A fingerprint that matches by accident is rare,
/// but where it does happen, one finding proves nothing.
public struct RatePrior: Hashable, Sendable {
  let p: [Double]
  let q: [Double]
  /// By p, then q; sums to 1.
  let weights: [[Double]]
  let logP: [Double]
  let logNotP: [Double]
  let logQ: [Double]
  let logNotQ: [Double]

  /// - Parameter zeroShare: the belief that q is exactly 0. A small one: the smallest rates
  ///   above it say nearly the same, and give in sooner where it is wrong.
  public init(zeroShare: Double = 0.05) {
    // About evenly spaced in log-odds: neighbours differ by as much as 20 trials tell.
    let p = [
      0.002, 0.004, 0.007, 0.01, 0.014, 0.02, 0.028, 0.038, 0.05, 0.065, 0.085, 0.11, 0.14, 0.18,
      0.23, 0.3, 0.38, 0.47, 0.56, 0.65, 0.73, 0.8, 0.86, 0.91, 0.95, 0.975, 0.99, 0.999,
    ]
    let q = [0, 0.001, 0.003, 0.006, 0.01, 0.015, 0.02, 0.028, 0.04, 0.06, 0.09, 0.14, 0.2, 0.3]
    // Of the q above 0, small ones are likelier: Beta(1/2, 10).
    let spacing = RatePrior.widths(of: q)
    var ofQ = zip(q, spacing).map { rate, width in
      rate == 0 ? 0 : pow(rate, -0.5) * pow(1 - rate, 9) * width
    }
    let sum = ofQ.reduce(0, +)
    ofQ = ofQ.map { $0 / sum * (1 - zeroShare) }
    ofQ[0] = zeroShare
    // Of p, nothing is known but its order of magnitude; a bug that always shows is
    // common enough to be believed in at once.
    var ofP = [Double](repeating: 1, count: p.count)
    ofP[p.count - 1] = 3
    var table = p.map { rate in q.map { $0 < rate ? 1.0 : 0 } }
    for (i, weight) in ofP.enumerated() {
      for j in q.indices { table[i][j] *= weight * ofQ[j] }
      let row = table[i].reduce(0, +)
      // For each p the same belief, however many q lie below it.
      table[i] = table[i].map { $0 / row * weight }
    }
    let total = table.reduce(0) { $0 + $1.reduce(0, +) }
    self.p = p
    self.q = q
    weights = table.map { row in row.map { $0 / total } }
    logP = p.map { log($0) }
    logNotP = p.map { log1p(-$0) }
    logQ = q.map { $0 == 0 ? -.infinity : log($0) }
    logNotQ = q.map { log1p(-$0) }
  }

  private static func widths(of grid: [Double]) -> [Double] {
    grid.indices.map { index in
      let low = index == 0 ? grid[index] : (grid[index - 1] + grid[index]) / 2
      let high = index == grid.count - 1 ? grid[index] : (grid[index] + grid[index + 1]) / 2
      return high - low
    }
  }
}

/// Trials of one kernel that came to an end, and those of them that showed the finding.
public struct Tally: Hashable, Sendable, Codable {
  /// Those of `trials` that showed it.
  public var findings: Int
  /// All but the silent ones, which say nothing.
  public var trials: Int

  public init(findings: Int = 0, trials: Int = 0) {
    self.findings = findings
    self.trials = trials
  }

  static func + (left: Tally, right: Tally) -> Tally {
    Tally(findings: left.findings + right.findings, trials: left.trials + right.trials)
  }

  static func - (left: Tally, right: Tally) -> Tally {
    Tally(findings: left.findings - right.findings, trials: left.trials - right.trials)
  }
}

/// What a pair of tallies says of the rates.
struct RateEvidence {
  /// The logarithm of the probability of the trials, averaged over the prior.
  var logLikelihood: Double
  /// Of the rates, after the trials.
  var meanP: Double
  var meanQ: Double

  init(bad: Tally, good: Tally, prior: RatePrior) {
    func scaled(_ tally: Tally, _ logYes: [Double], _ logNo: [Double]) -> ([Double], Double) {
      let yes = Double(tally.findings)
      let no = Double(tally.trials - tally.findings)
      // 0 × −∞ is no evidence, and not NaN.
      let logs = logYes.indices.map { (yes == 0 ? 0 : yes * logYes[$0]) + no * logNo[$0] }
      let top = logs.max() ?? 0
      return (logs.map { exp($0 - top) }, top)
    }
    let (ofP, topP) = scaled(bad, prior.logP, prior.logNotP)
    let (ofQ, topQ) = scaled(good, prior.logQ, prior.logNotQ)
    var (sum, sumP, sumQ) = (0.0, 0.0, 0.0)
    for i in ofP.indices where ofP[i] > 0 {
      let row = prior.weights[i]
      for j in ofQ.indices {
        let weight = ofP[i] * ofQ[j] * row[j]
        sum += weight
        sumP += weight * prior.p[i]
        sumQ += weight * prior.q[j]
      }
    }
    logLikelihood = sum > 0 ? log(sum) + topP + topQ : -.infinity
    meanP = sum > 0 ? sumP / sum : 0
    meanQ = sum > 0 ? sumQ / sum : 0
  }
}
