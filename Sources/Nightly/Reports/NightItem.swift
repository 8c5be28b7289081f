import Foundation
import HarnessKit

/// Something that a morning's reader is told, with where it is.
struct NightItem {
  let title: String
  let cell: String
  let detail: String
  let style: String
  let letter: String
  let runs: [Link]
  let schedule: String?
  let fingerprint: String?
  /// A command that looks for the commit that brought it.
  var bisection: String?
  let lines: [String]
  let moreLines: Int?

  struct Link {
    let name: String
    let href: String
    let path: String
  }

  private static let shownLines = 8

  init(
    title: String, cell: String, detail: String, mark: NightMark, runs: [RunRow] = [],
    schedule: String? = nil, fingerprint: String? = nil, lines: [String] = []
  ) {
    self.title = title
    self.cell = cell
    self.detail = detail
    style = mark.style
    letter = mark.letter
    self.runs = runs.map(Link.init)
    self.schedule = schedule
    self.fingerprint = fingerprint
    self.lines = Array(lines.prefix(Self.shownLines))
    moreLines = lines.count > Self.shownLines ? lines.count - Self.shownLines : nil
  }
}

extension RunRow {
  /// Where a reader of it begins. One that broke may have left no page; why is in what it said.
  var page: String { status == .error ? "\(folder).log" : "\(folder)/report.html" }
}

extension NightItem.Link {
  init(_ run: RunRow) {
    name = run.folder.split(separator: "/").last.map(String.init) ?? run.folder
    path = run.folder
    href = run.page
  }
}

/// What the lists of a report have in them.
struct NightItems {
  var new: [NightItem] = []
  var fixed: [NightItem] = []
  var flaky: [NightItem] = []
  var missing: [NightItem] = []
  /// Of cells that have no past: nothing can be new there.
  var first: [NightItem] = []
  var known: [NightItem] = []
  /// What any kernel of this age is known to do: of each, one item for all cells.
  var upstream: [NightItem] = []

  init(_ report: NightReport) {
    for cell in report.cells {
      for change in cell.changes { add(change, cell, report) }
      if cell.comparison.isFlaky { addFlaky(cell, report) }
      if let gap = cell.gap {
        missing.append(
          NightItem(
            title: cell.cell.id, cell: cell.cell.id, detail: gap, mark: .none, runs: cell.runs))
      }
    }
    for sighting in report.known {
      let title = report.title(of: sighting.fingerprint)
      let until = sighting.entry.untilText
      let item = NightItem(
        title: sighting.isExpired ? "known until \(until), and still there: \(title)" : title,
        cell: sighting.cell,
        detail: sighting.entry.reason + (sighting.isExpired ? "" : " (until \(until))"),
        mark: .fail, fingerprint: sighting.fingerprint)
      if sighting.isExpired { new.append(item) } else { known.append(item) }
    }
    let seen = report.cells.flatMap(\.runs).flatMap { run in
      run.findings.filter(\.isUpstream).map { (run: run, finding: $0) }
    }
    for (fingerprint, sightings) in Dictionary(grouping: seen, by: \.finding.fingerprint)
      .sorted(by: { $0.key < $1.key })
    {
      let cells = Set(sightings.map(\.run.cell)).sorted()
      upstream.append(
        NightItem(
          title: report.title(of: fingerprint), cell: cells.joined(separator: ", "),
          detail: "in \(sightings.map(\.finding.trials).reduce(0, +).of("trial")) of "
            + "\(sightings.count.of("run"))",
          mark: .pass, schedule: sightings[0].finding.schedule, fingerprint: fingerprint))
    }
  }

