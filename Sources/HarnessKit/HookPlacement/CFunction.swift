/// A function's definition.
struct CFunction: Sendable {
  /// `zswap_load`; for a system call, as it is defined: `SYSCALL_DEFINE1(swapoff`.
  let name: String
  /// Where the name stands, before the arguments; among the file's tokens, as those below.
  let head: Int
  /// Indices of the body's braces.
  let open: Int
  let close: Int
}

/// A statement of a body, by the indices of its tokens.
struct CStatement: Sendable {
  let first: Int
  let last: Int
  /// Of `if (…)`, `while (…)` and macros like them: up to the closing parenthesis. For a
  /// simple statement, its last token.
  let headLast: Int
  var children: [CStatement] = []
  /// The token that a brace would follow, if this is a branch that has none.
  var bracelessAfter: Int?
}

extension CSource {
  /// The definitions in the file; declarations and calls are none.
  var functions: [CFunction] {
    var found: [CFunction] = []
    var i = 0
    while i < tokens.count {
      guard tokens[i].text == "{" else {
        i += 1
        continue
      }
      let close = closing(i) ?? tokens.count - 1
      if let (name, head) = functionName(before: i) {
        found.append(CFunction(name: name, head: head, open: i, close: close))
      }
      i = close + 1
    }
    return found
  }

  /// `name(…)`, with attributes behind it, before a brace of the outermost level.
  private func functionName(before brace: Int) -> (String, Int)? {
    var end = brace - 1
    var name: (String, Int)?
    while end >= 0 {
      if tokens[end].text == ")" {
        guard let open = opening(end), open > 0, isWord(open - 1) else { break }
        let word = tokens[open - 1].text
        name = (
          word.hasPrefix("SYSCALL_DEFINE") ? "\(word)(\(tokens[open + 1].text)" : word, open - 1
        )
        end = open - 2
        // Behind a name comes its type, and not another parenthesis.
        if end < 0 || tokens[end].text != ")" { break }
      } else if isWord(end), end > 0, tokens[end - 1].text == ")", name == nil {
        end -= 1
      } else {
        break
      }
    }
    return name
  }

  private func isWord(_ index: Int) -> Bool {
    tokens[index].text.first.map { $0.isLetter || $0 == "_" } ?? false
  }

  private static let pairs = ["(": ")", "[": "]", "{": "}"]

  /// The index of what closes the bracket at an index.
  func closing(_ open: Int) -> Int? {
    let left = tokens[open].text
    guard let right = Self.pairs[left] else { return nil }
    var depth = 0
    for i in open..<tokens.count {
      if tokens[i].text == left { depth += 1 }
      if tokens[i].text == right {
        depth -= 1
        if depth == 0 { return i }
      }
    }
    return nil
  }

  private func opening(_ close: Int) -> Int? {
    var depth = 0
    for i in stride(from: close, through: 0, by: -1) {
      if tokens[i].text == ")" { depth += 1 }
      if tokens[i].text == "(" {
        depth -= 1
        if depth == 0 { return i }
      }
    }
    return nil
  }

  /// The statements of a body, nested as they are.
  func statements(of function: CFunction) -> [CStatement] {
    statements(from: function.open + 1, to: function.close)
  }

  private func statements(from start: Int, to end: Int) -> [CStatement] {
    var found: [CStatement] = []
    var i = start
    while i < end {
      let statement = statement(at: i, before: end)
      found.append(statement)
      i = statement.last + 1
    }
    return found
  }

  private func statement(at i: Int, before end: Int) -> CStatement {
    switch tokens[i].text {
    case "{":
      let close = closing(i).map { min($0, end) } ?? end
      return CStatement(
        first: i, last: close, headLast: i, children: statements(from: i + 1, to: close))
    case "if", "for", "while", "switch":
      return control(i, before: end)
    case "else", "do":
      let body = branch(i + 1, after: i, before: end)
      var last = body.last
      if tokens[i].text == "do" {
        while last + 1 < end, tokens[last].text != ";" || last == body.last { last += 1 }
      }
      return CStatement(first: i, last: last, headLast: i, children: [body])
    case "case", "default":
      return simple(i, before: end, upTo: ":")
    default:
      if isWord(i), i + 1 < end {
        if tokens[i + 1].text == ":" {
          return CStatement(first: i, last: i + 1, headLast: i + 1)
        }
        // list_for_each_entry(…) { and its like.
        if tokens[i + 1].text == "(", let close = closing(i + 1), close + 1 < end,
          tokens[close + 1].text == "{"
        {
          return control(i, before: end)
        }
      }
      return simple(i, before: end, upTo: ";")
    }
  }

  private func control(_ i: Int, before end: Int) -> CStatement {
    guard i + 1 < end, tokens[i + 1].text == "(", let headLast = closing(i + 1),
      headLast + 1 < end
    else { return simple(i, before: end, upTo: ";") }
    let body = branch(headLast + 1, after: headLast, before: end)
    var statement = CStatement(
      first: i, last: body.last, headLast: headLast, children: [body])
    if tokens[i].text == "if", body.last + 1 < end, tokens[body.last + 1].text == "else" {
      let other = self.statement(at: body.last + 1, before: end)
      statement = CStatement(
        first: i, last: other.last, headLast: headLast, children: [body, other])
    }
    return statement
  }

  private func branch(_ i: Int, after head: Int, before end: Int) -> CStatement {
    var body = statement(at: i, before: end)
    if tokens[i].text != "{" { body.bracelessAfter = head }
    return body
  }

  /// Up to a token outside all brackets.
  private func simple(_ i: Int, before end: Int, upTo text: String) -> CStatement {
    var last = i
    while last < end {
      if tokens[last].text == text { break }
      if Self.pairs[tokens[last].text] != nil, let close = closing(last) {
        last = close
      }
      last += 1
    }
    last = min(last, end - 1)
    return CStatement(first: i, last: last, headLast: last)
  }

  /// Where a sequence of tokens begins in a range of them, in order.
  func matches(_ pattern: [String], in range: Range<Int>) -> [Int] {
    guard !pattern.isEmpty, range.count >= pattern.count else { return [] }
    return range.dropLast(pattern.count - 1).filter { start in
      pattern.indices.allSatisfy { tokens[start + $0].text == pattern[$0] }
    }
  }

  /// The innermost statement that a token is part of; of a control statement, its head only
  /// is its own.
  func statement(with token: Int, in list: [CStatement]) -> CStatement? {
    guard let outer = list.first(where: { $0.first <= token && token <= $0.last }) else {
      return nil
    }
    return statement(with: token, in: outer.children) ?? outer
  }
}
