public import Bisect
import Foundation
public import HarnessKit
import Synchronization

/// A bisection from its first build to its answer.
public struct BisectJob: Sendable {
  let plan: BisectPlan
  let history: CommitHistory
  let lab: any BisectLab
  let journal: BisectJournal
  let status: StatusLine
  private let numbers: [String: Int]

  /// - Parameters:
  ///   - plan: its options hold for the whole bisection, whatever the journal began with.
  ///   - journal: has every trial before anything follows from it.
  ///   - status: shows which commit is under way, and how things stand.
  public init(
    plan: BisectPlan, history: CommitHistory, lab: any BisectLab, journal: BisectJournal,
    status: StatusLine
  ) {
    self.plan = plan
    self.history = history
    self.lab = lab
    self.journal = journal
    self.status = status
    numbers = Dictionary(
      uniqueKeysWithValues: history.commits.enumerated().map { ($1.hash, $0) })
  }

  /// What is known of it: the belief, and the evidence that it rests on.
  public struct State: Sendable {
    /// What is believed, and what is to be done next.
    public var bisection: Bisection
    /// By commit, what it was built to; also of one that was skipped afterwards.
    public var kernels: [Int: BuiltKernel] = [:]
    /// By commit, why it cannot be built, booted or tried; not for one that only had silent trials.
    public var skipped: [Int: String] = [:]
    /// By commit, what its silent trials had to tell, oldest first; "" where nothing.
    public var silent: [Int: [String]] = [:]
    /// Titles of the finding at each commit.
    public var findings: [Int: [String]] = [:]
    /// Of all builds that gave a kernel.
    public var buildSeconds = 0.0
    /// Of all trials, silent ones included.
    public var trialSeconds = 0.0
  }

  /// Before anything was seen.
  public static func fresh(_ plan: BisectPlan, _ history: CommitHistory) -> State {
    State(
      bisection: Bisection(
        graph: history.graph, weights: history.commits.map { PathPrior.weight(of: $0) },
        options: plan.options))
  }

  /// What the journal's entries come to.
  public func state(after entries: [BisectJournal.Entry]) throws(BisectError) -> State {
    var state = Self.fresh(plan, history)
    for entry in entries { try take(entry, into: &state) }
    return state
  }

  /// Goes on from a state until it is done.
  public func run(from start: State) async throws -> (Bisection.Conclusion, State) {
    var state = start
    while true {
      try Task.checkCancellation()
      switch state.bisection.next() {
      case .done(let conclusion): return (conclusion, state)
      case .test(let commit, let trials):
        do {
          try await test(commit, trials: trials, &state)
        } catch {
          // A tool that was killed by the same Ctrl-C says so first.
          try Task.checkCancellation()
          throw error
        }
      }
    }
  }

  private func test(_ commit: Int, trials: Int, _ state: inout State) async throws {
    let hash = history.commits[commit].hash
    let known = state.kernels[commit]
    status.phase("\(known == nil ? "building" : "trying") \(name(commit)): \(outlook(state))")
    let begun = Date()
    let result = try await lab.build(hash, known: known)
    let kernel: BuiltKernel
    switch result {
    case .unusable(let why):
      try note(.skipped(commit: hash, why: why), &state)
      return
    case .built(let built): kernel = built
    }
    if known == nil {
      try note(
        .built(commit: hash, kernel: kernel, seconds: Date().timeIntervalSince(begun)), &state)
      // It may have turned out to be no other than one that was tried before.
      guard state.bisection.kernel(of: commit) == commit else { return }
      status.phase("trying \(name(commit)): \(outlook(state))")
    }
    let seen = Mutex<(trials: [BisectTrial], failure: BisectError?)>(([], nil))
    let why = try await lab.run(hash, kernel, trials: trials) { trial in
      seen.withLock { seen in
        // What follows a line that is missing would be read as if nothing were.
        guard seen.failure == nil else { return }
        seen.trials.append(trial)
        do throws(BisectError) {
          try journal.append(.trial(commit: hash, trial: trial))
        } catch {
          seen.failure = error
        }
      }
    }
    let (done, failure) = seen.withLock { ($0.trials, $0.failure) }
    if let failure { throw failure }
    for trial in done { try take(.trial(commit: hash, trial: trial), into: &state) }
    if let why {
      try note(.skipped(commit: hash, why: why), &state)
    } else if done.isEmpty {
      throw BisectError(
        "try", name(commit), "no trial was made, and nothing says why",
        advice: "Go on with --resume: it is tried again.")
    }
  }

  private func note(_ entry: BisectJournal.Entry, _ state: inout State) throws(BisectError) {
    try journal.append(entry)
    try take(entry, into: &state)
  }

  private func take(
    _ entry: BisectJournal.Entry, into state: inout State
  ) throws(BisectError) {
    func number(_ hash: String) throws(BisectError) -> Int {
      guard let number = numbers[hash] else {
        throw BisectError(
          "go on with", journal.path, "its commit \(hash) is not between the ends any more",
          advice: "Was the branch rewritten? Give the ends by their hashes.")
      }
      return number
    }
    switch entry {
    case .begun, .narrowed: break
    case .built(let hash, let kernel, let seconds):
      let commit = try number(hash)
      state.buildSeconds += seconds
      let same = state.kernels.keys.sorted().first {
        state.kernels[$0] == kernel && state.skipped[$0] == nil
      }
      state.kernels[commit] = kernel
      state.bisection.record(.built(commit: commit, seconds: seconds))
      if let same { state.bisection.record(.sameImage(commit: commit, as: same)) }
    case .trial(let hash, let trial):
      let commit = try number(hash)
      state.trialSeconds += trial.seconds
      var tally = Tally()
      switch trial.outcome {
      case .finding:
        tally = Tally(findings: 1, trials: 1)
        state.findings[commit, default: []].append(trial.what ?? "")
      case .pass: tally = Tally(findings: 0, trials: 1)
      case .silent: state.silent[commit, default: []].append(trial.what ?? "")
      }
      state.bisection.record(
        .trials(
          commit: commit, tally, silent: trial.outcome == .silent ? 1 : 0,
          seconds: trial.seconds))
    case .skipped(let hash, let why):
      let commit = try number(hash)
      state.skipped[commit] = why
      state.bisection.record(.skipped(commit: commit))
    }
  }

  /// `a1b2c3d4e5f6 (17 of 256)`
  private func name(_ commit: Int) -> String {
    "\(history.commits[commit].hash.prefix(12)) (\(commit) of \(history.graph.newEnd))"
  }

  private func outlook(_ state: State) -> String {
    let bisection = state.bisection
    let answer = bisection.answer
    let likeliest = answer.commits.last.map { String(history.commits[$0].hash.prefix(12)) } ?? ""
    let percent = Int((answer.confidence * 100).rounded(.down))
    return "\(bisection.trials) trials, \(bisection.builds) kernels; likeliest \(likeliest),"
      + " \(percent) %"
  }
}
