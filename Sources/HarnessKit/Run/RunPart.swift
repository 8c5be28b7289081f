import GuestWire

/// One of several parts of a run's trials: each may be run by itself, on another machine.
///
/// Trials keep the numbers and the seeds that they have in the whole.
public struct RunPart: Hashable, Sendable, Codable, CustomStringConvertible {
  /// From 1.
  public var number: Int
  /// Parts in all, up to ``limit``.
  public var count: Int

  /// Parts that a run may have.
  public static let limit = 1000

  /// Nil unless the number is 1 to the count, and that within the limit.
  public init?(number: Int, of count: Int) {
    guard (1...Self.limit).contains(count), (1...count).contains(number) else { return nil }
    self.number = number
    self.count = count
  }

  /// Reads `2/4`.
  public init?(_ text: String) {
    let words = text.split(separator: "/", omittingEmptySubsequences: false)
    guard words.count == 2, let number = Int(words[0]), let count = Int(words[1]) else {
      return nil
    }
    self.init(number: number, of: count)
  }

  public var description: String { "\(number)/\(count)" }

  /// Every `count`th trial: neighbours take alike, and so do the parts.
  func trials(of all: [TrialSpec]) -> [TrialSpec] {
    all.enumerated().filter { $0.offset % count == number - 1 }.map(\.element)
  }
}
