import Foundation
import HarnessKit

/// A night, compared with those before it: what every report is made of.
public struct NightReport: Sendable {
  /// What a morning begins with, the gravest first.
  public enum Verdict: String, Hashable, Sendable, Codable, CaseIterable {
    case regression
    /// A cell gave no verdict, as the harness or the host broke.
    case broken
    /// A cell gave no verdict, as its kernel cannot be built, booted or used.
    case kernelUnusable = "kernel unusable"
    /// A cell did not run, or entered none of its windows.
    case incomplete
    case nothingNew = "nothing new"

    /// Of `harness nightly`, where the night came to its end.
    public var exitCode: Int32 {
      switch self {
      case .regression: 1
      case .broken: 2
      case .kernelUnusable: 3
      case .incomplete: 4
      case .nothingNew: 0
      }
    }
  }

  /// What one cell came to, and what is to be told of it.
  public struct CellReport: Sendable {
    /// Of the plan as it was when the night began.
    public var cell: Cell
    /// Tonight's, in their order.
    public var runs: [RunRow]
    /// The oldest first.
    public var past: [RunRow]
    /// With as many of the last runs as the plan's rule takes. What is known is among its changes.
    public var comparison: Comparison
    /// Changes of findings that are known, and of which the day is not past, are not here.
    public var changes: [Change]
    /// Why it did not run.
    public var gap: String?

    /// What tonight's runs come to together: one that failed, failed; a window that one
    /// run did not enter and another did, was entered. Nil where there is none.
    public var status: RunRecord.Status? {
      let order: [RunRecord.Status] = [.fail, .pass, .notExercised, .error]
      return order.first { status in runs.contains { $0.status == status } }
    }
  }

  /// A finding that somebody has looked at, seen tonight.
  public struct KnownSighting: Sendable {
    /// Of the finding, 16 hexadecimal digits.
    public var fingerprint: String
    /// Where it was seen: a finding in two cells is two of these.
    public var cell: Cell.ID
    /// Of the file of known findings.
    public var entry: KnownFindings.Entry
    /// Its day was past when the night began: then it is a regression.
    public var isExpired: Bool
  }

  /// Its `finishedAt` is nil where the report is made before the night's end.
  public var night: Night
  /// Of the night, in the history.
  public var id: NightID
  /// All of the plan, in its order, those without a run included.
  public var cells: [CellReport]
  /// What all nights know of the findings that are told of here, by their fingerprints.
  public var findings: [String: FindingRow]
  /// Titles of those that are no longer entered, or entered again: a schedule and its provider.
  public var windows: [CellRun.Window: String]
  /// In the order of the cells.
  public var known: [KnownSighting]
  /// The newest first, tonight's among them.
  public var nights: [NightRow]
  /// Each kernel's own words of what it was.
  public var kernels: NightKernels?
  /// By the kernel's name, where a branch is followed: the last other commit that it was at.
  public var earlierCommits: [String: String]

  /// The gravest that holds for any cell. Errors of a cell that has a gap count as `incomplete`.
  public var verdict: Verdict {
    let changes = cells.flatMap(\.changes)
    if changes.contains(where: \.isRegression) || known.contains(where: \.isExpired) {
      return .regression
    }
    let silent = cells.filter { !$0.runs.isEmpty && $0.runs.allSatisfy { $0.status == .error } }
    let unusable = HarnessFailure.Kind.kernelUnusable.rawValue
    let gaps = cells.contains { $0.gap != nil }
    if silent.contains(where: { cell in
      cell.gap == nil && cell.runs.contains { $0.errorKind != unusable }
    }) {
      return .broken
    }
    if silent.contains(where: { $0.gap == nil }) { return .kernelUnusable }
    if gaps || cells.contains(where: { $0.status == .notExercised }) { return .incomplete }
    return .nothingNew
  }

  public init(
    night: Night, id: NightID, cells: [CellReport], findings: [String: FindingRow] = [:],
    windows: [CellRun.Window: String] = [:], known: [KnownSighting] = [],
    nights: [NightRow] = [], kernels: NightKernels? = nil,
    earlierCommits: [String: String] = [:]
  ) {
    self.night = night
    self.id = id
    self.cells = cells
    self.findings = findings
    self.windows = windows
    self.known = known
    self.nights = nights
    self.kernels = kernels
    self.earlierCommits = earlierCommits
  }

