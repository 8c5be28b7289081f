/// A patch as text, applied without fuzz: what it takes away has to be there, line by line.
struct UnifiedDiff: Sendable {
  struct File: Sendable {
    let path: String
    let isNew: Bool
    fileprivate(set) var hunks: [Hunk] = []

    /// All that a new file has, or what comes into one that is there.
    var added: [String] {
      hunks.flatMap(\.lines).filter { $0.hasPrefix("+") }.map { String($0.dropFirst()) }
    }
  }

  struct Hunk: Sendable {
    /// Of its first line before the change, counted from 1.
    let start: Int
    fileprivate(set) var lines: [String] = []
  }

  let files: [File]

  init(_ text: String) {
    var files: [File] = []
    var isNew = false
    var left = (old: 0, new: 0)
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if left.old > 0 || left.new > 0 {
        if !line.hasPrefix("+") { left.old -= 1 }
        if !line.hasPrefix("-") { left.new -= 1 }
        // An empty line of context may have lost its blank on the way.
        files[files.count - 1].hunks[files[files.count - 1].hunks.count - 1].lines
          .append(line.isEmpty ? " " : String(line))
      } else if line.hasPrefix("--- ") {
        isNew = line.hasPrefix("--- /dev/null")
      } else if line.hasPrefix("+++ ") {
        let path = line.dropFirst(4).prefix { $0 != "\t" }.split(separator: "/").dropFirst()
        files.append(File(path: path.joined(separator: "/"), isNew: isNew))
      } else if line.hasPrefix("@@ "), !files.isEmpty {
        let numbers = line.split(separator: " ").dropFirst().prefix(2).map {
          $0.dropFirst().split(separator: ",").compactMap { Int($0) }
        }
        guard numbers.count == 2, let start = numbers[0].first else { continue }
        left = (
          numbers[0].count > 1 ? numbers[0][1] : 1, numbers[1].count > 1 ? numbers[1][1] : 1
        )
        files[files.count - 1].hunks.append(Hunk(start: start))
      }
    }
    self.files = files
  }
}

extension UnifiedDiff.File {
  /// The changed text; nil where a hunk fits nowhere.
  func apply(to bytes: [UInt8]) -> [UInt8]? {
    var lines = textLines(bytes).map { Array($0) }
    var shift = 0
    for hunk in hunks {
      let old = hunk.lines.filter { !$0.hasPrefix("+") }.map { Array($0.utf8.dropFirst()) }
      let new = hunk.lines.filter { !$0.hasPrefix("-") }.map { Array($0.utf8.dropFirst()) }
      guard let at = Self.place(of: old, in: lines, near: hunk.start - 1 + shift) else {
        return nil
      }
      lines.replaceSubrange(at..<at + old.count, with: new)
      shift = at - (hunk.start - 1) + new.count - old.count
    }
    return Array(lines.joined(separator: [UInt8(ascii: "\n")]))
  }

  /// The nearest place, as lines may have come and gone above it.
  private static func place(of old: [[UInt8]], in lines: [[UInt8]], near: Int) -> Int? {
    guard let first = old.first, lines.count >= old.count else { return nil }
    return (0...lines.count - old.count)
      .filter { lines[$0] == first && Array(lines[$0..<$0 + old.count]) == old }
      .min { abs($0 - near) < abs($1 - near) }
  }
}
