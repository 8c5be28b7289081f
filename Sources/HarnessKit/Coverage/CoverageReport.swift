import Foundation

/// The coverage of one source file under several runs, side by side, and what none of
/// them reached.
public struct CoverageReport {
  /// Why a line is not reached, or not each way.
  public struct Explanation: Hashable, Sendable {
    /// By gcov's name of it; `-` for a line that is in none.
    public var function: String
    /// The source line, without the space around it.
    public var text: String
    /// May begin with `in reach: ` or `not zswap's: `: see ``isExempt`` and ``isAlien``.
    public var reason: String

    /// No run of any kind can reach it, or only by what is no business of the harness: a
    /// failed allocation at boot, say.
    public var isExempt: Bool { !reason.hasPrefix(Self.inReach) }
    private static let inReach = "in reach: "
    /// The reason without the word that says of what kind it is.
    var short: String { isExempt ? reason : String(reason.dropFirst(Self.inReach.count)) }

    /// The line's branches are none of the file's own: the arms of our hooks. They never
    /// count, as they are taken or not by whether the module is loaded.
    public var isAlien: Bool { reason.hasPrefix(Self.alien) }
    private static let alien = "not zswap's: "

    /// Lines of `function | source line | reason`, a blank on each side of the bars;
    /// what begins with a `#` is none.
    public static func list(parsing text: String) throws(FormatError) -> [Explanation] {
      var list: [Explanation] = []
      for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false)
        .enumerated()
      {
        guard !line.isEmpty, !line.hasPrefix("#") else { continue }
        let parts = line.components(separatedBy: " | ")
        guard parts.count == 3, parts.allSatisfy({ !$0.isEmpty }) else {
          throw FormatError(line: index + 1)
        }
        list.append(Explanation(function: parts[0], text: parts[1], reason: parts[2]))
      }
      return list
    }

    /// A line of the list that has not three parts, or has an empty one.
    public struct FormatError: Error, Hashable, CustomStringConvertible {
      /// From 1.
      public var line: Int
      public var description: String {
        "line \(line): an explanation is “function | source line | reason”"
      }
    }
  }

  /// A run, and what it covered.
  public struct Column: Sendable {
    /// The first cell of the run's row.
    public var name: String
    /// Of the same build as in every other column.
    public var coverage: FileCoverage

    public init(name: String, coverage: FileCoverage) {
      self.name = name
      self.coverage = coverage
    }
  }

  /// At least one. What the first did not reach and another did is listed by itself.
  public let columns: [Column]
  private let source: [String]
  private let explanations: [Explanation]
  /// What any of the runs reached.
  private let union: FileCoverage

  /// - Parameter source: the file's lines.
  public init(
    _ columns: [Column], source: [String], explanations: [Explanation]
  ) throws(FileCoverage.Mismatch) {
    self.columns = columns
    self.source = source
    self.explanations = explanations
    var sum = columns[0].coverage
    for column in columns.dropFirst() { sum = try sum.adding(column.coverage) }
    union = sum
  }

  private func text(of line: FileCoverage.Line) -> String {
    source.indices.contains(line.number - 1)
      ? source[line.number - 1].trimmingCharacters(in: .whitespaces) : ""
  }

  private func explanation(of line: FileCoverage.Line) -> Explanation? {
    let text = text(of: line)
    return explanations.first {
      $0.function == (line.function.isEmpty ? "-" : line.function) && $0.text == text
    }
  }

  private func exemption(of line: FileCoverage.Line) -> Explanation? {
    explanation(of: line).flatMap { $0.isExempt ? $0 : nil }
  }

  /// Whether each line, and each of its branches, counts: it is not exempt, or some run
  /// has reached it all the same. Branches have to be the file's own.
  private struct Reachable {
    var lines: [Bool]
    var branches: [[Bool]]
  }

  private var reachable: Reachable {
    let exemptions = union.lines.map(exemption(of:))
    return Reachable(
      lines: zip(union.lines, exemptions).map { $0.count > 0 || $1 == nil },
      branches: zip(union.lines, exemptions).map { line, exemption in
        line.branches.map { branch in
          exemption.map { branch.count > 0 && !$0.isAlien } ?? true
        }
      })
  }

  /// Of what can be reached.
  public func shares(
    of coverage: FileCoverage
  ) -> (lines: FileCoverage.Share, branches: FileCoverage.Share) {
    let reachable = reachable
    var lines = FileCoverage.Share(hit: 0, of: 0)
    var branches = FileCoverage.Share(hit: 0, of: 0)
    for (index, line) in coverage.lines.enumerated() {
      if reachable.lines[index] {
        lines.of += 1
        lines.hit += line.count > 0 ? 1 : 0
      }
      for (number, branch) in line.branches.enumerated()
      where reachable.branches[index][number] {
        branches.of += 1
        branches.hit += branch.count > 0 ? 1 : 0
      }
    }
    return (lines, branches)
  }

  /// Lines that have not run, or not each way, in all runs together.
  private var missed: [FileCoverage.Line] {
    union.lines.filter { line in
      line.count == 0 || line.branches.contains { $0.count == 0 }
    }
  }

  /// - Parameter preface: of what was run, on what.
  public func markdown(title: String, preface: String) -> String {
    var lines = ["# \(title)", "", preface, ""]
    lines += [
      "| | lines | branches | of reachable lines | of reachable branches |",
      "|---|---|---|---|---|",
    ]
    for column in columns {
      let shares = shares(of: column.coverage)
      let cells = [
        column.coverage.lineShare, column.coverage.branchShare, shares.lines, shares.branches,
      ]
      lines.append(
        "| \(column.name) | " + cells.map(\.description).joined(separator: " | ") + " |")
    }
    let first = columns[0].coverage
    let onlyHere = zip(first.lines, union.lines).enumerated().compactMap { index, pair in
      let (own, all) = pair
      return own.count == 0 && all.count > 0 && exemption(of: own) == nil ? index : nil
    }
    let open = missed.filter { exemption(of: $0) == nil }
    lines += ["", "## Reached by none of them, and not exempt", ""]
    lines +=
      open.isEmpty
      ? ["None."] : Self.table(open.map { ($0, text(of: $0), explanation(of: $0)?.short ?? "") })
    if !onlyHere.isEmpty {
      lines += ["", "## Not reached by \(columns[0].name), but by another", ""]
      lines += Self.table(onlyHere.map { (union.lines[$0], text(of: union.lines[$0]), "") })
    }
    lines += ["", "## Out of reach", ""]
    let exempt = missed.compactMap { line in
      exemption(of: line).map { (line, text(of: line), $0.reason) }
    }
    lines += exempt.isEmpty ? ["Nothing."] : Self.table(exempt)
    return lines.joined(separator: "\n") + "\n"
  }

  private static func table(
    _ rows: [(line: FileCoverage.Line, text: String, reason: String)]
  ) -> [String] {
    let hasReasons = rows.contains { !$0.reason.isEmpty }
    var lines = [
      "| line | function | | branches taken |" + (hasReasons ? " why |" : ""),
      "|---|---|---|---|" + (hasReasons ? "---|" : ""),
    ]
    for (line, text, reason) in rows {
      let branches = line.branches
      let taken =
        branches.isEmpty
        ? "" : "\(branches.count { $0.count > 0 }) of \(branches.count)"
      let code = text.replacing("|", with: "\\|").replacing("`", with: "'")
      lines.append(
        "| \(line.number) | \(line.function) | `\(code)` | \(line.count == 0 ? "not run" : taken) |"
          + (hasReasons ? " \(reason.replacing("|", with: "\\|")) |" : ""))
    }
    return lines
  }
}
