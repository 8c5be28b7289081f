import GuestWire

/// What the harness finds of a mutant, and what the tools of today do.
public struct ToolComparison: Hashable, Sendable {
  /// What came of one tool on one kernel.
  public enum End: Hashable, Sendable, Codable {
    /// - by: a splat's title, or the tool's own word.
    /// - seconds: from the tool's start, the harness's from the guest being ready.
    case killed(by: String, seconds: Double)
    /// Nothing in so many seconds; 0 for the harness, of which they are not kept.
    case survived(seconds: Double)
    /// For this reason: the kernel was not built, say, or the guest was lost without a word.
    case inconclusive(String)

    /// False for what has survived, and for what is inconclusive.
    public var isKilled: Bool { if case .killed = self { true } else { false } }

    /// Until the kill, or without one; nil where it is inconclusive.
    public var seconds: Double? {
      switch self {
      case .killed(_, let seconds), .survived(let seconds): seconds
      case .inconclusive: nil
      }
    }
  }

  /// What a tool says on the kernel without the bug: what is red there says nothing
  /// about a mutant.
  public struct Baseline: Hashable, Sendable, Codable {
    /// Names of counts that stand for a failure of the tool's own.
    public var red: Set<String>
    /// It reported something that the kernel said about itself.
    public var findings: Set<String>

    /// - Parameter trials: of the tool, on the kernel without the bug.
    public init(_ trials: [TrialRecord]) {
      red = Set(trials.flatMap { ToolComparison.ownFailures(of: $0).map(\.name) })
      findings = Set(trials.flatMap(\.failingFindings).map(\.fingerprint))
    }
  }

  /// The bug that all of them were given.
  public var mutant: Mutant
  /// Its seconds count from the guest being ready; 0 where the record does not say.
  public var harness: End
  /// Of each tool that has both a trial and a baseline; of several trials the last counts.
  public var workloads: [Workload: End]

  /// One that was had before.
  init(_ mutant: Mutant, harness: End, workloads: [Workload: End]) {
    self.mutant = mutant
    self.harness = harness
    self.workloads = workloads
  }

  /// - Parameters:
  ///   - result: of the harness's own run.
  ///   - trials: of the tools, on the same kernel.
  ///   - baselines: of each tool; one that is not in it is left out.
  public init(
    _ result: MutantResult, _ trials: [TrialRecord], baselines: [Workload: Baseline]
  ) {
    mutant = result.mutant
    switch result.end {
    case .killed, .killedOtherwise:
      harness =
        result.kill.map { .killed(by: $0.title, seconds: $0.seconds ?? 0) } ?? .inconclusive("")
    case .survived, .green, .falseAlarm: harness = .survived(seconds: 0)
    case .notBuilt(let why), .inconclusive(let why): harness = .inconclusive(why)
    }
    workloads = [:]
    for trial in trials {
      guard let workload = trial.workload, let baseline = baselines[workload] else { continue }
      workloads[workload] = Self.end(of: trial, beside: baseline)
    }
  }

  /// What a tool's trial on a mutant comes to.
  static func end(of trial: TrialRecord, beside baseline: Baseline) -> End {
    guard let report = trial.report else {
      // The guest was lost in it.
      return trial.failingFindings.first.map {
        .killed(by: $0.title, seconds: trial.secondsFromReady ?? 0)
      } ?? .inconclusive(trial.reasons.first ?? "no report")
    }
    let seconds = Double(report.milliseconds) / 1000
    if let finding = trial.failingFindings.first(where: {
      !baseline.findings.contains($0.fingerprint)
    }) {
      return .killed(by: finding.title, seconds: seconds)
    }
    if let failure = ownFailures(of: trial).first(where: { !baseline.red.contains($0.name) }) {
      return .killed(by: failure.name, seconds: failure.seconds ?? seconds)
    }
    return trial.failures.isEmpty
      ? .survived(seconds: seconds) : .inconclusive(trial.failures[0].message)
  }

  /// A tool's own word that something is wrong, the first one first.
  private static func ownFailures(
    of trial: TrialRecord
  ) -> [(name: String, seconds: Double?)] {
    let counts = trial.report?.counts ?? [:]
    return counts.compactMap { name, count -> (name: String, seconds: Double?)? in
      let isFailure =
        name.hasPrefix("not ok ") || name.hasPrefix("killed by signal ") || name == "failures"
        || name == "exit status"
      guard isFailure, count > 0 else { return nil }
      return (name, counts["ms to \(name)"].map { Double($0) / 1000 })
    }
    .sorted { ($0.seconds ?? .infinity, $0.name) < ($1.seconds ?? .infinity, $1.name) }
  }
}

