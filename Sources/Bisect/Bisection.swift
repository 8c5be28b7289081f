#if canImport(Glibc)
  import Glibc
#endif

/// A bisection as a value: what was observed goes in, what to do next comes out.
///
/// It reads no clock and draws no random number: the same observations in the same order
/// lead to the same decision, so that one which was interrupted goes on by reading its
/// record again.
public struct Bisection: Sendable {
  /// What is asked for.
  public struct Options: Hashable, Sendable, Codable {
    /// How likely the answer has to be the right one.
    public var confidence: Double
    /// Trials at the bad end before it is given up that the finding shows there.
    public var endTrials: Int
    /// Of a build and of a trial, as long as none was measured.
    public var buildSeconds: Double
    /// Likewise. How much more a build takes decides when another one is worth it.
    public var trialSeconds: Double
    /// Trials in all, after which it ends without an answer; nil for no limit.
    public var trialLimit: Int?
    /// Whether the commit that is looked for is the one that made good what was bad: the
    /// old end is bad then, and the new one good.
    public var findsFix: Bool

    public init(
      confidence: Double = 0.99, endTrials: Int = 300, buildSeconds: Double = 60,
      trialSeconds: Double = 3, trialLimit: Int? = nil, findsFix: Bool = false
    ) {
      self.confidence = confidence
      self.endTrials = endTrials
      self.buildSeconds = buildSeconds
      self.trialSeconds = trialSeconds
      self.trialLimit = trialLimit
      self.findsFix = findsFix
    }
  }

  /// Something that was seen.
  public enum Observation: Hashable, Sendable {
    /// The commit's kernel is there.
    case built(commit: Int, seconds: Double)
    /// Its kernel is, byte for byte, that of a commit that was built before.
    case sameImage(commit: Int, as: Int)
    /// Trials of it came to an end.
    ///
    /// - Parameter silent: those that say nothing: another finding, a window that was not
    ///   entered.
    case trials(commit: Int, Tally, silent: Int, seconds: Double)
    /// It cannot be built, booted or tried.
    case skipped(commit: Int)
  }

  /// What to do next.
  public enum Step: Hashable, Sendable {
    /// Build the commit if it is not built, and make up to so many trials; end with the
    /// first that shows the finding.
    case test(commit: Int, trials: Int)
    /// Nothing: it has ended.
    case done(Conclusion)
  }

  /// How it ended.
  public enum Conclusion: Hashable, Sendable {
    /// The commit that is looked for is one of these: more than one where those between could not
    /// be tested.
    case found(commits: [Int], confidence: Double)
    /// The finding did not show at the bad end.
    case notAtBadEnd(trials: Int)
    /// It shows at the good end as often as at the bad one, or the difference is too
    /// small to go by.
    case endsDoNotDiffer(probability: Double)
    /// An end cannot be built, booted or tried.
    case endUnusable(commit: Int)
    /// The limit of trials was reached; the likeliest commits and what is believed of them.
    case exhausted(commits: [Int], confidence: Double)
  }

  /// A commit is its number in this graph, here and in all that is recorded.
  public let graph: CommitGraph
  /// The ends that are said to be good and bad.
  public var goodEnd: Int { options.findsFix ? graph.newEnd : graph.oldEnd }
  /// Tried first: what does not show here is not looked for.
  public var badEnd: Int { options.findsFix ? graph.oldEnd : graph.newEnd }
  /// As given; nothing that is recorded changes them.
  public let options: Options
  private var posterior: Posterior
  private var isSkipped: [Bool]
  /// The commit whose kernel a commit's is; its own number where it was built for itself.
  private var image: [Int: Int] = [:]
  private var silent: [Int: Int] = [:]
  private var buildTimes = Mean()
  private var trialTimes = Mean()
  private var trialCount = 0
  private var endsAreProved = false
  private var discounts: [[Double]: BuildDiscount] = [:]

  /// The belief that the ends do not differ after all, before any trial.
  private static let priorOfNoChange = 0.05
  /// What it takes to know p well enough to go by it: with fewer, each trial without a
  /// finding says as much of p as of the commit.
  private static let findingsAtBadEnd = 3
  /// What is left of the doubt that the ends differ where one goes on between them, in units
  /// of the doubt that is allowed of the answer. What is tried there tells of it as well, and
  /// no answer is given before all doubt taken together is as small as was asked for.
  private static let doubtOfEnds = 3.0
  /// Trials in a row that say nothing before a commit is skipped for it, if it has none
  /// that does.
  static let silentLimit = 3
  /// At the most, before the next decision.
  private static let longestBatch = 16

