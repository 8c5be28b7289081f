import FoundationEssentials
import GuestWire

/// What the page's template is filled with. The engine finds the fields by their
/// names: `report.mustache` has them, and no logic beside "is there any".
struct ReportPage {
  let title: String
  let verdict: String
  let style: String
  let summary: String
  let failure: [String]
  let facts: [Fact]
  let tally: [Tally]
  let legend: [Tally]
  let claims: [ClaimRow]
  let providers: [MatrixSection]
  let findings: [FindingCard]
  let known: [FindingCard]
  let trials: [TrialCard]
  let points: [PointRow]
  let pointProviders: [String]
  let reasons: Remarks?
  let notes: Remarks?
  let styleSheet: String
  let script: String

  struct Fact {
    let name: String
    let value: String
  }

  struct Tally {
    let style: String
    let letter: String
    let name: String
    let meaning: String
    let count: Int
  }

  struct ClaimRow {
    let id: String
    let name: String
    let sentence: String
    let result: String
    let style: String
    let why: [String]
  }

  struct PointRow {
    let point: String
    let mayHold: String
    let cells: [String]
  }

  /// A list that may be long: what goes beyond the first few is folded.
  struct Remarks {
    let first: [String]
    let rest: [String]

    init?(_ lines: [String]) {
      guard !lines.isEmpty else { return nil }
      first = Array(lines.prefix(6))
      rest = Array(lines.dropFirst(6))
    }
  }

  init(_ record: RunRecord, styleSheet: String, script: String) {
    self.styleSheet = styleSheet
    self.script = script
    let release = record.kernel?.release ?? record.kernel?.path ?? "no kernel"
    title = "\(record.status.rawValue): \(release)"
    verdict = record.status.rawValue
    style = record.status.style
    let marks = Dictionary(grouping: record.trials, by: TrialMark.init).mapValues(\.count)
    legend = TrialMark.allCases.reversed().map { mark in
      Tally(
        style: mark.style, letter: mark.letter, name: mark.name, meaning: mark.meaning,
        count: marks[mark] ?? 0)
    }
    tally = legend.filter { $0.count > 0 }
    summary = ReportPage.summary(of: record)
    failure = (record.error?.message ?? record.cutShort.map { "cut short: \($0)" } ?? "")
      .split(separator: "\n").map(String.init)
    facts = ReportPage.facts(of: record)
    claims = record.claims.map(ReportPage.claim)
    providers = RaceMatrix.all(of: record).map(MatrixSection.init)
    let cards = FindingCard.all(of: record)
    findings = cards.filter { !$0.isKnown }
    known = cards.filter(\.isKnown)
    trials = TrialCard.all(of: record, findings: cards)
    pointProviders = record.points.map(\.provider.rawValue)
    points = ReportPage.points(of: record)
    reasons = Remarks(record.reasons)
    notes = Remarks(record.notes)
  }

  private static func summary(of record: RunRecord) -> String {
    let count = record.trials.count
    let findings = record.findings.count { $0.known == nil }
    let providers = Set(record.trials.map(\.provider)).count
    let pairs = Set(
      record.trials.compactMap { trial in
        trial.schedule.map { RaceMatrix.Pair($0.lastConstraint) }
      }
    ).count
    var parts = [
      "\(count) trial\(count == 1 ? "" : "s")", "\(pairs) pair\(pairs == 1 ? "" : "s") of points",
    ]
    if providers > 1 { parts.append("\(providers) providers") }
    parts.append(findings == 0 ? "no finding" : "\(findings) finding\(findings == 1 ? "" : "s")")
    return parts.joined(separator: ", ")
  }

  private static func facts(of record: RunRecord) -> [Fact] {
    var facts: [Fact] = []
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { facts.append(Fact(name: name, value: value)) }
    }
    add("kernel", record.kernel?.release)
    add("image", record.kernel?.path)
    add("image sha256", record.kernel?.sha256)
    add("configuration", record.kernel?.configOrigin)
    add(
      "machine",
      record.machine.map { machine in
        "\(machine.name), \(machine.cpus) CPUs, \(machine.memoryMiB) MiB, "
          + "\(machine.accelerator), QEMU \(machine.qemuVersion)"
      })
    add("guests", guests(record.guests ?? []))
    add("module", record.module?.vermagic ?? record.module?.path)
    add("harness", record.harness)
    add("begun", record.startedAt.formatted(.iso8601))
    add("took", record.durationSeconds.map { TimeText.fixed($0, 1) + " s" })
    add("seed", record.seed)
    add("exit status", String(record.exitCode))
    add("command", record.commandLine.map(\.asShellWord).joined(separator: " "))
    return facts
  }

  /// `1 booted (ready after 6.4 s), 3 restored (after 0.3 s in the middle)`
  private static func guests(_ guests: [RunRecord.Guest]) -> String {
    RunRecord.Guest.Start.allCases.compactMap { start in
      let started = guests.filter { $0.start == start }
      guard !started.isEmpty else { return nil }
      let times = started.compactMap(\.readySeconds).sorted()
      guard !times.isEmpty else { return "\(started.count) \(start.rawValue), never ready" }
      let middle = TimeText.fixed(times[times.count / 2], 1)
      return "\(started.count) \(start.rawValue) (ready after \(middle) s"
        + (times.count > 1 ? " in the middle)" : ")")
    }
    .joined(separator: ", ")
  }

  private static func claim(_ status: ClaimStatus) -> ClaimRow {
    let why = status.result == .violated ? status.violatedBy : status.reason.map { [$0] } ?? []
    return ClaimRow(
      id: status.claim.rawValue, name: status.claim.title, sentence: status.claim.sentence,
      result: status.result.rawValue, style: status.result.style,
      why: Array(why.prefix(12)) + (why.count > 12 ? ["and \(why.count - 12) more"] : []))
  }

  /// A row for each point of the catalogue that a provider speaks of.
  private static func points(of record: RunRecord) -> [PointRow] {
    HookPoint.catalogue.groupedByActor.compactMap { point in
      let states = record.points.map { provider in provider.points.first { $0.point == point } }
      guard states.contains(where: { $0 != nil }) else { return nil }
      let cells = states.map { state in
        state.map { $0.provider == nil ? "absent" : "\($0.hits)" } ?? ""
      }
      return PointRow(
        point: point.rawValue, mayHold: point.maySleep ? "hold" : "observe", cells: cells)
    }
  }
}
