import Bisect
import Foundation

/// What the decisions of `harness bisect` come to, beside other ways to bisect, where trials
/// are coin tosses. `scripts/bisect-simulation.sh` runs it and writes the table.
@main
struct BisectSimulation {
  /// One line of the output.
  struct Cell: Codable, Sendable {
    var method: String
    var commits: Int
    var p: Double
    var q: Double
    var cases: Int
    var right: Int
    var gaveUp: Int
    var runs: Double
    var runsAtEnds: Double
    /// Of the bad and of the good end, case by case, for a way that is given the same; nil
    /// where a method does not prove the ends before all else.
    var endsOfCases: [[Int]]?
    /// Case by case, to be compared with a way that has fewer of them.
    var runsOfCases: [Int]
    var builds: Double
    var builds95: Int
    /// Runs that no way to bisect can do without on average, if it is right as often and
    /// is told p and q.
    var bound: Double
  }

  private static let lanes = 2

  static func main() async throws {
    let arguments = CommandLine.arguments.dropFirst().map { $0 }
    guard arguments.count == 4, let cases = Int(arguments[0]) else {
      FileHandle.standardError.write(
        Data("usage: bisect-simulation CASES P,P,... Q,Q,... COMMITS,COMMITS,...\n".utf8))
      exit(64)
    }
    let lists = arguments.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    for commits in lists[2].map({ Int($0) }) {
      for q in lists[1] {
        for p in lists[0] {
          for method in Method.allCases {
            let cell = try await run(method, cases: cases, commits: commits, p: p, q: q)
            print(String(decoding: try encoder.encode(cell), as: UTF8.self))
            fflush(nil)
          }
        }
      }
    }
  }

  private static func run(
    _ method: Method, cases: Int, commits: Int, p: Double, q: Double
  ) async throws -> Cell {
    let ends = try await withThrowingTaskGroup { group in
      for lane in 0..<lanes {
        group.addTask {
          try stride(from: lane, to: cases, by: lanes).map { number in
            let made = FairCase(number: number, commits: commits)
            let end = try method.bisect(made, commits: commits, high: p, low: q)
            return (number: number, end: end, isRight: end.answer == made.culprit)
          }
        }
      }
      var all: [(number: Int, end: Method.End, isRight: Bool)] = []
      for try await some in group { all += some }
      return all.sorted { $0.number < $1.number }
    }
    let builds = ends.map(\.end.builds).sorted()
    return Cell(
      method: method.rawValue, commits: commits, p: p, q: q, cases: cases,
      right: ends.count { $0.isRight }, gaveUp: ends.count { $0.end.answer == nil },
      runs: Double(ends.reduce(0) { $0 + $1.end.runs }) / Double(cases),
      runsAtEnds: Double(ends.reduce(0) { $0 + $1.end.runsAtEnds.reduce(0, +) }) / Double(cases),
      endsOfCases: method == .harness ? ends.map(\.end.runsAtEnds) : nil,
      runsOfCases: ends.map(\.end.runs),
      builds: Double(builds.reduce(0, +)) / Double(cases),
      builds95: builds[builds.count * 95 / 100],
      bound: LeastTrials.toFindOne(of: commits, confidence: 0.99, high: p, low: q))
  }
}
