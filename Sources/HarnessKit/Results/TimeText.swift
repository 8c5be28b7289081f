/// Lengths of time, in three digits: `0.40 µs`, `12.3 ms`, `20.0 s`.
package enum TimeText {
  static func text(nanoseconds: UInt64) -> String {
    let value = Double(nanoseconds)
    return switch value {
    case 0: "0"
    case ..<999_500: digits(value / 1e3) + " µs"
    case ..<999_500_000: digits(value / 1e6) + " ms"
    default: digits(value / 1e9) + " s"
    }
  }

  private static func digits(_ value: Double) -> String {
    fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0)
  }

  /// With that many digits after the point.
  package static func fixed(_ value: Double, _ digits: Int) -> String {
    var scale = 1
    for _ in 0..<digits { scale *= 10 }
    let scaled = Int((max(0, min(value, 1e12)) * Double(scale)).rounded())
    guard digits > 0 else { return String(scaled) }
    let fraction = String(scaled % scale)
    return "\(scaled / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction
  }
}
