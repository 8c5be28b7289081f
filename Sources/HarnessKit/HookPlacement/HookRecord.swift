import Foundation

/// What was done to a tree, kept in it: from this it is undone.
struct HookRecord: Codable, Hashable, Sendable {
  static let name = ".zswap-hooks.json"

  /// Lines that came in place of others.
  struct Change: Codable, Hashable, Sendable {
    /// The first one's number in the changed file, counted from 1.
    var line: Int
    var removed: [String]
    var added: [String]
  }

  struct File: Codable, Hashable, Sendable {
    var path: String
    /// SHA-256; nil where there was no such file.
    var before: String?
    var after: String
    var changes: [Change]
  }

  var version = 1
  var note = "Made by “harness kernel patch”. “harness kernel patch --undo” reads it."
  var files: [File]

  /// The lines that differ.
  static func changes(from before: [UInt8], to after: [UInt8]) -> [Change] {
    let old = textLines(before)
    let new = textLines(after)
    var gone: [Int: String] = [:]
    var come: [Int: String] = [:]
    for change in new.difference(from: old) {
      switch change {
      case .remove(let offset, let line, _): gone[offset] = String(decoding: line, as: UTF8.self)
      case .insert(let offset, let line, _): come[offset] = String(decoding: line, as: UTF8.self)
      }
    }
    var changes: [Change] = []
    var from = 0
    var to = 0
    while from < old.count || to < new.count {
      var change = Change(line: to + 1, removed: [], added: [])
      while let line = gone[from] {
        change.removed.append(line)
        from += 1
      }
      while let line = come[to] {
        change.added.append(line)
        to += 1
      }
      if !change.removed.isEmpty || !change.added.isEmpty { changes.append(change) }
      from += 1
      to += 1
    }
    return changes
  }
}

extension HookRecord.File {
  /// What undoing leaves of a file.
  struct Undone: Hashable {
    var bytes: [UInt8]
    /// The hooks' lines that somebody has changed, and that are still there.
    var leftovers: [Int]
  }

  /// Takes the changes back where they were made, if the file is as it was left.
  func undoExactly(_ bytes: [UInt8]) -> [UInt8]? {
    var lines = textLines(bytes).map { String(decoding: $0, as: UTF8.self) }
    for change in changes.reversed() {
      let range = change.line - 1..<change.line - 1 + change.added.count
      guard range.upperBound <= lines.count, Array(lines[range]) == change.added else { return nil }
      lines.replaceSubrange(range, with: change.removed)
    }
    return Array(lines.joined(separator: "\n").utf8)
  }

  /// Takes them back wherever they are by now, with all that was edited since left alone.
  func undoAround(_ bytes: [UInt8]) -> Undone {
    var lines = textLines(bytes).map { String(decoding: $0, as: UTF8.self) }
    for change in changes.reversed() {
      // With the blank lines that came with it, or without.
      let core = Array(change.added.drop { $0.isEmpty }.reversed().drop { $0.isEmpty }.reversed())
      for block in [change.added, core] where !block.isEmpty {
        let places = (0...max(0, lines.count - block.count)).filter {
          lines.count >= block.count && Array(lines[$0..<$0 + block.count]) == block
        }
        guard let at = places.min(by: { abs($0 - change.line + 1) < abs($1 - change.line + 1) })
        else { continue }
        lines.replaceSubrange(at..<at + block.count, with: change.removed)
        break
      }
    }
    let leftovers = lines.indices.filter { lines[$0].contains("zswap_hook") }.map { $0 + 1 }
    return Undone(bytes: Array(lines.joined(separator: "\n").utf8), leftovers: leftovers)
  }
}
