import GuestWire

/// What stands on the terminal when a run is over; the last line is the verdict.
public struct TextReport {
  /// Lines, each with its newline. A guest's words in it are without control characters.
  ///
  /// - Parameter colour: whether results are coloured by ANSI sequences.
  public static func text(of record: RunRecord, colour: Bool = false) -> String {
    // A sweep has hundreds of trials: those that passed are counted, by outcome.
    let isLong = record.trials.count > listedTrials
    let listed =
      isLong
      ? record.trials.filter { $0.verdict != .pass && $0.verdict != .notExercised } : record.trials
    var lines = listed.map { trial(of: $0, colour: colour) }
    if isLong {
      lines += skips(of: record.trials, colour: colour)
      lines += passes(of: record.trials, colour: colour)
    }
    let drawn = RandomSummary(of: record).lines
    lines += drawn
    for finding in record.findings {
      lines += [""] + self.finding(finding, colour: colour)
      if let again = record.reproductions?.first(where: { $0.fingerprint == finding.fingerprint }) {
        lines.append("  again on fresh guests: \(again.description)")
      }
    }
    lines += why(record)
    // What a pass does not say, a kernel without KASAN above all.
    let told = Set(drawn.map(\.trimmed))
    let notes = record.notes.filter { !told.contains($0) }
    if !notes.isEmpty { lines += [""] + notes.map { "note: \($0.oneLine)" } }
    lines.append("")
    for claim in record.claims {
      lines.append(paint(claim.line, claim.result.tone, colour))
    }
    for file in record.coverage ?? [] {
      lines.append(
        "\(file.file.oneLine): lines \(file.lines.description), "
          + "branches \(file.branches.description)")
    }
    lines.append("")
    lines.append(
      paint("verdict: \(record.status.rawValue)", record.status.tone, colour)
        + unexercisedClaims(record))
    return lines.joined(separator: "\n") + "\n"
  }

  /// A run of a few schedules passes, and says nothing of the other claims.
  private static func unexercisedClaims(_ record: RunRecord) -> String {
    let claims = record.claims.filter { $0.result == .notExercised }.map(\.claim.rawValue)
    return record.status != .pass || claims.isEmpty
      ? "" : " (\(claims.joined(separator: ", ")) not exercised)"
  }

  /// Trials that are listed one by one at the most, where they pass.
  private static let listedTrials = 40

  private static func passes(of trials: [TrialRecord], colour: Bool) -> [String] {
    Provider.allCases.compactMap { provider in
      let passed = trials.filter { $0.provider == provider && $0.verdict == .pass }
      guard !passed.isEmpty else { return nil }
      func count(_ isCounted: (TrialOutcome) -> Bool) -> Int {
        passed.count { isCounted($0.outcome) }
      }
      let interleaved = count { $0 == .interleaved }
      let blocked = count {
        if case .excluded(.blocked) = $0 { true } else { false }
      }
      let returned = count {
        if case .excluded(.returned) = $0 { true } else { false }
      }
      return "\(paint("pass", .good, colour))  \(passed.count) trials [\(provider.rawValue)]: "
        + "\(interleaved) interleaved, \(blocked) excluded (asleep), "
        + "\(returned) excluded (went another way)"
    }
  }

  /// Those that were not exercised, by the reason: a point that a kernel lacks is in many
  /// schedules.
  private static func skips(of trials: [TrialRecord], colour: Bool) -> [String] {
    var groups: [[TrialRecord]] = []
    for trial in trials where trial.verdict == .notExercised {
      let place = groups.firstIndex {
        $0[0].provider == trial.provider && $0[0].reasons == trial.reasons
      }
      if let place { groups[place].append(trial) } else { groups.append([trial]) }
    }
    return groups.map { group in
      group.count > 1
        ? skip("\(group.count) trials [\(group[0].provider.rawValue)]", group[0], colour)
        : trial(of: group[0], colour: colour)
    }
  }

  private static func skip(_ what: String, _ trial: TrialRecord, _ colour: Bool) -> String {
    let reasons = trial.reasons.map(\.oneLine).joined(separator: "; ")
    return "\(paint("skip", .doubtful, colour))  \(what): not exercised: \(reasons)"
  }

  /// Reasons that are given one by one at the most: ktap.txt has all.
  private static let listedReasons = 5

  /// Why there is no verdict about the kernel, where there is none, or not all of it.
  private static func why(_ record: RunRecord) -> [String] {
    let separator = record.trials.isEmpty && record.findings.isEmpty ? [] : [""]
    switch record.status {
    case .pass: return []
    case .fail:
      return record.cutShort.map { why in
        separator + "cut short: \(why)".split(separator: "\n").map { String($0).oneLine }
      } ?? []
    case .notExercised:
      let more = record.reasons.count - listedReasons
      return separator
        + record.reasons.prefix(listedReasons).map { "not exercised: \($0.oneLine)" }
        + (more > 0 ? ["not exercised: … and \(more) more, in ktap.txt"] : [])
        + [record.hintAtProvider].compactMap(\.self)
    case .error:
      // Its first line says what is wrong, the others what to do.
      let message = record.error?.message ?? "unknown"
      return separator + "error: \(message)".split(separator: "\n").map { String($0).oneLine }
    }
  }

  private static func trial(of trial: TrialRecord, colour: Bool) -> String {
    let what = trial.title.oneLine
    switch trial.verdict {
    case .pass: return "\(paint("pass", .good, colour))  \(what): \(trial.outcome)"
    case .fail:
      return "\(paint("fail", .bad, colour))  \(what): \(trial.outcome); "
        + trial.failingFindings.map(\.title.oneLine).joined(separator: "; ")
    case .notExercised: return skip(what, trial, colour)
    case .error:
      let failures = trial.failures.map(\.message.oneLine).joined(separator: "; ")
      return "\(paint("error", .bad, colour)) \(what): \(failures)"
    }
  }

  private static func finding(_ finding: Finding, colour: Bool) -> [String] {
    let label = finding.known == nil ? "finding" : "known upstream"
    var lines = [
      paint("\(label): \(finding.title.oneLine)", finding.known == nil ? .bad : .doubtful, colour)
    ]
    if let schedule = finding.schedule { lines.append("  --schedule \"\(schedule)\"") }
    if !finding.claims.isEmpty, finding.known == nil {
      lines.append("  violates " + finding.claims.map(\.rawValue).joined(separator: ", "))
    }
    lines.append("  \((finding.known?.explanation ?? finding.details).oneLine)")
    lines += finding.frames.prefix(5).flatMap(\.lines).map { "    \($0.oneLine)" }
    lines.append("  fingerprint \(finding.fingerprint)")
    return lines
  }

  fileprivate enum Tone: String {
    case good = "32"
    case bad = "31"
    case doubtful = "33"
  }

  private static func paint(_ text: String, _ tone: Tone, _ colour: Bool) -> String {
    colour ? "\u{1B}[\(tone.rawValue)m\(text)\u{1B}[0m" : text
  }
}

extension ClaimCheck.Result {
  fileprivate var tone: TextReport.Tone {
    switch self {
    case .held: .good
    case .violated: .bad
    case .notExercised: .doubtful
    }
  }
}

extension RunRecord.Status {
  fileprivate var tone: TextReport.Tone {
    switch self {
    case .pass: .good
    case .fail, .error: .bad
    case .notExercised: .doubtful
    }
  }
}

extension String {
  /// A guest's words must not steer the terminal, nor look like lines of ours.
  package var oneLine: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.map {
          $0.value < 0x20 || (0x7F...0x9F).contains($0.value) ? Unicode.Scalar(0x20) : $0
        }))
  }
}
