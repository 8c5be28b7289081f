/// Where a moment of a trial stands on its timeline.
///
/// A trial is microseconds of events around milliseconds, or seconds, of sleep: to
/// scale, one of the two could not be seen. So each gap is drawn as long as its
/// logarithm, and the hold gets its share of the width whatever lies beside it.
struct TimelineScale {
  /// Of each entry of the window.
  private(set) var positions: [Double]
  private let first: Int

  /// - Parameters:
  ///   - hold: begin and end, positions in `entries`.
  init(
    entries: [Timeline.Entry], window: Range<Int>, hold: ClosedRange<Int>?,
    from left: Double, to right: Double
  ) {
    first = window.lowerBound
    positions = Array(repeating: left, count: window.count)
    guard window.count > 1 else { return }
    let begin = hold.map { min(max($0.lowerBound, first), window.upperBound - 1) } ?? first
    let end = hold.map { min(max($0.upperBound, begin), window.upperBound - 1) } ?? first
    // Before the hold, the hold, after it.
    let parts = [first...begin, begin...end, end...(window.upperBound - 1)]
    let weights = parts.map { part in
      part.dropFirst().map { TimelineScale.weight(of: entries[$0], after: entries[$0 - 1]) }
    }
    let sums = weights.map { $0.reduce(0, +) }
    let total = max(sums.reduce(0, +), 1e-9)
    let least = hold == nil ? [0, 0, 0] : [0.1, 0.38, 0.18]
    let shares = zip(sums, least).map { sum, least in sum == 0 ? 0 : max(least, sum / total) }
    let whole = max(shares.reduce(0, +), 1e-9)
    var position = left
    for (number, part) in parts.enumerated() where sums[number] > 0 {
      let unit = (right - left) * shares[number] / whole / sums[number]
      for (index, weight) in zip(part.dropFirst(), weights[number]) {
        position += weight * unit
        positions[index - first] = position
      }
    }
    // A part without width takes none: the entries in it stand where it begins.
    for index in 1..<positions.count {
      positions[index] = max(positions[index], positions[index - 1])
    }
  }

  subscript(index: Int) -> Double {
    positions.isEmpty ? 0 : positions[min(max(0, index - first), positions.count - 1)]
  }

  private static func weight(of entry: Timeline.Entry, after other: Timeline.Entry) -> Double {
    let microseconds = Double(entry.nanoseconds - other.nanoseconds) / 1000
    // log2(1 + x) in steps of the exponent, straight between them.
    let value = 1 + microseconds
    return Double(value.exponent) + (value.significand - 1) + (entry.isNear ? 3 : 0.15)
  }
}
