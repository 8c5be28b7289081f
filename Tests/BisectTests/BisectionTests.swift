import Testing

@testable import Bisect

@Suite struct BisectionTests {
  @Test func deterministicFindingIsTracedToItsCommitWithFewBuilds() throws {
    let graph = try CommitGraph(linear: 257)
    for culprit in [1, 2, 64, 127, 128, 129, 255, 256] {
      let outcome = FakeKernel(graph: graph, culprit: culprit).bisect()
      guard case .found(let commits, let confidence) = outcome.conclusion else {
        Issue.record("culprit \(culprit): \(outcome.conclusion)")
        continue
      }
      #expect(commits == [culprit])
      #expect(confidence >= 0.99)
      #expect(outcome.bisection.builds <= 12, "culprit \(culprit)")
    }
  }

  @Test func flakyFindingIsTracedToItsCommitAlsoWhereGoodCommitsShowIt() throws {
    let graph = try CommitGraph(linear: 65)
    for (p, q, allowed) in [(0.3, 0.0, 2), (0.8, 0.02, 2), (0.3, 0.02, 3)] {
      var wrong = 0
      for seed in 0..<40 {
        let culprit = 1 + (seed * 37) % 64
        let kernel = FakeKernel(graph: graph, culprit: culprit, p: p, q: q)
        guard case .found(let commits, _) = kernel.bisect(seed: UInt64(seed)).conclusion,
          commits == [culprit]
        else {
          wrong += 1
          continue
        }
      }
      // Of 40 at 0.99, more would be astonishing: a chance of less than one in a hundred.
      #expect(wrong <= allowed, "p \(p), q \(q)")
    }
  }

  @Test func bothEndsAreTriedBeforeAnythingBetweenThem() throws {
    let outcome = FakeKernel(graph: try CommitGraph(linear: 65), culprit: 40).bisect()
    let built = outcome.observations.compactMap { observation -> Int? in
      if case .built(let commit, _) = observation { commit } else { nil }
    }
    #expect(Array(built.prefix(2)) == [64, 0])
    #expect((outcome.bisection.tallies[64]?.findings ?? 0) >= 3)
    #expect((outcome.bisection.tallies[0]?.trials ?? 0) >= 1)
  }

  @Test func findingThatNeverShowsAtTheBadEndEndsItAndSaysAfterHowManyTrials() throws {
    var kernel = FakeKernel(graph: try CommitGraph(linear: 65), culprit: 40, p: 0)
    kernel.options.endTrials = 50
    let outcome = kernel.bisect()
    #expect(outcome.conclusion == .notAtBadEnd(trials: 50))
    #expect(outcome.bisection.builds == 1)
  }

  @Test func findingThatShowsAtTheGoodEndAsWellIsNotBisected() throws {
    var kernel = FakeKernel(graph: try CommitGraph(linear: 65), culprit: 40, p: 0.8, q: 0.8)
    kernel.options.endTrials = 50
    let outcome = kernel.bisect()
    guard case .endsDoNotDiffer = outcome.conclusion else {
      Issue.record("\(outcome.conclusion)")
      return
    }
    #expect(outcome.bisection.builds == 2)
  }

  @Test func commitsThatCannotBeTriedAreGivenTogetherWithTheOneBehindThem() throws {
    let graph = try CommitGraph(linear: 33)
    let kernel = FakeKernel(graph: graph, culprit: 20, unbuildable: [18, 19, 20, 5, 6])
    guard case .found(let commits, _) = kernel.bisect().conclusion else {
      Issue.record("not found")
      return
    }
    #expect(commits == [18, 19, 20, 21])
  }

  @Test func anEndThatCannotBeBuiltEndsIt() throws {
    let graph = try CommitGraph(linear: 33)
    for end in [0, 32] {
      let kernel = FakeKernel(graph: graph, culprit: 20, unbuildable: [end])
      #expect(kernel.bisect().conclusion == .endUnusable(commit: end))
    }
  }

  @Test func kernelThatIsNoOtherThanOneTriedBeforeIsNotTriedAgain() throws {
    let graph = try CommitGraph(linear: 33)
    // Commits 17 to 24 change nothing that is built.
    let kernel = FakeKernel(
      graph: graph, culprit: 25,
      images: Dictionary(uniqueKeysWithValues: (17...24).map { ($0, 16) })
    )
    let outcome = kernel.bisect()
    guard case .found(let commits, _) = outcome.conclusion else {
      Issue.record("\(outcome.conclusion)")
      return
    }
    #expect(commits == [25])
    let tried = outcome.bisection.tallies.keys.filter { (17...24).contains($0) }
    #expect((16...24).contains { outcome.bisection.isBuilt($0) })
    #expect(tried.count + (outcome.bisection.tallies[16] == nil ? 0 : 1) <= 1)
    #expect((17...24).allSatisfy { outcome.bisection.probabilities[$0] < 0.01 })
  }

