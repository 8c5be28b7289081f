import Bisect

/// What a bisection is going to take, by bisecting made-up bugs with the same decisions.
public enum BisectForecast {
  /// What bugs that show at one rate take, on average.
  public struct Estimate: Hashable, Sendable {
    /// The rate of the finding on bad commits.
    public var rate: Double
    /// Kernels that are built.
    public var builds: Double
    /// Trials of all those kernels.
    public var trials: Double
    /// Of builds and trials, each as long as the plan's options say.
    public var seconds: Double
  }

  /// One for each rate, in their order. The culprits are spread evenly over the history, and good
  /// commits never show the finding.
  ///
  /// - Parameter rates: at which trials of bad commits show it.
  public static func estimates(
    _ plan: BisectPlan, _ history: CommitHistory, rates: [Double] = [1, 0.3, 0.1]
  ) -> [Estimate] {
    let culprits = history.graph.isLinear && history.graph.count < 5000 ? 12 : 3
    return rates.map { rate in
      var (builds, trials) = (0, 0)
      for number in 0..<culprits {
        let culprit = 1 + (2 * number + 1) * (history.graph.count - 1) / (2 * culprits)
        let end = bisect(
          plan, history, culprit: min(culprit, history.graph.newEnd), rate: rate, seed: number)
        builds += end.builds
        trials += end.trials
      }
      let options = plan.options
      let (meanBuilds, meanTrials) = (
        Double(builds) / Double(culprits), Double(trials) / Double(culprits)
      )
      return Estimate(
        rate: rate, builds: meanBuilds, trials: meanTrials,
        seconds: meanBuilds * options.buildSeconds + meanTrials * options.trialSeconds)
    }
  }

  private static func bisect(
    _ plan: BisectPlan, _ history: CommitHistory, culprit: Int, rate: Double, seed: Int
  ) -> Bisection {
    var word = UInt64(seed) &+ 1
    var bisection = BisectJob.fresh(plan, history).bisection
    let options = plan.options
    while case .test(let commit, let count) = bisection.next() {
      if !bisection.isBuilt(commit) {
        bisection.record(.built(commit: commit, seconds: options.buildSeconds))
      }
      let isBad = history.graph.ancestry(of: commit)[culprit] != options.findsFix
      var tally = Tally()
      while tally.trials < count, tally.findings == 0 {
        tally.trials += 1
        word = word &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let toss = Double(word >> 11) / 9_007_199_254_740_992
        if isBad, toss < rate { tally.findings = 1 }
      }
      bisection.record(
        .trials(
          commit: commit, tally, silent: 0,
          seconds: options.trialSeconds * Double(tally.trials)))
    }
    return bisection
  }
}
