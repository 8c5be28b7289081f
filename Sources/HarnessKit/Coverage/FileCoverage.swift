import Foundation

/// What of a source file has run, by gcov's count.
public struct FileCoverage: Hashable, Sendable, Codable {
  /// One way out of a line, as gcc sees it: a macro or `&&` has several.
  public struct Branch: Hashable, Sendable, Codable {
    /// Times that it was taken.
    public var count: UInt64

    public init(count: UInt64) { self.count = count }
  }

  /// A line that the compiler made code of.
  public struct Line: Hashable, Sendable, Codable {
    /// In the file, from 1.
    public var number: Int
    /// Empty where gcov names none.
    public var function: String
    /// Times that it ran.
    public var count: UInt64
    /// In gcov's order, which is the same for the same compilation.
    public var branches: [Branch]

    public init(number: Int, function: String, count: UInt64, branches: [Branch]) {
      self.number = number
      self.function = function
      self.count = count
      self.branches = branches
    }
  }

  /// As the compiler was given it, without what leads out of the source tree.
  public var file: String
  /// In the order of their numbers; a line that was compiled into several functions
  /// is there for each.
  public var lines: [Line]

  public init(file: String, lines: [Line]) {
    self.file = file
    self.lines = lines
  }

  /// Two counts that are not of the same compilation.
  public struct Mismatch: Error, Hashable, CustomStringConvertible {
    /// The source of which there are two builds.
    public var file: String
    public var description: String {
      "the counts of \(file) are of two different builds, and cannot be added up"
    }
  }

  /// The sums of two counts of the same build.
  public func adding(_ other: FileCoverage) throws(Mismatch) -> FileCoverage {
    guard file == other.file, lines.count == other.lines.count else { throw Mismatch(file: file) }
    var sum = self
    for (index, line) in other.lines.enumerated() {
      guard lines[index].number == line.number, lines[index].function == line.function,
        lines[index].branches.count == line.branches.count
      else { throw Mismatch(file: file) }
      sum.lines[index].count = lines[index].count.addingSaturated(line.count)
      for (branch, taken) in line.branches.enumerated() {
        let count = lines[index].branches[branch].count.addingSaturated(taken.count)
        sum.lines[index].branches[branch].count = count
      }
    }
    return sum
  }

  /// A part that ran, of a whole.
  public struct Share: Hashable, Sendable, Codable {
    /// Those that ran, or were taken, at least once.
    public var hit: Int
    /// The whole, which may be 0.
    public var of: Int

    /// 0 to 100; 0 of nothing.
    public var percent: Double { of == 0 ? 0 : Double(hit) / Double(of) * 100 }

    /// `84.0 % (482 of 574)`
    public var description: String { "\(TimeText.fixed(percent, 1)) % (\(hit) of \(of))" }
  }

  /// The lines that ran; one that was compiled into several functions counts once for each.
  public var lineShare: Share { Share(hit: lines.count { $0.count > 0 }, of: lines.count) }

  /// The branches that were taken, of those of all lines, whether or not the line ran.
  public var branchShare: Share {
    let branches = lines.flatMap(\.branches)
    return Share(hit: branches.count { $0.count > 0 }, of: branches.count)
  }
}