  /// It was killed behind a build, or the first trial did not enter its window: whichever
  /// commit that was, the search may need it.
  @Test func commitThatWasBuiltAndNotTriedIsTriedWhereItMatters() throws {
    var kernel = FakeKernel(graph: try CommitGraph(linear: 17), culprit: 7)
    kernel.options.trialLimit = 500
    for commit in 0...16 {
      for silent in 0...2 {
        let outcome = kernel.bisect(after: [
          .built(commit: commit, seconds: 60),
          .trials(commit: commit, Tally(), silent: silent, seconds: 9),
        ])
        guard case .found(let commits, _) = outcome.conclusion else {
          Issue.record("commit \(commit), \(silent) trials that say nothing: \(outcome.conclusion)")
          continue
        }
        #expect(commits == [7])
        #expect(outcome.bisection.trials < 50)
      }
    }
  }

  @Test func trialsThatSayNothingSkipTheCommit() throws {
    let graph = try CommitGraph(linear: 9)
    var bisection = Bisection(graph: graph)
    bisection.record(.built(commit: 4, seconds: 60))
    bisection.record(.trials(commit: 4, Tally(), silent: 3, seconds: 9))
    bisection.record(.trials(commit: 8, Tally(findings: 9, trials: 9), silent: 0, seconds: 9))
    bisection.record(.trials(commit: 0, Tally(findings: 0, trials: 9), silent: 0, seconds: 9))
    guard case .test(let commit, _) = bisection.next() else {
      Issue.record("it is not done")
      return
    }
    #expect(commit != 4)
  }

  @Test func commitThatFixedItIsFound() throws {
    let graph = try CommitGraph(linear: 65)
    for (culprit, p) in [(1, 1.0), (30, 0.5), (64, 1.0)] {
      var kernel = FakeKernel(graph: graph, culprit: culprit, p: p)
      kernel.options.findsFix = true
      guard case .found(let commits, _) = kernel.bisect().conclusion else {
        Issue.record("culprit \(culprit)")
        continue
      }
      #expect(commits == [culprit])
    }
  }

  @Test func bugThatCameByASideBranchIsFoundOnIt() throws {
    // 0 - 1 - 2 - 3 ------- 8 (merge) - 9
    //      \- 4 - 5 - 6 - 7 -/
    let graph = try CommitGraph(parents: [
      [], [0], [1], [2], [1], [4], [5], [6], [3, 7], [8],
    ])
    for culprit in 1...9 {
      guard
        case .found(let commits, _) = FakeKernel(graph: graph, culprit: culprit).bisect().conclusion
      else {
        Issue.record("culprit \(culprit)")
        continue
      }
      #expect(commits == [culprit])
    }
  }

  @Test func interruptedAtAnyObservationItGoesOnToTheSameDecision() throws {
    let kernel = FakeKernel(graph: try CommitGraph(linear: 65), culprit: 23, p: 0.5)
    let whole = kernel.bisect(seed: 5)
    var again = Bisection(graph: kernel.graph)
    for (index, observation) in whole.observations.enumerated() {
      // One that asks after each observation, and one that only reads the record.
      _ = again.next()
      again.record(observation)
      var fresh = Bisection(graph: kernel.graph)
      for earlier in whole.observations[...index] { fresh.record(earlier) }
      #expect(fresh.next() == again.next())
    }
    #expect(again.next() == .done(whole.conclusion))
  }

  @Test func commitThatIsLikelierBeforehandTakesFewerBuilds() throws {
    let graph = try CommitGraph(linear: 257)
    var kernel = FakeKernel(graph: graph, culprit: 99)
    let plain = kernel.bisect().bisection.builds
    var weights = [Double](repeating: 0.01, count: 257)
    for commit in [40, 99, 200] { weights[commit] = 10 }
    kernel.weights = weights
    let informed = kernel.bisect()
    #expect(informed.bisection.builds < plain)
    #expect(informed.bisection.answer.commits == [99])
  }

