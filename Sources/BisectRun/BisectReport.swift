public import Bisect
import Foundation
import HarnessKit

/// What a bisection came to, for people and for git.
public struct BisectReport: Sendable {
  let plan: BisectPlan
  let history: CommitHistory
  let conclusion: Bisection.Conclusion
  let state: BisectJob.State

  /// - Parameters:
  ///   - plan: the one that the job had.
  ///   - conclusion: what `BisectJob.run` returned.
  ///   - state: what it returned beside that.
  public init(
    plan: BisectPlan, history: CommitHistory, conclusion: Bisection.Conclusion,
    state: BisectJob.State
  ) {
    self.plan = plan
    self.history = history
    self.conclusion = conclusion
    self.state = state
  }

  private var kind: String { plan.options.findsFix ? "fix" : "first bad commit" }

  /// 0 found; 4 the finding did not show, or not differently; 3 an end is unusable.
  public var exitCode: Int32 {
    switch conclusion {
    case .found: 0
    case .endUnusable: 3
    case .notAtBadEnd, .endsDoNotDiffer, .exhausted: 4
    }
  }

  /// The answer, and what it rests on.
  public var text: String {
    var lines = [headline]
    switch conclusion {
    case .found(let commits, _), .exhausted(let commits, _):
      if commits.count > 1 {
        lines.append("Those before the last could not be tried, so these are not told apart:")
      }
      lines += commits.map { "  \(name($0))" }
    case .notAtBadEnd, .endsDoNotDiffer, .endUnusable: break
    }
    lines += ["", "evidence:"] + evidence + [""]
    let bisection = state.bisection
    lines.append(
      "\(bisection.trials) trials of \(bisection.builds) kernels; "
        + "\(Self.time(state.buildSeconds)) of building, \(Self.time(state.trialSeconds)) of trials"
    )
    return lines.joined(separator: "\n") + "\n"
  }

  private var headline: String {
    let ends = state.bisection
    let bad = ends.tallies[ends.badEnd] ?? Tally()
    switch conclusion {
    case .found(let commits, let confidence):
      let what = commits.count > 1 ? "\(kind): one of \(commits.count)" : kind
      return "\(what), \(Self.percent(confidence)) sure"
    case .notAtBadEnd(let trials):
      // The rule of three: with 95 %, the rate is below 3 / n.
      let bound = Self.percent(min(1, 3 / Double(max(trials, 1))), up: true)
      return "no answer: the finding did not show at \(name(ends.badEnd)) in \(trials) trials; "
        + "if it is there, its rate is below \(bound) (95 %)"
    case .endsDoNotDiffer(let probability):
      return "no answer: the finding shows at both ends alike "
        + "(\(Self.percent(probability)) sure): \(bad.findings) of \(bad.trials) trials at the bad "
        + "end, \(Self.rate(ends.tallies[ends.goodEnd])) at the good one"
    case .endUnusable(let commit):
      // It may be another commit's kernel, which could not be tried there.
      let reasons = [commit, ends.kernel(of: commit) ?? commit].compactMap {
        state.skipped[$0] ?? state.silent[$0]?.last
      }
      return "no answer: \(name(commit)) cannot be tried: "
        + (reasons.first ?? "no trial says anything")
    case .exhausted(_, let confidence):
      return "no answer within \(plan.options.trialLimit ?? 0) trials; likeliest, "
        + "\(Self.percent(confidence)) sure"
    }
  }