  /// - Parameter weights: how likely each commit is to be the one that is looked for, before any
  ///   trial, in any unit; that of the old end is not looked at.
  public init(graph: CommitGraph, weights: [Double]? = nil, options: Options = Options()) {
    self.graph = graph
    self.options = options
    var prior = weights ?? [Double](repeating: 1, count: graph.count)
    let sum = prior.dropFirst().reduce(0, +)
    for commit in prior.indices {
      prior[commit] =
        commit == graph.oldEnd
        ? Bisection.priorOfNoChange : prior[commit] / sum * (1 - Bisection.priorOfNoChange)
    }
    posterior = Posterior(
      graph: graph, prior: prior, rates: RatePrior(), findsFix: options.findsFix)
    isSkipped = [Bool](repeating: false, count: graph.count)
  }

  /// Takes over what was seen.
  public mutating func record(_ observation: Observation) {
    switch observation {
    case .built(let commit, let seconds):
      image[commit] = commit
      buildTimes.add(seconds)
    case .sameImage(let commit, let other):
      let kernel = image[other] ?? other
      image[commit] = kernel
      // Both are good or both are bad, so the change is not between them.
      let ofOne = graph.ancestry(of: commit)
      let ofOther = graph.ancestry(of: kernel)
      posterior.ruleOut((1..<graph.count).filter { ofOne[$0] != ofOther[$0] })
      if isSkipped[kernel] { skip(commit) }
    case .trials(let commit, let tally, let silent, let seconds):
      trialCount += tally.trials + silent
      trialTimes.add(seconds, times: tally.trials + silent)
      self.silent[commit] = tally.trials > 0 ? 0 : self.silent[commit, default: 0] + silent
      posterior.record(tally, at: commit)
      // For good: what is tried between the ends is to tell where, and not whether.
      if !endsAreProved, nextAtEnds == nil { endsAreProved = true }
      let limit = posterior.tallies[commit] == nil ? Self.silentLimit : 8 * Self.silentLimit
      if self.silent[commit, default: 0] >= limit { skip(commit) }
    case .skipped(let commit): skip(commit)
    }
  }

  /// Neither it nor a commit that has its kernel can be tried.
  private mutating func skip(_ commit: Int) {
    for other in isSkipped.indices where other == commit || image[other] == commit {
      isSkipped[other] = true
    }
  }

  /// What to do next.
  public mutating func next() -> Step {
    for end in [badEnd, goodEnd] where isSkipped[end] {
      return .done(.endUnusable(commit: end))
    }
    let step = (endsAreProved ? nil : nextAtEnds) ?? nextToName()
    guard case .test(let commit, let trials) = step, let limit = options.trialLimit else {
      return step
    }
    guard trialCount < limit else {
      let best = answer
      return .done(.exhausted(commits: best.commits, confidence: best.confidence))
    }
    return .test(commit: commit, trials: min(trials, limit - trialCount))
  }

  /// A step that names the commit, where the ends are proved.
  private mutating func nextToName() -> Step {
    let best = answer
    if posterior.noChange >= options.confidence {
      return .done(.endsDoNotDiffer(probability: posterior.noChange))
    }
    if best.confidence >= target {
      return .done(.found(commits: best.commits, confidence: best.confidence))
    }
    return nextBetween()
  }

  // MARK: Evidence

  /// The commits that are likeliest to be the one that is looked for, as far as tests can tell them
  /// apart, and how likely that is.
  public var answer: (commits: [Int], confidence: Double) {
    let masses = posterior.masses
    let representatives = graph.representatives(untestable: isSkipped)
    var sums = [Double](repeating: 0, count: graph.count)
    for commit in 1..<graph.count { sums[representatives[commit]] += masses[commit] }
    let best = sums.indices.max { sums[$0] < sums[$1] } ?? graph.newEnd
    let members = (1..<graph.count).filter { representatives[$0] == best && masses[$0] > 0 }
    return (members, sums[best])
  }

  /// How likely each commit is to be the one that is looked for; that of the old end is how
  /// likely the ends are not to differ.
  public var probabilities: [Double] { posterior.masses }
  /// Of each commit, how likely it is to be bad.
  public var badness: [Double] { posterior.shares }
  /// By commit; none for a commit that has no trial but silent ones.
  public var tallies: [Int: Tally] { posterior.tallies }
  /// Kernels that differ: commits with the same image count once.
  public var builds: Int { Set(image.values).count }
  /// Of all commits, silent ones included.
  public var trials: Int { trialCount }
  /// Whether there is a kernel of it, its own or another commit's.
  public func isBuilt(_ commit: Int) -> Bool { image[commit] != nil }
  /// The commit whose kernel a commit's is: itself, or one that was built before.
  public func kernel(of commit: Int) -> Int? { image[commit] }
  /// Of a build and of a trial, as measured so far or else as given.
  public var secondsPerBuild: Double { buildTimes.value ?? options.buildSeconds }
  /// Of a trial, silent ones included.
  public var secondsPerTrial: Double { trialTimes.value ?? options.trialSeconds }
  /// A build in trials. Capped: trials that cost next to nothing still tell less and less.
  private var trialsPerBuild: Double {
    let ratio = secondsPerBuild / max(secondsPerTrial, 1e-9)
    return min(max(ratio, 0.01), 100)
  }

