import Foundation
import HarnessKit

/// How often of how many.
public struct Rate: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Runs or trials that had it.
  public var count: Int
  /// Runs or trials that were looked at; with 0 the interval is all from 0 to 1.
  public var total: Int

  public init(_ count: Int, of total: Int) {
    self.count = count
    self.total = total
  }

  /// Wilson's, 95 %.
  public var interval: ClosedRange<Double> { Wilson.interval(count, of: total) }

  /// `3 of 371`
  public var description: String { "\(count) of \(total)" }

  /// `3 of 371 (0.2 to 2.4 %)`
  public var text: String {
    func percent(_ value: Double) -> String {
      String(format: value * 100 < 9.95 && value > 0 ? "%.1f" : "%.0f", value * 100)
    }
    return "\(self) (\(percent(interval.lowerBound)) to \(percent(interval.upperBound)) %)"
  }
}

/// How likely it is that what is seen tonight is what was seen before.
///
/// The rate itself is not known, only how often it came: so the number tonight is
/// beta-binomial, with Jeffreys' prior. That is honest for few runs, where a rate taken
/// for known would call each difference one.
enum Chance {
  /// Of so many or fewer.
  static func atMost(_ count: Int, of total: Int, after past: Rate) -> Double {
    sum(0...max(0, count), of: total, after: past)
  }

  /// Of so many or more.
  static func atLeast(_ count: Int, of total: Int, after past: Rate) -> Double {
    guard count <= total else { return 0 }
    return sum(max(0, count)...total, of: total, after: past)
  }

  private static func sum(_ counts: ClosedRange<Int>, of total: Int, after past: Rate) -> Double {
    let a = Double(past.count) + 0.5
    let b = Double(past.total - past.count) + 0.5
    let n = Double(total)
    let terms = counts.clamped(to: 0...total).map { count in
      let k = Double(count)
      return exp(
        logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1)
          + logBeta(k + a, n - k + b) - logBeta(a, b))
    }
    return min(1, terms.reduce(0, +))
  }

  private static func logBeta(_ a: Double, _ b: Double) -> Double {
    logGamma(a) + logGamma(b) - logGamma(a + b)
  }

  /// The reentrant one: lgamma() writes a global.
  private static func logGamma(_ x: Double) -> Double {
    var sign: Int32 = 0
    return lgamma_r(x, &sign)
  }
}