  /// A line for each commit that was built, in the order of the history.
  private var evidence: [String] {
    let ends = state.bisection
    let tried = Set(state.kernels.keys).union(state.skipped.keys).sorted()
    return tried.map { commit in
      var words = ["  \(name(commit))"]
      if commit == ends.badEnd { words.append("[bad end]") }
      if commit == ends.goodEnd { words.append("[good end]") }
      let tally = ends.tallies[commit]
      if let tally {
        words.append(
          "\(Self.rate(tally)) trials (95 %: \(Self.interval(tally)))")
        if let title = state.findings[commit]?.first, !title.isEmpty { words.append("“\(title)”") }
      }
      if let kernel = state.kernels[commit] {
        if !kernel.isHooked { words.append("through ftrace") }
        let same = state.kernels.keys.sorted().first {
          $0 != commit && state.kernels[$0]?.image == kernel.image && ends.tallies[$0] != nil
        }
        if tally == nil, let same { words.append("same kernel as \(short(same))") }
      }
      if let silent = state.silent[commit], !silent.isEmpty {
        words.append("\(silent.count) trials say nothing: \(silent.last ?? "")")
      }
      if let why = state.skipped[commit] { words.append("skipped: \(why)") }
      return words.joined(separator: "  ")
    }
  }

  /// A log for `git bisect replay`: the commits of which it is sure, and those skipped.
  public var gitLog: String {
    let isFix = plan.options.findsFix
    let (oldTerm, newTerm) = isFix ? ("broken", "fixed") : ("good", "bad")
    let ends = state.bisection
    func lines(_ commit: Int, _ term: String) -> [String] {
      ["# \(term): [\(history.commits[commit].hash)] \(history.commits[commit].subject)"]
        + ["git bisect \(term) \(history.commits[commit].hash)"]
    }
    let start =
      "git bisect start" + (isFix ? " --term-new=fixed --term-old=broken" : "")
      + (plan.paths.isEmpty ? "" : " -- " + plan.paths.map(\.quotedForShell).joined(separator: " "))
    var log = [start]
    log += lines(history.graph.newEnd, newTerm) + lines(history.graph.oldEnd, oldTerm)
    let badness = ends.badness
    for commit in 1..<history.graph.newEnd {
      let isTried = ends.tallies[commit] != nil
      let oldness = isFix ? badness[commit] : 1 - badness[commit]
      if state.skipped[commit] != nil {
        log += lines(commit, "skip")
      } else if isTried, oldness >= plan.options.confidence {
        log += lines(commit, oldTerm)
      } else if isTried, 1 - oldness >= plan.options.confidence {
        log += lines(commit, newTerm)
      }
    }
    if case .found(let commits, _) = conclusion, commits.count == 1 {
      // It is sure without a trial of each: git is told what follows from the others'.
      log += lines(commits[0], newTerm)
      for parent in history.graph.parents[commits[0]] { log += lines(parent, oldTerm) }
      log.append(
        "# first \(newTerm) commit: [\(history.commits[commits[0]].hash)] "
          + history.commits[commits[0]].subject)
    }
    return log.joined(separator: "\n") + "\n"
  }

  private func name(_ commit: Int) -> String {
    "\(short(commit)) (“\(history.commits[commit].subject)”)"
  }

  private func short(_ commit: Int) -> String { String(history.commits[commit].hash.prefix(12)) }

  // MARK: Words

  /// `5 of 8`
  private static func rate(_ tally: Tally?) -> String {
    "\(tally?.findings ?? 0) of \(tally?.trials ?? 0)"
  }

  /// Wilson's.
  private static func interval(_ tally: Tally) -> String {
    let range = Wilson.interval(tally.findings, of: tally.trials)
    let low = Int((range.lowerBound * 100).rounded(.down))
    let high = Int((range.upperBound * 100).rounded(.up))
    return "\(low) to \(high) %"
  }

  static func percent(_ value: Double, up: Bool = false) -> String {
    // Never rounded to more than is known.
    let tenths = (value * 1000).rounded(up ? .up : .down) / 10
    return String(format: "%.1f %%", tenths)
  }

  /// `40 s`, `12 min`, `3 h 20 min`
  public static func time(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    return whole < 3600 ? "\(whole / 60) min" : "\(whole / 3600) h \(whole % 3600 / 60) min"
  }
}
