import Testing

@testable import HarnessKit

@Suite struct LineCutterTests {
  private func cut(_ text: String, by size: Int, limit: Int = 100) -> [String] {
    var cutter = LineCutter(limit: limit)
    var lines: [[UInt8]] = []
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      lines += cutter.append(rest.prefix(size))
      rest = rest.dropFirst(size)
    }
    if let last = cutter.finish() { lines.append(last) }
    return lines.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(arguments: [1, 2, 5, 100])
  func `lines are the same however the bytes come`(size: Int) {
    #expect(cut("one\r\n\ntwo\nlast", by: size) == ["one", "", "two", "last"])
  }

  @Test func `a line without an end is cut at the limit, and nothing of it is lost`() {
    let lines = cut(String(repeating: "x", count: 25) + "\n", by: 7, limit: 10)
    #expect(lines.map(\.count) == [10, 10, 5])
  }

  @Test func `a line of just the limit is one line`() {
    #expect(cut("0123456789\nnext\n", by: 4, limit: 10) == ["0123456789", "next"])
  }
}
