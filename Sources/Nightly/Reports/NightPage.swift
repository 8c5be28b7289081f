import Foundation
import HarnessKit

/// What `night.mustache` and `mail.mustache` are filled with.
struct NightPage {
  let title: String
  let subject: String
  let plan: String
  let verdict: String
  let style: String
  let summary: String
  let facts: [Fact]
  let lists: [List]
  let legend: [Legend]
  let tables: [Table]
  let trends: [Trend]
  let nights: [NightLine]
  /// The matrix, a line for each cell.
  let rows: [TextRow]
  let styleSheet: String

  struct Fact {
    let name: String
    let value: String
  }

  struct List {
    let id: String
    let name: String
    let meaning: String
    let items: [NightItem]
    let count: Int

    init(id: String, name: String, meaning: String, items: [NightItem]) {
      self.id = id
      self.name = name
      self.meaning = meaning
      self.items = items
      count = items.count
    }
  }

  struct Legend {
    let style: String
    let letter: String
    let name: String
  }

  struct Table {
    let machine: String
    let columns: [String]
    let rows: [Row]
  }

  struct Row {
    let kernel: String
    let words: String
    let cells: [TableCell]
  }

  struct TableCell {
    let edge: String
    let mark: Mark?
  }

  struct Mark {
    let style: String
    let letter: String
    let word: String
    let note: String
    let href: String?
  }

  struct Trend {
    let cell: String
    let rate: String
    let label: String
    let scale: String
    let width: Int
    let line: String?
    let ticks: [Tick]
  }

  struct Tick {
    let style: String
    let x: String
    let w: String
    let tip: String
  }

  struct NightLine {
    let begun: String
    let verdict: String
    let engine: String
    let cells: Int
    let runs: Int
    let failed: Int
    let gaps: Int
    let href: String?
  }

  struct TextRow {
    let line: String
  }

  init(_ report: NightReport, styleSheet: String) {
    self.styleSheet = styleSheet
    let night = report.night
    let items = NightItems(report)
    plan = night.plan.name
    verdict =
      switch report.verdict {
      case .regression: items.new.count.of("regression")
      case .broken: "broken: the harness or the host"
      case .kernelUnusable: "a kernel cannot be used"
      case .incomplete: "incomplete"
      case .nothingNew: "nothing new" + Self.oldNews(report, items)
      }
    style =
      switch report.verdict {
      case .regression: "finding"
      case .broken, .kernelUnusable: "error"
      case .incomplete: "unexercised"
      case .nothingNew: Self.oldNews(report, items).isEmpty ? "pass" : "unexercised"
      }
    let day = night.startedAt.formatted(.iso8601).prefix(10)
    title = "\(verdict): \(day)"
    subject = "[zswap \(night.plan.name)] \(day): \(verdict)"
    summary = Self.summary(of: report, items)
    facts = Self.facts(of: report)
    lists = Self.lists(items)
    legend = NightMark.allCases.map { Legend(style: $0.style, letter: $0.letter, name: $0.name) }
    tables = Self.tables(of: report)
    trends = report.cells.map(Trend.init)
    nights = report.nights.map { row in
      let isThis = row.id == report.id
      // Nights of one plan are neighbours.
      let name = URL(filePath: row.folder).lastPathComponent
      return NightLine(
        begun: row.started.formatted(.iso8601),
        verdict: isThis ? report.verdict.rawValue : row.verdict ?? "not over",
        engine: row.engine, cells: row.cells, runs: row.runs, failed: row.failedRuns,
        gaps: row.gaps, href: isThis ? nil : "../\(name)/\(NightReports.page)")
    }
    let width = report.cells.map(\.cell.id.count).max() ?? 0
    rows = report.cells.map { cell in
      let mark = NightMark(cell.gap == nil ? cell.status : nil)
      let name = cell.cell.id.padded(to: width + 2)
      return TextRow(line: "\(name)\(mark.name)\(Self.note(of: cell).map { ", \($0)" } ?? "")")
    }
  }

  private static func summary(of report: NightReport, _ items: NightItems) -> String {
    let runs = report.cells.map(\.runs.count).reduce(0, +)
    let trials = report.cells.flatMap(\.runs).map(\.trials).reduce(0, +)
    return [
      report.cells.count.of("cell"), runs.of("run"), trials.of("trial"),
      "\(items.new.count) new", "\(items.fixed.count) gone", "\(items.flaky.count) flaky",
      "\(items.missing.count) without a verdict",
    ].joined(separator: ", ")
  }

  private static func lists(_ items: NightItems) -> [List] {
    var lists = [
      List(
        id: "new", name: "New", meaning: "seen more than once, and not before",
        items: items.new),
      List(id: "fixed", name: "Fixed", meaning: "gone, or entered again", items: items.fixed),
      List(
        id: "flaky", name: "Flaky", meaning: "not the same in each run: both are kept",
        items: items.flaky),
      List(
        id: "missing", name: "Did not run", meaning: "or gave no verdict", items: items.missing),
    ]
    if !items.first.isEmpty {
      lists.append(
        List(
          id: "first", name: "First night", meaning: "of cells that have no past",
          items: items.first))
    }
    if !items.known.isEmpty {
      lists.append(
        List(
          id: "known", name: "Known", meaning: "somebody has looked at it", items: items.known))
    }
    if !items.upstream.isEmpty {
      lists.append(
        List(
          id: "upstream", name: "Known upstream", meaning: "notes, and no failures",
          items: items.upstream))
    }
    return lists
  }