/// Comparisons, as a table.
public struct ToolComparisonTable {
  /// A row each, in this order.
  public var comparisons: [ToolComparison]
  /// On the kernel without a bug: what is red there is listed above the table.
  public var baselines: [Workload: ToolComparison.Baseline]
  /// What the table says of how they were come by.
  public var preface: String

  public init(
    comparisons: [ToolComparison], baselines: [Workload: ToolComparison.Baseline], preface: String
  ) {
    self.comparisons = comparisons
    self.baselines = baselines
    self.preface = preface
  }

  /// Times to the kill, by tool.
  public var picture: KillTimePicture {
    let columns: [(String, [ToolComparison.End?])] =
      [("harness", comparisons.map { $0.harness })]
      + Workload.allCases.map { workload in
        (workload.rawValue, comparisons.map { $0.workloads[workload] })
      }
    return KillTimePicture(
      title: "Seconds to the kill of the same bugs (log scale)",
      rows: columns.map { name, ends in
        let known = ends.compactMap { $0 }
        return KillTimePicture.Row(
          name: name, seconds: known.filter(\.isKilled).compactMap(\.seconds),
          survivors: known.count { if case .survived = $0 { true } else { false } })
      })
  }

  /// A page: the preface, what is red without a bug, how many each tool killed, and a row for
  /// each mutant.
  public var markdown: String {
    var lines = ["# Side by side", "", preface, ""]
    for workload in Workload.allCases {
      let red = (baselines[workload]?.red ?? []).sorted()
      lines.append(
        "- `\(workload.rawValue)` on the kernel without a bug: "
          + (red.isEmpty
            ? "nothing is red"
            : "red there, and so never counted: "
              + red.map { "`\($0)`" }.joined(separator: ", ")) + ".")
    }
    lines.append("")
    let names = ["harness"] + Workload.allCases.map(\.rawValue)
    lines += [
      "| | " + names.joined(separator: " | ") + " |",
      "|---|" + names.map { _ in "---|" }.joined(),
      Self.scores("killed", comparisons),
    ]
    let kinds = Mutant.Kind.allCases.map { kind in
      (kind, comparisons.filter { $0.mutant.kind == kind })
    }.filter { !$0.1.isEmpty }
    if kinds.count > 1 {
      lines += kinds.map { Self.scores("of class \($0.rawValue), \($0.title)", $1) }
    }
    lines += [
      "",
      "| mutant | class | what | " + names.joined(separator: " | ") + " | first tool / harness |",
      "|---|---|---|" + names.map { _ in "---|" }.joined() + "---|",
    ]
    lines += comparisons.map(Self.row)
    return lines.joined(separator: "\n") + "\n"
  }

  private static func scores(_ what: String, _ comparisons: [ToolComparison]) -> String {
    let columns =
      [comparisons.map { Optional($0.harness) }]
      + Workload.allCases.map { workload in comparisons.map { $0.workloads[workload] } }
    return "| \(what) | " + columns.map(score).joined(separator: " | ") + " |"
  }

  private static func score(_ ends: [ToolComparison.End?]) -> String {
    let known = ends.compactMap { $0 }.filter { $0.seconds != nil }
    return "\(known.count { $0.isKilled }) of \(known.count)"
  }

  private static func row(of comparison: ToolComparison) -> String {
    let mutant = comparison.mutant
    let others = Workload.allCases.map { comparison.workloads[$0] }
    let first = others.compactMap { $0 }.filter(\.isKilled).compactMap(\.seconds).min()
    let ratio: String =
      if let own = comparison.harness.seconds, comparison.harness.isKilled, own > 0 {
        // What survived took at least as long as it was given.
        if let first {
          "\(TimeText.fixed(first / own, 1))"
        } else {
          others.compactMap { $0?.seconds }.min().map { "> \(TimeText.fixed($0 / own, 0))" } ?? "-"
        }
      } else {
        "-"
      }
    let cells =
      [mutant.id, mutant.kind.rawValue, mutant.title, text(comparison.harness)]
      + others.map(text) + [ratio]
    return "| " + cells.map { $0.replacing("|", with: "\\|") }.joined(separator: " | ") + " |"
  }

  private static func text(_ end: ToolComparison.End?) -> String {
    switch end {
    case .killed(let title, let seconds): "**\(TimeText.fixed(seconds, 1)) s** \(title)"
    case .survived(let seconds): seconds > 0 ? "- (\(TimeText.fixed(seconds, 0)) s)" : "-"
    case .inconclusive: "?"
    case nil: ""
    }
  }
}
