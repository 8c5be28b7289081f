/// Cuts a stream of bytes into lines of bounded length.
///
/// A longer line is cut, not kept: what writes it is a guest that may be
/// broken. Carriage returns, which the serial console puts before each line
/// feed, go.
struct LineCutter: Sendable {
  private let limit: Int
  private var line: [UInt8] = []

  init(limit: Int) { self.limit = limit }

  /// The lines that these bytes complete.
  mutating func append(_ bytes: some Sequence<UInt8>) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    for byte in bytes {
      if byte == UInt8(ascii: "\n") {
        lines.append(take())
      } else {
        line.append(byte)
        if line.count > limit { lines.append(take(keepingLast: 1)) }
      }
    }
    return lines
  }

  /// The unfinished last line, if there is one.
  mutating func finish() -> [UInt8]? { line.isEmpty ? nil : take() }

  private mutating func take(keepingLast kept: Int = 0) -> [UInt8] {
    var taken = Array(line.dropLast(kept))
    line.removeFirst(taken.count)
    if kept == 0 { line.removeAll(keepingCapacity: true) }
    while taken.last == UInt8(ascii: "\r") { taken.removeLast() }
    return taken
  }
}