  private static func facts(of report: NightReport) -> [Fact] {
    let night = report.night
    var facts = [Fact(name: "begun", value: night.startedAt.formatted(.iso8601))]
    if let end = night.finishedAt {
      let took = TimeSpan(seconds: end.timeIntervalSince(night.startedAt))
      facts.append(Fact(name: "took", value: took.description))
    }
    facts.append(Fact(name: "engine", value: night.plan.engine.rawValue))
    facts.append(Fact(name: "exit status", value: "\(report.verdict.exitCode)"))
    for kernel in night.plan.kernels {
      let runs = report.cells.filter { $0.cell.kernel.name == kernel.name }.flatMap(\.runs)
      let build = runs.last { $0.kernel != nil }
      let words = [
        build?.release ?? "?", build?.kernel.map { "sha256 \($0.prefix(16))" },
        report.kernels?.entry(kernel.name)?.commit.map { "commit \($0.prefix(12))" },
      ].compactMap(\.self)
      facts.append(Fact(name: kernel.name, value: words.joined(separator: ", ")))
    }
    return facts
  }

  /// What is there although it is not new: nobody is to read that all is well.
  private static func oldNews(_ report: NightReport, _ items: NightItems) -> String {
    let failing = report.cells.count { $0.status == .fail }
    let words = [
      failing > 0 ? "\(failing.of("cell")) fail\(failing == 1 ? "s" : "")" : nil,
      items.first.isEmpty ? nil : "\(items.first.count.of("finding")) in cells without a past",
    ]
    let told = words.compactMap(\.self)
    return told.isEmpty ? "" : ": \(told.joined(separator: ", "))"
  }

  private static func tables(of report: NightReport) -> [Table] {
    let plan = report.night.plan
    let columns = plan.scenarios.map(\.label)
    return plan.machines.map { machine in
      let rows = plan.kernels.map { kernel in
        Row(
          kernel: kernel.name, words: kernel.words,
          cells: columns.map { scenario in
            let id = "\(kernel.name)/\(scenario)/\(machine.name)"
            guard let cell = report.cells.first(where: { $0.cell.id == id }) else {
              return TableCell(edge: "", mark: nil)
            }
            let mark = NightMark(cell.gap == nil ? cell.status : nil)
            let shown = cell.runs.last { $0.status == cell.status } ?? cell.runs.last
            return TableCell(
              edge: cell.changes.contains(where: \.isRegression) ? "changed" : "",
              mark: Mark(
                style: mark.style, letter: mark.letter, word: mark.name,
                note: note(of: cell) ?? "",
                href: shown?.page))
          })
      }
      return Table(machine: machine.name, columns: columns, rows: rows)
    }
  }

  /// `1 of 3 runs failed`, `3 findings`
  private static func note(of cell: NightReport.CellReport) -> String? {
    if let gap = cell.gap { return gap }
    var words: [String] = []
    if cell.changes.contains(where: \.isRegression) { words.append("new") }
    let findings = Set(
      cell.runs.flatMap(\.findings).filter { !$0.isUpstream }.map(\.fingerprint))
    if !findings.isEmpty { words.append(findings.count.of("finding")) }
    if cell.runs.count > 1 {
      let failed = cell.runs.count { $0.status != .pass }
      words.append(
        failed == 0
          ? cell.runs.count.of("run") : "\(failed) of \(cell.runs.count) runs did not pass")
    }
    if let seconds = cell.runs.compactMap(\.seconds).max(), seconds > 0 {
      words.append("\(TimeText.fixed(seconds, 0)) s")
    }
    return words.isEmpty ? nil : words.joined(separator: ", ")
  }
}

extension NightPage.Trend {
  init(_ report: NightReport.CellReport) {
    let runs = Array((report.past + report.runs).suffix(NightReport.shownRuns))
    cell = report.cell.id
    rate = "failed: \(report.comparison.failures.text)"
    // Few runs do not fill the width: they would look like many.
    let slots = max(12, runs.count)
    width = slots * 10
    ticks = runs.enumerated().map { index, run in
      let mark = NightMark(run.status)
      let time = run.seconds.map { ", \(TimeText.fixed($0, 1)) s" } ?? ""
      return NightPage.Tick(
        style: mark.style, x: "\(index * 10 + 1)", w: "8",
        tip: "\(run.started.formatted(.iso8601)): \(mark.name)\(time)")
    }
    let times = runs.enumerated().compactMap { index, run in
      run.status == .error ? nil : run.seconds.map { (index, $0) }
    }
    let longest = times.map(\.1).max() ?? 0
    scale =
      longest > 0 ? "0 to \(TimeText.fixed(longest, longest < 10 ? 1 : 0)) s" : "no time measured"
    line =
      times.count < 2 || longest <= 0
      ? nil
      : times.map { index, seconds in
        "\(index * 10 + 5),\(TimeText.fixed(34 - seconds / longest * 30, 1))"
      }.joined(separator: " ")
    label = "\(runs.count.of("run")), \(report.comparison.failures.text) failed"
  }
}