  /// How far back a page shows trends.
  static let shownRuns = 60
  static let shownNights = 30

  /// Reads what a report needs from the history.
  public init(
    night: Night, id: NightID, folder: NightFolder, history: History, known: KnownFindings
  ) throws {
    let rule = night.plan.regression
    let tonight = Dictionary(grouping: try history.runs(of: id), by: \.cell)
    let gaps = Dictionary(
      try history.planned(of: id).map { ($0.cell, $0.gap) }, uniquingKeysWith: { a, _ in a })
    var cells: [CellReport] = []
    var sightings: [KnownSighting] = []
    for cell in night.plan.cells {
      let past = Array(
        try history.runs(of: cell.id, before: id, limit: max(rule.runs, Self.shownRuns))
          .reversed())
      let runs = tonight[cell.id] ?? []
      let gap = gaps[cell.id] ?? nil
      var titles: [String: String] = [:]
      for finding in (past + runs).flatMap(\.findings) {
        titles[finding.fingerprint] = finding.title
      }
      func entry(_ fingerprint: String) -> (entry: KnownFindings.Entry, isExpired: Bool)? {
        known.entry(
          fingerprint: fingerprint, title: titles[fingerprint] ?? "", cell: cell.id,
          at: night.startedAt)
      }
      func isKnown(_ fingerprint: String) -> Bool {
        known.covers(fingerprint, titles: titles, cell: cell.id, at: night.startedAt)
      }
      let comparison = Comparison(
        past: try history.compared(runs: Array(past.suffix(rule.runs))),
        now: try history.compared(runs: runs), rule: rule, isKnown: isKnown)
      for fingerprint in Set(runs.flatMap(\.findings).filter { !$0.isUpstream }.map(\.fingerprint))
        .sorted()
      {
        guard let entry = entry(fingerprint) else { continue }
        sightings.append(
          KnownSighting(
            fingerprint: fingerprint, cell: cell.id, entry: entry.entry,
            isExpired: entry.isExpired))
      }
      cells.append(
        CellReport(
          cell: cell, runs: runs, past: past, comparison: comparison,
          changes: comparison.changes.filter { change in
            // A gap says why there is no verdict.
            if case .broken = change { return gap == nil }
            return !(change.fingerprint.map(isKnown) ?? false)
          }, gap: gap))
    }
    let fingerprints = Set(
      cells.flatMap(\.changes).compactMap(\.fingerprint) + sightings.map(\.fingerprint)
        + cells.flatMap(\.runs).flatMap(\.findings).map(\.fingerprint))
    let windows = Set(
      cells.flatMap(\.changes).flatMap { change -> [CellRun.Window] in
        switch change {
        case .windowsLost(let windows), .windowsBack(let windows): windows
        default: []
        }
      })
    let nights = try history.nights(limit: Self.shownNights, plan: night.plan.name)
    let kernels = NightKernels.load(from: folder)
    let earlier = nights.filter { $0.started < night.startedAt }.lazy
      .compactMap { NightKernels.load(from: NightFolder(path: $0.folder)) }
    var earlierCommits: [String: String] = [:]
    for entry in kernels?.entries ?? [] {
      guard let commit = entry.commit else { continue }
      earlierCommits[entry.name] = earlier.compactMap { $0.entry(entry.name)?.commit }
        .first { $0 != commit }
    }
    self.init(
      night: night, id: id, cells: cells,
      findings: try history.findings(of: fingerprints.sorted()),
      windows: try history.titles(of: windows.sorted()), known: sightings, nights: nights,
      kernels: kernels, earlierCommits: earlierCommits)
  }

  /// What looks for the commit that brought a finding, where the kernel follows a branch.
  func bisection(of fingerprint: String, in cell: Cell) -> String? {
    let kernel = cell.kernel
    guard case .tree(let tree, branch: .some) = kernel.source, kernel.patches.isEmpty,
      kernel.mutants.isEmpty, let good = earlierCommits[kernel.name],
      let bad = kernels?.entry(kernel.name)?.commit
    else { return nil }
    let with =
      kernel.fragments.isEmpty ? "" : " --with \(kernel.fragments.joined(separator: ","))"
    return "harness bisect --tree \(tree.asShellWord) --good \(good.prefix(12))"
      + " --bad \(bad.prefix(12))\(with) --finding \(fingerprint)"
  }
}