  // MARK: Deciding

  /// A part of the doubt that is allowed is kept for what the model does not know: rates
  /// between the points of its grid, a q that its prior does not expect. So much is enough
  /// for each cell of docs/bisect-simulation.md.
  private var target: Double { 1 - (1 - options.confidence) * 0.85 }

  /// From 0, where a finding proves that a commit is bad, to 1, where it takes many.
  private var mixing: Double {
    let ratio = min(1, 5 * posterior.meanQ / posterior.meanP)
    return ratio * ratio
  }

  /// A step that proves the ends; nil where they are proved.
  private var nextAtEnds: Step? {
    let atBad = posterior.tallies[badEnd] ?? Tally()
    if atBad.findings == 0 {
      let left = options.endTrials - atBad.trials
      guard left > 0 else { return .done(.notAtBadEnd(trials: atBad.trials)) }
      return .test(commit: badEnd, trials: min(left, Self.longestBatch))
    }
    if atBad.findings < Self.findingsAtBadEnd {
      return .test(commit: badEnd, trials: Self.longestBatch)
    }
    if posterior.noChange <= Self.doubtOfEnds * (1 - options.confidence) { return nil }
    if posterior.noChange >= options.confidence
      || atBad.trials + (posterior.tallies[goodEnd]?.trials ?? 0) >= 40 * options.endTrials
    {
      return .done(.endsDoNotDiffer(probability: posterior.noChange))
    }
    guard posterior.tallies[goodEnd] != nil else {
      return .test(commit: goodEnd, trials: batch)
    }
    let information = posterior.information
    let end = information[badEnd] > information[goodEnd] ? badEnd : goodEnd
    return .test(commit: end, trials: batch)
  }

  /// The commit whose trials tell the most a second, its build counted in.
  private mutating func nextBetween() -> Step {
    let (shares, information) = (posterior.shares, posterior.information)
    let discount = discount(high: posterior.meanP, low: posterior.meanQ)
    let doubt = doubtOfTesting
    var best = (commit: badEnd, rate: -1.0)
    for commit in graph.oldEnd...graph.newEnd where !isSkipped[commit] {
      var rate = information[commit]
      if let kernel = image[commit] {
        guard kernel == commit else { continue }
      } else {
        rate *= discount(shares[commit])
      }
      // It may be built and nothing be known of it: it was interrupted there, or its trials
      // said nothing.
      if posterior.tallies[commit] == nil { rate *= doubt[commit] }
      if rate > best.rate * (1 + 1e-9) { best = (commit, rate) }
    }
    return .test(commit: image[best.commit] ?? best.commit, trials: batch)
  }

  /// For commits that are not built. By rounded rates, so that few are ever made.
  ///
  /// A build counts a tenth: what is left open about one commit is settled by the trials of
  /// those that are built after it. But it counts what a finding takes, and nearly twice that
  /// where good commits show it often, or a rare bug would have half of all commits built. Both
  /// are by simulation: less takes fewer trials still, and many more builds.
  private mutating func discount(high: Double, low: Double) -> BuildDiscount {
    func rounded(_ value: Double, toParts parts: Double) -> Double {
      exp2((log2(value) * parts).rounded() / parts)
    }
    let build = max(trialsPerBuild / 10, (1 + 0.8 * mixing) / high)
    let key = [
      min(rounded(high, toParts: 4), 0.999),
      low < high / 500 ? 0 : rounded(low, toParts: 2), rounded(build, toParts: 2),
    ]
    if let known = discounts[key] { return known }
    let made = BuildDiscount(high: key[0], low: min(key[1], key[0]), build: key[2])
    discounts[key] = made
    return made
  }

  /// Trials until the next decision: few enough that a finding is not to be expected.
  private var batch: Int {
    max(1, min(Self.longestBatch, Int(0.35 / posterior.meanP)))
  }

  /// Of each commit, how likely it is that it can be tested at all: beside one that could
  /// not be, less.
  private var doubtOfTesting: [Double] {
    var distance = [Int](repeating: Int.max / 2, count: graph.count)
    for commit in 0..<graph.count {
      if isSkipped[commit] {
        distance[commit] = 0
      } else if commit > 0 {
        distance[commit] = min(distance[commit], distance[commit - 1] + 1)
      }
    }
    for commit in (0..<graph.count - 1).reversed() {
      distance[commit] = min(distance[commit], distance[commit + 1] + 1)
    }
    return distance.map { 1 - 1 / Double($0 + 1) }
  }

  /// A mean that is told one value after the other.
  private struct Mean: Sendable {
    private var sum = 0.0
    private var count = 0
    var value: Double? { count == 0 ? nil : sum / Double(count) }

    mutating func add(_ value: Double, times: Int = 1) {
      guard times > 0 else { return }
      sum += value
      count += times
    }
  }
}
