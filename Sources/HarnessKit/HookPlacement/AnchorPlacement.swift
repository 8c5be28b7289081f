/// Puts the calls of ``HookSite`` rows into the text of one file.
struct AnchorPlacement {
  /// What became of a point.
  enum Outcome: Hashable {
    case placed
    case absent(String)
    case unplaced(String)
  }

  /// Why an insertion does not fit: words that go behind "in f(): ".
  private struct Misfit: Error {
    let reason: String
  }

  private let source: CSource
  private let functions: [CFunction]
  private var edits: [TextEdit] = []
  private var braced: Set<Int> = []

  init(_ bytes: [UInt8]) {
    source = CSource(bytes)
    functions = source.functions
  }

  var result: [UInt8] { TextEdit.apply(edits, to: source.bytes) }

  /// Tries a point's rows until one fits.
  mutating func place(_ rows: [HookSite]) -> Outcome {
    var misfit: String?
    for row in rows {
      let homes = functions.filter { $0.name == row.function }
      guard !homes.isEmpty else { continue }
      // A function may be there twice, for different configurations: each that fits has it.
      var isPlaced = false
      for home in homes {
        if let having = row.having, matches(having, in: home).isEmpty { continue }
        if let absence = row.absence { return .absent(absence) }
        do throws(Misfit) {
          try place(row, in: home)
          isPlaced = true
        } catch {
          misfit = misfit ?? "in \(row.function)(): \(error.reason)"
        }
      }
      if isPlaced { return .placed }
    }
    var names: [String] = []
    for row in rows where !names.contains(row.function) { names.append(row.function) }
    return .unplaced(misfit ?? "there is no \(names.joined(separator: "(), ")) to have it")
  }

  private func matches(_ anchor: String, in home: CFunction, from start: Int? = nil) -> [Int] {
    source.matches(CSource.tokens(of: anchor), in: (start ?? home.open + 1)..<home.close)
  }

  /// A name in a call's arguments that the function does not have: with it, the kernel would
  /// not build.
  private func unknownWord(of insertion: HookInsertion, in home: CFunction) -> String? {
    guard let call = insertion.call else { return nil }
    let known = Set(source.tokens[home.head..<home.close].map(\.text))
    return CSource.tokens(of: "\(call.slot) \(call.result)").first {
      guard let first = $0.first, first.isLetter || first == "_" else { return false }
      return !known.contains($0) && !Self.ours.contains($0)
    }
  }

  private static let ours: Set = ["swp_entry", "ZSWAP_HOOK_NO_SLOT", "zswap_hook_swp"]

  /// All insertions of a row, or none.
  private mutating func place(_ row: HookSite, in home: CFunction) throws(Misfit) {
    let statements = source.statements(of: home)
    let before = (edits, braced)
    var calls = 0
    var returns: (behind: String, start: Int, listed: Set<Int>)?
    do throws(Misfit) {
      for insertion in row.insertions {
        var start: Int?
        if let behind = insertion.behind {
          guard let match = matches(behind, in: home).first,
            let statement = source.statement(with: match, in: statements)
          else { throw Misfit(reason: "there is no “\(behind)”") }
          start = statement.last + 1
        }
        let found = matches(insertion.anchor, in: home, from: start)
        if insertion.isRepeated, let behind = insertion.behind, let start {
          returns = returns ?? (behind, start, [])
          returns?.listed.formUnion(found)
        }
        if found.isEmpty, !insertion.isRepeated {
          throw Misfit(reason: "there is no “\(insertion.anchor)”")
        }
        for match in insertion.isRepeated ? found[...] : found.prefix(1) {
          guard let statement = source.statement(with: match, in: statements) else { continue }
          if let word = unknownWord(of: insertion, in: home) {
            throw Misfit(reason: "there is no “\(word)”, which the call would name")
          }
          try put(insertion, of: row.point, beside: statement)
          if insertion.call != nil { calls += 1 }
        }
      }
      // A way out that has no call would look like a path that has not come to its end.
      if let returns,
        !matches("return", in: home, from: returns.start).allSatisfy(returns.listed.contains)
      {
        throw Misfit(reason: "a value is returned behind “\(returns.behind)” that is not known")
      }
      guard calls > 0 else {
        let anchors = row.insertions.map { "“\($0.anchor)”" }.joined(separator: " or ")
        throw Misfit(reason: "there is no \(anchors)")
      }
    } catch {
      (edits, braced) = before
      throw error
    }
  }

