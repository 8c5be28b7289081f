#if canImport(Glibc)
  import Glibc
#endif

/// What trials of one commit tell of whether it is bad.
enum Information {
  /// In bits: how much the count of findings in `count` trials is expected to tell.
  ///
  /// - Parameters:
  ///   - share: the belief that the commit is bad.
  ///   - high: the rate of the finding if it is.
  ///   - low: the rate if it is not.
  static func ofTrials(_ count: Int, share: Double, high: Double, low: Double) -> Double {
    guard share > 0, share < 1 else { return 0 }
    let bad = binomial(count, high)
    let good = binomial(count, low)
    var sum = 0.0
    for index in bad.indices {
      let mixed = share * bad[index] + (1 - share) * good[index]
      if bad[index] > 0 { sum += share * bad[index] * log2(bad[index] / mixed) }
      if good[index] > 0 { sum += (1 - share) * good[index] * log2(good[index] / mixed) }
    }
    return max(0, sum)
  }

  /// Of one trial that shows the finding at a rate, in bits.
  static func entropy(of rate: Double) -> Double {
    guard rate > 0, rate < 1 else { return 0 }
    return -rate * log2(rate) - (1 - rate) * log2(1 - rate)
  }

  /// The probabilities of 0, 1, … `count` findings in `count` trials.
  static func binomial(_ count: Int, _ rate: Double) -> [Double] {
    guard rate > 0 else { return [1] + [Double](repeating: 0, count: count) }
    guard rate < 1 else { return [Double](repeating: 0, count: count) + [1] }
    let odds = log(rate) - log1p(-rate)
    var logs = [Double(count) * log1p(-rate)]
    for index in 0..<count {
      logs.append(logs[index] + odds + log(Double(count - index) / Double(index + 1)))
    }
    return logs.map { exp($0) }
  }

  /// Shannon's capacity of one trial, in bits: no way to choose commits learns more on
  /// average, where the rates are known.
  static func capacity(high: Double, low: Double) -> Double {
    // Concave in the share: golden-section search would do, a fine grid does.
    (1..<2000).map { ofTrials(1, share: Double($0) / 2000, high: high, low: low) }.max() ?? 0
  }
}

/// What is left of the information of a trial, by its share, where a build comes before the first:
/// the most that a second can tell of such a commit, by what it can of one that is built.
struct BuildDiscount {
  private let values: [Double]
  private static let steps = 32

  /// - Parameters:
  ///   - high: the rate of the finding on bad commits.
  ///   - low: the rate on good ones, below it.
  ///   - build: in trials.
  init(high: Double, low: Double, build: Double) {
    var sizes = [1]
    // More trials than show a bug of this rate ten times over tell nothing new.
    while let last = sizes.last, last < 512, Double(last) * high < 8 { sizes.append(last * 2) }
    values = (0...BuildDiscount.steps).map { step in
      // At 0 and at 1 both are nothing.
      let share = min(max(Double(step) / Double(BuildDiscount.steps), 1e-3), 1 - 1e-3)
      func ofTrials(_ count: Int) -> Double {
        Information.ofTrials(count, share: share, high: high, low: low)
      }
      let best = sizes.map { ofTrials($0) / (build + Double($0)) }.max() ?? 0
      let one = ofTrials(1)
      return one > 0 ? best / one : 0
    }
  }

  /// - Parameter share: the belief that the commit is bad.
  func callAsFunction(_ share: Double) -> Double {
    let place = min(max(share, 0), 1) * Double(BuildDiscount.steps)
    let index = min(Int(place), BuildDiscount.steps - 1)
    let part = place - Double(index)
    return values[index] * (1 - part) + values[index + 1] * part
  }
}

/// What no way to bisect can do without.
public enum LeastTrials {
  /// Trials that it takes on average to name one commit of `count` and be right with a
  /// probability of `confidence`, even if both rates are known (Fano's inequality): each
  /// trial tells at most the channel's capacity.
  public static func toFindOne(
    of count: Int, confidence: Double, high: Double, low: Double
  ) -> Double {
    let error = 1 - confidence
    let bits =
      log2(Double(count)) - Information.entropy(of: error) - error * log2(Double(count - 1))
    return max(0, bits) / Information.capacity(high: high, low: low)
  }
}
