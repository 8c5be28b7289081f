import GuestWire

/// What came of one mutant.
public struct MutantResult: Hashable, Sendable {
  /// What the run says of the mutant; a control has ends of its own.
  public enum End: Hashable, Sendable {
    /// By the finding that its header expects.
    case killed
    /// By another.
    case killedOtherwise
    /// Every window was entered, and nothing was found.
    case survived
    /// A negative control that stayed green.
    case green
    /// A finding against a kernel that is as good as the original.
    case falseAlarm
    /// Its kernel could not be made, for this reason.
    case notBuilt(String)
    /// The run says nothing about it.
    case inconclusive(String)

    /// What a harness that misses nothing, and accuses no sound kernel, comes to.
    public var isGood: Bool {
      switch self {
      case .killed, .killedOtherwise, .green: true
      case .survived, .falseAlarm, .notBuilt, .inconclusive: false
      }
    }

    /// As the table has it.
    public var text: String {
      switch self {
      case .killed: "killed"
      case .killedOtherwise: "killed otherwise"
      case .survived: "**survived**"
      case .green: "green"
      case .falseAlarm: "**false alarm**"
      case .notBuilt: "not built"
      case .inconclusive: "inconclusive"
      }
    }
  }

  /// What killed it.
  public struct Kill: Hashable, Sendable {
    /// The expected finding's, where the trial brought that; else its first one's.
    public var title: String
    /// The trial's; nil for a stress, and for a finding outside of trials.
    public var schedule: Schedule?
    /// Trials until then, that one included.
    public var trials: Int
    /// From the guest being ready until that trial was over; nil where the record
    /// does not say.
    public var seconds: Double?
    /// What any of the trial's findings speaks against, each claim once, in their order.
    public var claims: [Claim]
  }

  /// As its header has it: ``end`` depends on its kind, and on what it expects.
  public var mutant: Mutant
  /// A finding decides it, whatever else the run came to.
  public var end: End
  /// Of a false alarm as well; nil where the run brought no finding that is not known upstream.
  public var kill: Kill?

  /// A mutant of which there is no kernel.
  public init(_ mutant: Mutant, notBuilt why: String) {
    self.mutant = mutant
    end = .notBuilt(why)
  }

  /// - Parameter record: of a run against it that came to its end.
  public init(_ mutant: Mutant, _ record: RunRecord) {
    self.mutant = mutant
    let failing = record.trials.first { !$0.failingFindings.isEmpty }
    // One that belongs to no trial counts as well.
    let findings =
      failing?.failingFindings ?? record.findings.filter { $0.known == nil }
    if let first = findings.first {
      let expected = findings.first { finding in
        mutant.expected.contains { finding.title.contains($0) }
      }
      kill = Kill(
        title: (expected ?? first).title, schedule: failing?.schedule,
        trials: (failing?.index ?? 0) + 1, seconds: failing?.secondsFromReady,
        claims: Claim.allCases.filter { claim in
          findings.contains { $0.claims.contains(claim) }
        })
      end =
        mutant.kind == .equivalent
        ? .falseAlarm : expected == nil ? .killedOtherwise : .killed
      return
    }
    switch record.status {
    case .pass: end = mutant.kind == .equivalent ? .green : .survived
    case .fail: end = .inconclusive("the run failed without a finding")
    case .notExercised:
      end = .inconclusive(record.reasons.first ?? "a window was not entered")
    case .error: end = .inconclusive(record.error?.message ?? "the run did not finish")
    }
  }
}

/// The results of a corpus, as a table.
public struct CorpusTable {
  /// A row each, in this order.
  public var results: [MutantResult]
  /// What the table says of how they were come by.
  public var preface: String

  public init(results: [MutantResult], preface: String) {
    self.results = results
    self.preface = preface
  }

  /// Mutants killed, of those that are none of the controls and were run to an end.
  public var score: (killed: Int, of: Int) {
    let counted = results.filter { result in
      switch result.end {
      case .killed, .killedOtherwise, .survived: true
      case .green, .falseAlarm, .notBuilt, .inconclusive: false
      }
    }
    return (counted.count { $0.end != .survived }, counted.count)
  }

  /// Seconds to the kill in the middle, of those of a kind; between the middle two.
  func medianSeconds(_ kind: Mutant.Kind) -> Double? {
    let seconds = results.filter { $0.mutant.kind == kind }.compactMap(\.kill?.seconds).sorted()
    guard !seconds.isEmpty else { return nil }
    return (seconds[(seconds.count - 1) / 2] + seconds[seconds.count / 2]) / 2
  }

  /// Times to the kill, by class.
  public var picture: KillTimePicture {
    KillTimePicture(
      title: "Seconds from the guest being ready to the kill, by class of bug (log scale)",
      rows: Mutant.Kind.allCases.filter { $0 != .equivalent }.compactMap { kind in
        let results = results.filter { $0.mutant.kind == kind }
        guard !results.isEmpty else { return nil }
        return KillTimePicture.Row(
          name: kind.title, seconds: results.compactMap(\.kill?.seconds),
          survivors: results.count { $0.end == .survived })
      })
  }

  /// A page: the preface, the score, the medians by class, the table, and why nothing is said of
  /// those that were not built or are inconclusive.
  public var markdown: String {
    let (killed, count) = score
    var lines = ["# Mutants", "", preface, ""]
    let percent = count == 0 ? 0 : Int((Double(killed) / Double(count) * 100).rounded(.down))
    let asExpected = results.count { $0.end == .killed }
    lines.append(
      "Mutation score: \(killed) of \(count), \(percent) %; \(asExpected) by the finding that the "
        + "mutant's header foretells, the others, “killed otherwise”, by another. “claim” is what "
        + "the header says is broken, “against” what the findings of the trial that killed it "
        + "accuse.")
    let medians = Mutant.Kind.allCases.compactMap { kind in
      medianSeconds(kind).map { "\(kind.rawValue) \(TimeText.fixed($0, 1)) s" }
    }
    if !medians.isEmpty {
      lines.append(
        "Median time from guest ready to the kill, by class: "
          + medians.joined(separator: ", ") + ".")
    }
    lines += [
      "", "| mutant | class | what | claim | end | finding | against | schedule | trials | s |",
      "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines += results.map(Self.row)
    let silent = results.compactMap { result -> String? in
      switch result.end {
      case .notBuilt(let why), .inconclusive(let why):
        "- \(result.mutant.id): \(why.split(separator: "\n").first ?? "")"
      default: nil
      }
    }
    if !silent.isEmpty { lines += ["", "Nothing is said about:", ""] + silent }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func row(of result: MutantResult) -> String {
    let mutant = result.mutant
    var cells = [
      mutant.id, mutant.kind.rawValue, mutant.title,
      mutant.claims.prefix { $0 != "(" }.trimmed, result.end.text,
    ]
    if let kill = result.kill {
      cells += [kill.title, kill.claims.map(\.rawValue).joined(separator: " ")]
      cells.append(kill.schedule.map { "`\($0)`" } ?? "")
      cells += ["\(kill.trials)", kill.seconds.map { TimeText.fixed($0, 1) } ?? ""]
    } else {
      cells += ["", "", "", "", ""]
    }
    let escaped = cells.map { $0.isEmpty ? "-" : $0.replacing("|", with: "\\|") }
    return "| " + escaped.joined(separator: " | ") + " |"
  }
}