  private mutating func put(
    _ insertion: HookInsertion, of point: String, beside statement: CStatement
  ) throws(Misfit) {
    let first = source.tokens[statement.first]
    let last = source.tokens[statement.last]
    let isBranch = try brace(statement)
    let offset: Int
    switch insertion.side {
    case .before:
      guard source.isBlank(source.lineStart(first.start)..<first.start) else {
        throw Misfit(reason: "“\(insertion.anchor)” does not begin its line")
      }
      offset = isBranch ? source.lineStart(first.start) : startWithComments(first.start)
    case .after:
      guard let end = endWithComments(last.end) else {
        throw Misfit(reason: "“\(insertion.anchor)” does not end its line")
      }
      offset = end
    }
    let indent = source.indentation(first.start)
    var lines = insertion.linesBefore.map { indent + $0 }
    if let call = insertion.call {
      var callIndent = indent
      if let condition = insertion.condition {
        lines.append("\(indent)if (\(condition))")
        callIndent += "\t"
      }
      lines += Self.call(HookSite.constant(of: point), call.slot, call.result, indent: callIndent)
    }
    lines += insertion.linesAfter.map { indent + $0 }
    if insertion.spacing == .apart && !isBranch {
      switch insertion.side {
      case .before:
        if !opensOrIsBlank(before: offset) { lines.insert("", at: 0) }
        lines.append("")
      case .after:
        lines.insert("", at: 0)
        if !closesOrIsBlank(from: offset) { lines.append("") }
      }
    }
    edits.append(
      .insert(
        lines.map { $0 + "\n" }.joined(), at: offset,
        isBranch && insertion.side == .after ? .insideBranch : .line))
  }

  /// Gives a branch braces that has none; says whether the statement is one.
  private mutating func brace(_ statement: CStatement) throws(Misfit) -> Bool {
    guard let head = statement.bracelessAfter else { return false }
    guard braced.insert(head).inserted else { return true }
    let first = source.tokens[statement.first]
    let headToken = source.tokens[head]
    guard source.lineStart(first.start) > headToken.start,
      let end = endWithComments(source.tokens[statement.last].end)
    else { throw Misfit(reason: "a branch stands on the line of its condition") }
    // A condition may go over several lines: the brace is closed below its first word.
    let indent = source.indentation(keyword(of: head))
    edits.append(.insert(" {", at: headToken.end))
    edits.append(.insert("\(indent)}\n", at: end, .closingBrace))
    return true
  }

  /// Where the statement begins whose head ends at a token.
  private func keyword(of head: Int) -> Int {
    guard source.tokens[head].text == ")" else { return source.tokens[head].start }
    var depth = 0
    for i in stride(from: head, through: 1, by: -1) {
      if source.tokens[i].text == ")" { depth += 1 }
      if source.tokens[i].text == "(" {
        depth -= 1
        if depth == 0 { return source.tokens[i - 1].start }
      }
    }
    return source.tokens[head].start
  }

  /// The beginning of a statement's line, or of the comment right above it.
  private func startWithComments(_ offset: Int) -> Int {
    var start = source.lineStart(offset)
    while start > 0,
      let comment = source.comments.last(where: { $0.upperBound <= start }),
      comment.upperBound + 1 == start,
      source.isBlank(source.lineStart(comment.lowerBound)..<comment.lowerBound)
    {
      start = source.lineStart(comment.lowerBound)
    }
    return start
  }

  /// Behind the line that a statement ends on and the comments that begin there; nil if
  /// something else does.
  private func endWithComments(_ offset: Int) -> Int? {
    var end = offset
    while let comment = source.comments.first(where: { $0.lowerBound >= end }),
      comment.lowerBound < source.lineEnd(end), source.isBlank(end..<comment.lowerBound)
    {
      end = comment.upperBound
    }
    let lineEnd = source.lineEnd(end)
    return source.isBlank(end..<lineEnd) ? lineEnd : nil
  }

  private func opensOrIsBlank(before offset: Int) -> Bool {
    guard offset > 0 else { return true }
    if source.isBlank(source.lineStart(offset - 1)..<offset) { return true }
    let last = source.tokens.last { $0.end <= offset }?.text
    return last == "{" || last == ":"
  }

  private func closesOrIsBlank(from offset: Int) -> Bool {
    guard offset < source.bytes.count else { return true }
    if source.isBlank(offset..<source.lineEnd(offset)) { return true }
    return source.tokens.first { $0.start >= offset }.map {
      $0.text == "}" && $0.start < source.lineEnd(offset)
    } ?? true
  }

  /// A call, over two lines where one would be longer than 80 columns.
  private static func call(
    _ constant: String, _ slot: String, _ result: String, indent: String
  ) -> [String] {
    let arguments = [constant, slot, result]
    let column = indent.reduce(0) { $1 == "\t" ? ($0 / 8 + 1) * 8 : $0 + 1 }
    let whole = "zswap_hook(\(arguments.joined(separator: ", ")));"
    guard column + whole.count > 80 else { return [indent + whole] }
    let name = "zswap_hook("
    let inner = column + name.count
    let alignment =
      String(repeating: "\t", count: inner / 8) + String(repeating: " ", count: inner % 8)
    return [
      "\(indent)\(name)\(arguments.dropLast().joined(separator: ", ")),",
      "\(alignment)\(result));",
    ]
  }
}
