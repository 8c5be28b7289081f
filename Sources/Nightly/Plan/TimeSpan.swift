/// A length of time as a plan writes it: `90s`, `10m`, `8h`, `30d`.
public struct TimeSpan: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Above 0, and of ten years at the most, where it was read from a text.
  public var seconds: Double

  public init(seconds: Double) { self.seconds = seconds }

  private static let units: [Character: Double] = ["s": 1, "m": 60, "h": 3600, "d": 86400]

  /// Ten years, in seconds: nothing here lasts longer, and it is an `Int` as well.
  private static let longest = 3.2e8

  /// Nil for what is no such text, for no time at all, and for more than ten years.
  public init?(_ text: String) {
    guard let unit = text.last.flatMap({ TimeSpan.units[$0] }),
      let count = Double(text.dropLast())
    else { return nil }
    seconds = count * unit
    guard seconds > 0, seconds <= TimeSpan.longest else { return nil }
  }

  /// `45 s`, `12 min`, `3 h 05 min`
  public var description: String {
    let whole = Int(max(0, min(seconds, 1e9)).rounded())
    switch whole {
    case ..<120: return "\(whole) s"
    case ..<7200: return "\((whole + 30) / 60) min"
    default:
      let minutes = (whole + 30) / 60
      let rest = minutes % 60
      return "\(minutes / 60) h \(rest < 10 ? "0" : "")\(rest) min"
    }
  }
}
