import Foundation

/// Times to the kill on a logarithmic axis, a row for each kind or tool, as SVG.
public struct KillTimePicture: Hashable, Sendable {
  /// The bugs of one kind, or under one tool.
  public struct Row: Hashable, Sendable {
    /// At the left of the row: plain text, which is escaped.
    public var name: String
    /// Of each that was killed.
    public var seconds: [Double]
    /// Those that were not killed: they have no dots, and are counted at the right.
    public var survivors: Int

    public init(name: String, seconds: [Double], survivors: Int) {
      self.name = name
      self.seconds = seconds
      self.survivors = survivors
    }
  }

  /// Above the rows, and the name of the picture: plain text, which is escaped.
  public var title: String
  /// From the top down.
  public var rows: [Row]

  public init(title: String, rows: [Row]) {
    self.title = title
    self.rows = rows
  }

  private static let width = 760.0
  private static let left = 150.0
  private static let right = 110.0
  private static let top = 44.0
  private static let rowHeight = 54.0
  private static let radius = 4.5
  private static let ticks = [0.5, 1, 2, 5, 10, 30, 60, 120, 240]

  private static func x(_ seconds: Double) -> Double {
    let low = log(ticks[0])
    let high = log(ticks[ticks.count - 1])
    let share = (log(max(ticks[0], seconds)) - low) / (high - low)
    return left + min(1, share) * (width - left - right)
  }

  /// A whole SVG file: a dot for each kill, a bar at the median, the upper of the middle two. The
  /// axis goes from 0.5 to 240 s; what lies outside stands at its ends.
  public var svg: String {
    let bottom = Self.top + Double(rows.count) * Self.rowHeight
    let height = bottom + 34
    var parts = [
      """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(Self.width)) \(Int(height))" \
      font-family="system-ui, sans-serif" font-size="13" role="img">
      """,
      "<title>\(title.pageText)</title>",
      ##"<rect width="100%" height="100%" fill="#fff"/>"##,
      ##"<text x="16" y="24" font-size="15" fill="#1a1a1a">\##(title.pageText)</text>"##,
    ]
    for tick in Self.ticks {
      let x = Self.x(tick).rounded()
      parts.append(
        ##"<line x1="\##(x)" x2="\##(x)" y1="\##(Self.top)" y2="\##(bottom)" stroke="#ddd"/>"##)
      let label = tick < 1 ? TimeText.fixed(tick, 1) : "\(Int(tick))"
      parts.append(
        ##"<text x="\##(x)" y="\##(bottom + 18)" text-anchor="middle" fill="#555">\##(label) s</text>"##
      )
    }
    parts.append(
      ##"<text x="\##(Self.width - 16)" y="\##(bottom + 18)" text-anchor="end" fill="#555">survived</text>"##
    )
    for (index, row) in rows.enumerated() {
      parts += Self.draw(row, at: Self.top + (Double(index) + 0.5) * Self.rowHeight)
    }
    return (parts + ["</svg>"]).joined(separator: "\n") + "\n"
  }

  private static func draw(_ row: Row, at middle: Double) -> [String] {
    var parts = [
      ##"<text x="16" y="\##(middle + 4)" fill="#1a1a1a">\##(row.name.pageText)</text>"##,
      ##"<text x="\##(width - 16)" y="\##(middle + 4)" text-anchor="end" fill="\##(row.survivors > 0 ? "#b3261e" : "#555")">\##(row.survivors) of \##(row.seconds.count + row.survivors)</text>"##,
    ]
    let sorted = row.seconds.sorted()
    if !sorted.isEmpty {
      let x = Self.x(sorted[sorted.count / 2])
      parts.append(
        ##"<line x1="\##(x)" x2="\##(x)" y1="\##(middle - 20)" y2="\##(middle + 20)" stroke="#1a1a1a" stroke-width="1.5"/>"##
      )
    }
    // Those that would lie on one another stand beside the row's middle instead.
    var placed: [(x: Double, y: Double)] = []
    for seconds in sorted {
      let x = Self.x(seconds)
      let offsets = [0.0, -1, 1, -2, 2].map { $0 * radius * 2 }
      let y =
        offsets.map { middle + $0 }.first { y in
          !placed.contains { abs($0.x - x) < radius * 2 && abs($0.y - y) < 1 }
        } ?? middle
      placed.append((x, y))
      parts.append(
        ##"<circle cx="\##(x)" cy="\##(y)" r="\##(radius)" fill="#1f6feb" fill-opacity="0.65"/>"##)
    }
    return parts
  }
}