  private mutating func add(
    _ change: Change, _ cell: NightReport.CellReport, _ report: NightReport
  ) {
    let id = cell.cell.id
    func finding(_ fingerprint: String, _ detail: String, _ mark: NightMark = .fail) -> NightItem {
      var item = self.finding(fingerprint, detail, mark, cell, report)
      if change.isRegression { item.bisection = report.bisection(of: fingerprint, in: cell.cell) }
      return item
    }
    switch change {
    case .new(let fingerprint, let seen):
      new.append(finding(fingerprint, "new: in \(seen.text) of tonight's runs"))
    case .back(let fingerprint, let seen):
      new.append(finding(fingerprint, "back: had gone, and is in \(seen.text) of tonight's runs"))
    case .first(let fingerprint, let seen):
      first.append(finding(fingerprint, "in \(seen.text) of the cell's first runs"))
    case .once(let fingerprint, let seen):
      flaky.append(finding(fingerprint, "seen once: in \(seen.text) of tonight's runs"))
    case .rate(let fingerprint, let past, let now, let chance):
      let item = finding(
        fingerprint,
        "in \(now.text) of the trials, and in \(past.text) before; by chance \(chance.percent)")
      if change.isRegression { new.append(item) } else { fixed.append(item) }
    case .fixed(let fingerprint, let chance):
      fixed.append(
        finding(fingerprint, "not seen; chance would hide it so long \(chance.percent)", .pass))
    case .missing(let fingerprint, let chance):
      fixed.append(
        finding(
          fingerprint, "not seen tonight, which may be chance: \(chance.percent)", .notExercised))
    case .windowsLost(let windows):
      new.append(
        windowItem(
          "\(windows.count.of("window")) no longer entered",
          "in none of tonight's \(cell.runs.count.of("run")), and in those before", windows, cell,
          report, .notExercised))
    case .windowsBack(let windows):
      fixed.append(
        windowItem(
          "\(windows.count.of("window")) entered again", "not in the runs before", windows, cell,
          report, .pass))
    case .slower(let past, let now):
      new.append(
        NightItem(
          title: "slower: \(TimeText.fixed(now, 0)) s to the verdict", cell: id,
          detail: "\(TimeText.fixed(past, 0)) s before (medians), and every run of tonight took "
            + "longer than any before",
          mark: NightMark(cell.status), runs: cell.runs))
    case .broken(let message):
      let first = message.split(separator: "\n").map(String.init)
      missing.append(
        NightItem(
          title: "no verdict: \(first.first ?? message)", cell: id,
          detail: first.dropFirst().joined(separator: " "), mark: .error, runs: cell.runs))
    case .mended:
      fixed.append(
        NightItem(
          title: "there is a verdict again", cell: id, detail: "its last run before gave none",
          mark: .pass, runs: cell.runs))
    }
  }

  private func windowItem(
    _ title: String, _ detail: String, _ windows: [CellRun.Window],
    _ cell: NightReport.CellReport, _ report: NightReport, _ mark: NightMark
  ) -> NightItem {
    NightItem(
      title: title, cell: cell.cell.id, detail: detail, mark: mark, runs: cell.runs,
      lines: windows.map { report.windows[$0] ?? "?" })
  }

  private mutating func addFlaky(
    _ cell: NightReport.CellReport, _ report: NightReport
  ) {
    for (fingerprint, rate) in cell.comparison.intermittent.sorted(by: { $0.key < $1.key }) {
      flaky.append(
        finding(
          fingerprint, "comes and goes: in \(rate.text) of the runs since it came", .fail, cell,
          report))
    }
    // What was seen once says so itself.
    let hasOnce = cell.changes.contains { if case .once = $0 { true } else { false } }
    guard !hasOnce, Set(cell.runs.map(\.status)).count > 1 else { return }
    flaky.append(
      NightItem(
        title: "tonight's runs do not agree: "
          + cell.runs.map(\.status.rawValue).joined(separator: ", "),
        cell: cell.cell.id,
        detail: "of all runs that are compared, \(cell.comparison.failures.text) failed",
        mark: .notExercised, runs: cell.runs))
  }

  private func finding(
    _ fingerprint: String, _ detail: String, _ mark: NightMark, _ cell: NightReport.CellReport,
    _ report: NightReport
  ) -> NightItem {
    let seen = cell.runs.filter { run in
      run.findings.contains { $0.fingerprint == fingerprint }
    }
    let sighting = (seen + cell.past.reversed()).flatMap(\.findings)
      .first { $0.fingerprint == fingerprint }
    let again = seen.flatMap(\.findings).first { $0.fingerprint == fingerprint }?.again
    return NightItem(
      title: report.title(of: fingerprint), cell: cell.cell.id,
      detail: detail + (again.map { "; its schedule alone brings it \($0.text) times" } ?? ""),
      mark: mark, runs: seen.isEmpty ? cell.runs : seen, schedule: sighting?.schedule,
      fingerprint: fingerprint)
  }
}

extension NightReport {
  func title(of fingerprint: String) -> String {
    findings[fingerprint]?.title ?? fingerprint
  }
}

extension Double {
  /// Of a chance.
  fileprivate var percent: String {
    self < 0.0001
      ? "less often than one time in 10000" : String(format: "%.2g %% of the time", self * 100)
  }
}

extension Int {
  /// `1 cell`, `2 cells`
  func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
