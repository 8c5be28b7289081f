import Foundation
import HarnessKit

/// A night as test results: a suite for each kernel, in it a case for each cell.
///
/// A cell that fails as it did before fails here too: what is new stands in its words.
struct NightSuites {
  let plan: String
  let count: Int
  let counts: String
  let time: String
  let suites: [Suite]

  struct Suite {
    let name: String
    let number: Int
    let count: Int
    let counts: String
    let time: String
    let cases: [Case]
    let result: String
    let directive: String?
  }

  struct Case {
    let suite: String
    let name: String
    let number: Int
    let time: String
    let result: String
    let directive: String?
    let diagnostics: [String]
    /// Nil for a pass.
    let element: Element?
  }

  struct Element {
    let element: String
    let message: String
    let text: String
  }

  init(_ report: NightReport) {
    plan = report.night.plan.name
    let kernels = report.night.plan.kernels.map(\.name)
      .filter { name in report.cells.contains { $0.cell.kernel.name == name } }
    count = kernels.count
    suites = kernels.enumerated().map { index, kernel in
      let cells = report.cells.filter { $0.cell.kernel.name == kernel }
      let cases = cells.enumerated().map { Case($1, number: $0 + 1, suite: kernel, report) }
      let isSkipped = cases.allSatisfy { $0.result == "ok" && $0.directive != nil }
      return Suite(
        name: kernel, number: index + 1, count: cases.count, counts: Self.counts(of: cases),
        time: Self.seconds(cells), cases: cases,
        result: cases.allSatisfy { $0.result == "ok" } ? "ok" : "not ok",
        directive: isSkipped ? "SKIP" : nil)
    }
    counts = Self.counts(of: suites.flatMap(\.cases))
    time = Self.seconds(report.cells)
  }

  private static func counts(of cases: [Case]) -> String {
    func count(_ element: String) -> Int { cases.count { $0.element?.element == element } }
    return #"tests="\#(cases.count)" failures="\#(count("failure"))" "#
      + #"errors="\#(count("error"))" skipped="\#(count("skipped"))""#
  }

  fileprivate static func seconds(_ cells: [NightReport.CellReport]) -> String {
    TimeText.fixed(cells.flatMap(\.runs).compactMap(\.seconds).reduce(0, +), 3)
  }
}

extension NightSuites.Case {
  init(_ cell: NightReport.CellReport, number: Int, suite: String, _ report: NightReport) {
    self.suite = suite
    self.number = number
    name = "\(cell.cell.scenario.label) on \(cell.cell.machine.name)"
    time = NightSuites.seconds([cell])
    let titles = cell.titles(in: report)
    diagnostics =
      cell.runs.map { run in
        let name = run.folder.split(separator: "/").last.map(String.init) ?? run.folder
        return "\(name): \(run.status.rawValue), \(run.trials.of("trial"))"
      } + titles
    let errors = cell.runs.compactMap(\.error)
    switch cell.gap == nil ? cell.status : nil {
    case .pass:
      (result, directive, element) = ("ok", nil, nil)
    case .fail:
      (result, directive) = ("not ok", nil)
      element = .init(
        element: "failure", message: titles.first ?? "fail",
        text: (titles + cell.runs.map(\.page)).joined(separator: "\n"))
    case .notExercised:
      (result, directive) = ("ok", "SKIP not exercised")
      element = .init(element: "skipped", message: "not exercised", text: "")
    case .error:
      let message = errors.last ?? "unknown"
      (result, directive) = ("not ok", "ERROR \(message)")
      element = .init(element: "error", message: message, text: "")
    case nil:
      let message = cell.gap ?? "did not run"
      (result, directive) = ("not ok", "ERROR \(message)")
      element = .init(element: "error", message: message, text: "")
    }
  }
}

extension NightReport.CellReport {
  /// Its findings, each once; what is new first, and said to be.
  func titles(in report: NightReport) -> [String] {
    let new = Set(changes.filter(\.isRegression).compactMap(\.fingerprint))
    let seen = runs.flatMap(\.findings).filter { !$0.isUpstream }
    var told: Set<String> = []
    let titles = seen.filter { told.insert($0.fingerprint).inserted }.map { finding in
      (new.contains(finding.fingerprint), "\(finding.title) (\(finding.fingerprint))")
    }
    return titles.filter(\.0).map { "new: \($0.1)" } + titles.filter { !$0.0 }.map(\.1)
  }
}
