import Bisect

/// Numbers that look random and are the same each time.
struct SeededGenerator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
    return word ^ (word >> 31)
  }
}

/// A history with one culprit, on which trials are coin tosses.
struct FakeKernel {
  var graph: CommitGraph
  var culprit: Int
  /// The rate of the finding on bad commits, and on good ones.
  var p = 1.0
  var q = 0.0
  var unbuildable: Set<Int> = []
  /// Commits whose kernel is that of the commit given.
  var images: [Int: Int] = [:]
  var options = Bisection.Options()
  var weights: [Double]?

  struct Outcome {
    var conclusion: Bisection.Conclusion
    var observations: [Bisection.Observation]
    var bisection: Bisection
  }

  func isBad(_ commit: Int) -> Bool {
    graph.ancestry(of: commit)[culprit] != options.findsFix
  }

  /// Bisects until it is done.
  func bisect(seed: UInt64 = 1, after observations: [Bisection.Observation] = []) -> Outcome {
    var generator = SeededGenerator(state: seed)
    var bisection = Bisection(graph: graph, weights: weights, options: options)
    var seen: [Bisection.Observation] = []
    func see(_ observation: Bisection.Observation) {
      bisection.record(observation)
      seen.append(observation)
    }
    observations.forEach(see)
    while true {
      switch bisection.next() {
      case .done(let conclusion):
        return Outcome(conclusion: conclusion, observations: seen, bisection: bisection)
      case .test(let commit, let trials):
        if !bisection.isBuilt(commit) {
          if unbuildable.contains(commit) {
            see(.skipped(commit: commit))
            continue
          }
          see(.built(commit: commit, seconds: 60))
          if let other = images[commit], bisection.isBuilt(other) {
            see(.sameImage(commit: commit, as: other))
            continue
          }
        }
        var tally = Tally()
        while tally.trials < trials, tally.findings == 0 {
          tally.trials += 1
          if Double.random(in: 0..<1, using: &generator) < (isBad(commit) ? p : q) {
            tally.findings += 1
          }
        }
        see(.trials(commit: commit, tally, silent: 0, seconds: 3 * Double(tally.trials)))
      }
    }
  }
}
