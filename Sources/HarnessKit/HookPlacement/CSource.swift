/// A file of C as tokens, for finding places in it by what stands there.
///
/// Not a parser of C: it knows comments, strings, preprocessor lines and braces, which is
/// what it takes to find a function and the statements of its body.
struct CSource: Sendable {
  /// A word, a number, a string or one character of punctuation, by its bytes' offsets.
  struct Token: Hashable, Sendable {
    let text: String
    let start: Int
    let end: Int
  }

  let bytes: [UInt8]
  /// Comments and preprocessor lines left out; of the branches of an `#if` that does not
  /// balance its braces, all but the first as well, and all of `#if 0`.
  let tokens: [Token]
  /// Offsets of the comments, in order.
  let comments: [Range<Int>]
  /// Offsets of the preprocessor lines, in order.
  let directives: [Range<Int>]

  init(_ bytes: [UInt8]) {
    var lexer = Lexer(bytes)
    lexer.run()
    self.bytes = bytes
    tokens = Self.oneBranchEach(lexer.tokens, lexer.directives, bytes)
    comments = lexer.comments
    directives = lexer.directives
  }

  /// The tokens of a short text, such as a pattern.
  static func tokens(of text: String) -> [String] {
    var lexer = Lexer(Array(text.utf8))
    lexer.run()
    return lexer.tokens.map(\.text)
  }

  /// Where the line begins that an offset is in.
  func lineStart(_ offset: Int) -> Int {
    (bytes[..<offset].lastIndex(of: UInt8(ascii: "\n")) ?? -1) + 1
  }

  /// Behind the end of the line that an offset is in.
  func lineEnd(_ offset: Int) -> Int {
    (bytes[offset...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count - 1) + 1
  }

  /// Counted from 1.
  func lineNumber(_ offset: Int) -> Int {
    bytes[..<offset].count { $0 == UInt8(ascii: "\n") } + 1
  }

  /// Blanks and tabs that the line of an offset begins with.
  func indentation(_ offset: Int) -> String {
    let start = lineStart(offset)
    return String(decoding: bytes[start...].prefix { $0 == 0x20 || $0 == 0x09 }, as: UTF8.self)
  }

  /// Whether nothing but space stands between two offsets.
  func isBlank(_ range: Range<Int>) -> Bool {
    bytes[range].allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D }
  }

  /// Walks the branches of `#if`s: a brace that is opened in each of them is closed once.
  private static func oneBranchEach(
    _ tokens: [Token], _ directives: [Range<Int>], _ bytes: [UInt8]
  ) -> [Token] {
    struct Branch {
      var depth: Int
      var isHidden: Bool
      /// An unbalanced branch was seen: the others would count its braces again.
      var hidesRest: Bool
    }
    var kept: [Token] = []
    var stack: [Branch] = []
    var depth = 0
    var next = directives.startIndex
    func enter(_ directive: Range<Int>) {
      let words = CSource.tokens(of: String(decoding: bytes[directive].dropFirst(), as: UTF8.self))
      let outer = stack.last?.isHidden ?? false
      switch words.first {
      case "if", "ifdef", "ifndef":
        let never = words.first == "if" && words.dropFirst().first == "0" && words.count == 2
        stack.append(Branch(depth: depth, isHidden: outer || never, hidesRest: false))
      case "else", "elif":
        guard var branch = stack.popLast() else { return }
        if depth != branch.depth { branch.hidesRest = true }
        // What an unbalanced first branch has opened stays open.
        branch.isHidden = (stack.last?.isHidden ?? false) || branch.hidesRest
        stack.append(branch)
      case "endif": _ = stack.popLast()
      default: break
      }
    }
    for token in tokens {
      while next < directives.endIndex, directives[next].lowerBound < token.start {
        enter(directives[next])
        next += 1
      }
      if stack.last?.isHidden == true { continue }
      if token.text == "{" { depth += 1 }
      if token.text == "}" { depth -= 1 }
      kept.append(token)
    }
    return kept
  }
}

private struct Lexer {
  let bytes: [UInt8]
  var tokens: [CSource.Token] = []
  var comments: [Range<Int>] = []
  var directives: [Range<Int>] = []
  private var at = 0
  private var isLineStart = true

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func run() {
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\n"):
        isLineStart = true
        at += 1
      case 0x20, 0x09, 0x0D, 0x0C: at += 1
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "*"): comment { $0.blockEnd() }
      case UInt8(ascii: "/") where peek(1) == UInt8(ascii: "/"): comment { $0.lineEnd() }
      case UInt8(ascii: "#") where isLineStart: directive()
      case UInt8(ascii: "\""), UInt8(ascii: "'"): token(upTo: quotedEnd())
      case let byte where Self.isWord(byte): token(upTo: wordEnd())
      default: token(upTo: at + 1)
      }
    }
  }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
      true
    default: byte >= 0x80
    }
  }

  private func peek(_ ahead: Int) -> UInt8? {
    at + ahead < bytes.count ? bytes[at + ahead] : nil
  }

  private mutating func token(upTo end: Int) {
    isLineStart = false
    tokens.append(
      CSource.Token(text: String(decoding: bytes[at..<end], as: UTF8.self), start: at, end: end))
    at = end
  }

  private mutating func comment(_ end: (Lexer) -> Int) {
    let stop = end(self)
    comments.append(at..<stop)
    at = stop
  }

  private func blockEnd() -> Int {
    var i = at + 2
    while i + 1 < bytes.count {
      if bytes[i] == UInt8(ascii: "*"), bytes[i + 1] == UInt8(ascii: "/") { return i + 2 }
      i += 1
    }
    return bytes.count
  }

  /// Of a line that a backslash may continue.
  private func lineEnd() -> Int {
    var i = at
    while i < bytes.count {
      if bytes[i] == UInt8(ascii: "\\") {
        i += 2
      } else if bytes[i] == UInt8(ascii: "\n") {
        return i
      } else {
        i += 1
      }
    }
    return bytes.count
  }

  private mutating func directive() {
    let start = at
    var i = at
    while i < bytes.count, bytes[i] != UInt8(ascii: "\n") {
      // A comment of several lines belongs to it, and so do continued lines.
      if bytes[i] == UInt8(ascii: "/"), i + 1 < bytes.count, bytes[i + 1] == UInt8(ascii: "*") {
        at = i
        i = blockEnd()
        comments.append(at..<i)
      } else {
        i += bytes[i] == UInt8(ascii: "\\") ? 2 : 1
      }
    }
    at = min(i, bytes.count)
    directives.append(start..<at)
  }

  private func quotedEnd() -> Int {
    var i = at + 1
    while i < bytes.count, bytes[i] != bytes[at], bytes[i] != UInt8(ascii: "\n") {
      i += bytes[i] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(i + 1, bytes.count)
  }

  private func wordEnd() -> Int {
    var i = at
    while i < bytes.count, Self.isWord(bytes[i]) { i += 1 }
    return i
  }
}