  @Test func trialsAndBuildsThatTakeNoTimeDoNotStopIt() throws {
    for (build, trial) in [(0.0, 0.0), (60, 0), (0, 3)] {
      let graph = try CommitGraph(linear: 65)
      var bisection = Bisection(graph: graph)
      var steps = 0
      while case .test(let commit, _) = bisection.next(), steps < 500 {
        steps += 1
        if !bisection.isBuilt(commit) { bisection.record(.built(commit: commit, seconds: build)) }
        let tally = Tally(findings: commit >= 20 ? 1 : 0, trials: 1)
        bisection.record(.trials(commit: commit, tally, silent: 0, seconds: trial))
      }
      #expect(bisection.answer.commits == [20], "\(build), \(trial)")
      #expect(steps < 200)
    }
  }

  @Test func limitOfTrialsEndsItWithTheLikeliestCommits() throws {
    var kernel = FakeKernel(graph: try CommitGraph(linear: 65), culprit: 40, p: 0.1)
    kernel.options.trialLimit = 120
    let outcome = kernel.bisect()
    guard case .exhausted(let commits, let confidence) = outcome.conclusion else {
      Issue.record("\(outcome.conclusion)")
      return
    }
    #expect(!commits.isEmpty && confidence < 0.99)
    #expect(outcome.bisection.trials == 120)
  }

  @Test func limitOfTrialsHoldsWhileTheEndsAreProved() throws {
    var kernel = FakeKernel(graph: try CommitGraph(linear: 65), culprit: 40, p: 0)
    kernel.options.endTrials = 300
    kernel.options.trialLimit = 20
    let outcome = kernel.bisect()
    guard case .exhausted = outcome.conclusion else {
      Issue.record("\(outcome.conclusion)")
      return
    }
    #expect(outcome.bisection.trials == 20)
  }

  /// It stopped booting behind its trials; the next commit has its image.
  @Test func aCommitWithTheImageOfASkippedOneIsNotWaitedFor() throws {
    let graph = try CommitGraph(linear: 9)
    var bisection = Bisection(graph: graph)
    bisection.record(.built(commit: 4, seconds: 60))
    bisection.record(.sameImage(commit: 5, as: 4))
    bisection.record(.skipped(commit: 4))
    var steps = 0
    while case .test(let commit, _) = bisection.next(), steps < 200 {
      steps += 1
      #expect(commit != 4 && commit != 5)
      if !bisection.isBuilt(commit) { bisection.record(.built(commit: commit, seconds: 60)) }
      let tally = Tally(findings: commit >= 6 ? 1 : 0, trials: 1)
      bisection.record(.trials(commit: commit, tally, silent: 0, seconds: 3))
    }
    #expect(steps < 200)
    #expect(bisection.answer.commits.contains(6))
  }
}

@Suite struct CommitGraphTests {
  @Test func parentBehindItsChildIsRefused() {
    #expect(throws: CommitGraph.InvalidGraph.self) { try CommitGraph(parents: [[], [2], [0]]) }
    #expect(throws: CommitGraph.InvalidGraph.self) { try CommitGraph(parents: [[]]) }
    #expect(throws: CommitGraph.InvalidGraph.self) { try CommitGraph(parents: [[], [0], [0]]) }
  }

  @Test func whatBothSidesOfAMergeHaveCountsOnce() throws {
    let graph = try CommitGraph(parents: [[], [0], [1], [1], [2, 3]])
    #expect(graph.ancestralSums(of: [1, 1, 1, 1, 1]) == [1, 2, 3, 3, 5])
    #expect(graph.ancestry(of: 3) == [true, true, false, true, false])
  }
}

@Suite struct InformationTests {
  @Test func trialThatAlwaysTellsIsWorthOneBit() {
    #expect(abs(Information.ofTrials(1, share: 0.5, high: 1, low: 0) - 1) < 1e-12)
    #expect(abs(Information.capacity(high: 1, low: 0) - 1) < 1e-6)
  }

  @Test func trialWhoseRatesAreAlikeTellsNothing() {
    #expect(Information.ofTrials(8, share: 0.5, high: 0.3, low: 0.3) < 1e-12)
  }

  @Test func capacityOfAOneSidedTrialIsThatOfTheZChannel() {
    // log2(1 + (1 − s) s^(s / (1 − s))) for s = 0.5: log2(1.25).
    #expect(abs(Information.capacity(high: 0.5, low: 0) - 0.321928) < 1e-4)
  }

  @Test func probabilitiesOfABinomialSumToOne() {
    for rate in [0, 1e-9, 0.3, 0.999, 1] {
      #expect(abs(Information.binomial(50, rate).reduce(0, +) - 1) < 1e-9)
    }
  }
}
