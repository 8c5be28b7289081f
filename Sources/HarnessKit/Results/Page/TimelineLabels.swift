/// Places the labels of one lane's ticks in rows above it, like flags: the text stands
/// to the right of its pole, and no pole runs through another's text.
struct TimelineLabels {
  struct Flag {
    var position: Double
    var text: String
    /// 0 is the row next to the lane.
    var row = 0
    /// The text stands to the left of its pole: there is no room to the right.
    var isLeft = false
    var isAwaited = false
  }

  private(set) var flags: [Flag] = []
  private var taken: [[ClosedRange<Double>]]
  private let right: Double

  /// Of a character of the labels, in user units.
  static let characterWidth = 5.8

  init(rows: Int, right: Double) {
    taken = Array(repeating: [], count: rows)
    self.right = right
  }

  var rows: Int { flags.map { $0.row + 1 }.max() ?? 0 }

  /// The one that is placed first, and so always has room.
  mutating func placeAwaited(_ text: String, at position: Double) {
    guard place(text, at: position) else { return }
    flags[flags.count - 1].isAwaited = true
  }

  /// False where there is no room in the first `rows` rows.
  mutating func place(_ text: String, at position: Double, rows: Int = .max) -> Bool {
    let length = Double(text.count) * Self.characterWidth + 8
    let isLeft = position + length > right
    let extent = isLeft ? position - length...position : position...position + length
    let pole = position - 1.5...position + 1.5
    for row in taken.indices.prefix(rows) {
      if row > 0, taken[row - 1].contains(where: { $0.overlaps(pole) }) { return false }
      guard !taken[row].contains(where: { $0.overlaps(extent) }) else { continue }
      taken[row].append(extent)
      for lower in 0..<row { taken[lower].append(pole) }
      flags.append(Flag(position: position, text: text, row: row, isLeft: isLeft))
      return true
    }
    return false
  }
}
