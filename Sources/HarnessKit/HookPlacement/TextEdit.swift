/// A change of a text: bytes that go, and bytes that come.
struct TextEdit: Sendable {
  /// Of edits at one offset, the lower goes first.
  enum Rank: Int, Sendable { case insideBranch, closingBrace, line }

  let range: Range<Int>
  let replacement: [UInt8]
  let rank: Rank

  static func insert(_ text: String, at offset: Int, _ rank: Rank = .line) -> TextEdit {
    TextEdit(range: offset..<offset, replacement: Array(text.utf8), rank: rank)
  }

  /// All edits, in the order given where nothing else says which goes first.
  static func apply(_ edits: [TextEdit], to bytes: [UInt8]) -> [UInt8] {
    let order = edits.indices.sorted {
      (edits[$0].range.lowerBound, edits[$0].rank.rawValue, $0)
        < (edits[$1].range.lowerBound, edits[$1].rank.rawValue, $1)
    }
    var result: [UInt8] = []
    var at = 0
    for index in order {
      result += bytes[at..<edits[index].range.lowerBound]
      result += edits[index].replacement
      at = edits[index].range.upperBound
    }
    return result + bytes[at...]
  }
}

/// A text's lines; where the last one ends with a newline, an empty one follows, so that
/// joining them gives the text.
func textLines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
  bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
}
