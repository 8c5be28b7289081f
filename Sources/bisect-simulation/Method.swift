import Bisect
import Foundation

/// A way to bisect.
enum Method: String, CaseIterable {
  /// `harness bisect`, by its own code.
  case harness
  /// git bisect with so many runs a commit that one of the bad ones is taken for good in
  /// one bisection of a hundred. It is told p, which nobody knows.
  case fixed
  /// syzkaller's: 20 runs at the ends, 10 or, where fewer than half of those showed it, 20
  /// a commit; one finding makes a commit bad.
  case syzkaller

  struct End {
    /// Nil where it gave up.
    var answer: Int?
    var runs = 0
    /// Of those, the ones of the bad and of the good end before the first of a commit
    /// between them.
    var runsAtEnds = [0, 0]
    var builds = 0
  }

  func bisect(_ made: FairCase, commits: Int, high: Double, low: Double) throws -> End {
    var end = End()
    var trials: [Int: Int] = [:]
    func isShown(_ commit: Int) -> Bool {
      if trials[commit] == nil { end.builds += 1 }
      let number = trials[commit, default: 0]
      trials[commit] = number + 1
      end.runs += 1
      return made.shows(commit: commit, trial: number, high: high, low: low)
    }
    func halve(_ isBad: (Int) -> Bool) -> Int {
      var (good, bad) = (0, commits)
      while bad - good > 1 {
        let middle = (good + bad) / 2
        if isBad(middle) { bad = middle } else { good = middle }
      }
      return bad
    }
    switch self {
    case .fixed:
      let steps = log2(Double(commits)).rounded(.up)
      let runs = Int((log(0.01 / steps) / log1p(-high)).rounded(.up))
      end.answer = halve { commit in (0..<runs).contains { _ in isShown(commit) } }
    case .syzkaller:
      let atBad = (0..<20).count { _ in isShown(commits) }
      guard atBad > 0 else { return end }
      let runs = atBad < 20 - atBad ? 20 : 10
      // All at once, so it does not stop at the first.
      guard (0..<runs).count(where: { _ in isShown(0) }) == 0 else { return end }
      end.answer = halve { commit in (0..<runs).count { _ in isShown(commit) } > 0 }
    case .harness:
      var bisection = Bisection(graph: try CommitGraph(linear: commits + 1))
      while true {
        switch bisection.next() {
        case .done(let conclusion):
          if case .found(let found, _) = conclusion, found.count == 1 { end.answer = found[0] }
          return end
        case .test(let commit, let count):
          if !bisection.isBuilt(commit) { bisection.record(.built(commit: commit, seconds: 60)) }
          var tally = Tally()
          while tally.trials < count, tally.findings == 0 {
            tally.trials += 1
            if isShown(commit) { tally.findings += 1 }
          }
          if end.builds == trials.keys.count(where: { $0 == 0 || $0 == commits }) {
            end.runsAtEnds = [commits, 0].map { trials[$0, default: 0] }
          }
          bisection.record(
            .trials(commit: commit, tally, silent: 0, seconds: 3 * Double(tally.trials)))
        }
      }
    }
    return end
  }
}
