import Foundation
import HarnessKit

/// A night from its first cell, or from where it was left, to its reports.
public struct NightRun: Sendable {
  let folder: NightFolder
  let history: History
  let engine: any NightEngine
  let progress: StatusLine

  /// The caller is to hold the folder's lock: two at one night would ask for its runs twice.
  ///
  /// - Parameters:
  ///   - history: the plan's, into which runs are taken over.
  ///   - engine: of this night; `run` prepares it.
  ///   - progress: gets how many cells are over, and which are running.
  public init(
    _ folder: NightFolder, history: History, engine: any NightEngine, progress: StatusLine
  ) {
    self.folder = folder
    self.history = history
    self.engine = engine
    self.progress = progress
  }

  /// What the loop knows.
  private struct State {
    let night: Night
    let id: NightID
    /// Of each cell's earlier nights, the oldest first.
    var past: [Cell.ID: [CellRun]] = [:]
    var seconds: [Cell.ID: Double] = [:]
    var known: KnownFindings
    /// Finished runs that were asked for.
    var asked: [Cell.ID: Int] = [:]
    /// Folders that the history has.
    var recorded: Set<String> = []
    /// Cells that are waited for no more, and why.
    var gaps: [Cell.ID: String] = [:]
    /// Of the findings of earlier nights, by their fingerprints: one that is missing tonight
    /// has its title from there.
    var titles: [String: String] = [:]
  }

  /// Runs, and returns when the reports are written. Throws `CancellationError` where it
  /// was told to stop: the night is then unfinished, and the next call goes on with it.
  ///
  /// - Parameter mayBegin: false where the night is only to be closed: its time is over.
  public func run(mayBegin: Bool = true) async throws -> NightReport {
    let night = try folder.load()
    var state = State(
      night: night,
      id: try history.begin(
        key: night.key, plan: night.plan.name, folder: folder.path,
        engine: night.plan.engine.rawValue, at: night.startedAt, cells: night.plan.cells.map(\.id)),
      known: try KnownFindings(file: night.plan.known))
    state.seconds = try history.seconds()
    for cell in night.plan.cells {
      let past = Array(
        try history.runs(of: cell.id, before: state.id, limit: night.plan.regression.runs)
          .reversed())
      state.past[cell.id] = try history.compared(runs: past)
      for finding in past.flatMap(\.findings) {
        state.titles[finding.fingerprint] = finding.title
      }
    }
    if mayBegin {
      do {
        try await engine.prepare()
        try await loop(&state)
      } catch {
        await engine.cancel()
        do {
          try collect(&state, open: [:])
        } catch {
          // What ended the night is what is to be told; the next call reads the folders.
          progress.update("\(error)")
        }
        throw error
      }
    }
    return try finish(&state)
  }

  private func loop(_ state: inout State) async throws {
    let cells = state.night.plan.cells
    while true {
      try Task.checkCancellation()
      let open = try await engine.open()
      try collect(&state, open: open)
      if state.night.isOverdue(at: Date()) {
        progress.phase("the deadline has come")
        await engine.cancel()
        try collect(&state, open: [:])
        return
      }
      let next = try cells.filter { open[$0.id] == nil }.compactMap {
        try assignment(for: $0, &state)
      }
      if !next.isEmpty {
        try await engine.submit(next.sorted { $0.seconds > $1.seconds })
      } else if open.isEmpty {
        return
      }
      let over = cells.count - open.count - next.count
      let running = open.filter { $0.value == "running" }.keys.sorted()
      progress.update(
        "\(over) of \(cells.count) cells"
          + (running.isEmpty ? "" : "; \(running.joined(separator: ", "))"))
      try await Task.sleep(for: .seconds(engine.pollSeconds))
    }
  }

  /// What a cell that is not under way is still to be asked for.
  private func assignment(for cell: Cell, _ state: inout State) throws -> Assignment? {
    guard state.gaps[cell.id] == nil else { return nil }
    let plan = state.night.plan
    let finished = folder.finishedRuns(of: cell)
    if let asked = state.asked[cell.id], finished < asked {
      // Its task has ended without them.
      let lost = folder.runs(of: cell).last.map { ": see \(folder.file($0.path)).log" } ?? ""
      state.gaps[cell.id] = "a run did not finish, time after time\(lost)"
      return nil
    }
    var wanted = plan.repeats
    if finished >= wanted {
      guard finished < plan.repeats + plan.reruns, try wantsAnother(cell, state) else {
        return nil
      }
      wanted = finished + 1
    }
    state.asked[cell.id] = wanted
    let (seconds, _) = Forecast.seconds(of: cell, plan, state.seconds)
    return Assignment(cell: cell, runs: wanted, seconds: seconds * Double(wanted - finished))
  }

  private func wantsAnother(_ cell: Cell, _ state: State) throws -> Bool {
    let runs = try history.runs(of: state.id).filter { $0.cell == cell.id }
    var titles = state.titles
    for finding in runs.flatMap(\.findings) { titles[finding.fingerprint] = finding.title }
    return Comparison(
      past: state.past[cell.id] ?? [], now: try history.compared(runs: runs),
      rule: state.night.plan.regression,
      isKnown: {
        state.known.covers($0, titles: titles, cell: cell.id, at: state.night.startedAt)
      }
    ).wantsAnother
  }

  /// Takes over into the history what is new in the folders: finished runs, and those that
  /// nobody is at any more.
  private func collect(_ state: inout State, open: [Cell.ID: String]) throws {
    for cell in state.night.plan.cells {
      for run in folder.runs(of: cell) where !state.recorded.contains(run.path) {
        let record: RunRecord
        switch folder.state(of: run) {
        case .finished(let finished): record = finished
        case .unfinished(var lost):
          guard open[cell.id] == nil else { continue }
          // Without a finding: it would be one that nothing else says.
          lost.findings = []
          record = lost
        }
        try history.record(
          RecordedRun(
            cell: cell.id, folder: run.path, record: record, host: folder.host(of: run)),
          of: state.id)
        state.recorded.insert(run.path)
      }
    }
  }

  private func finish(_ state: inout State) throws -> NightReport {
    try collect(&state, open: [:])
    for cell in state.night.plan.cells {
      let begun = folder.runs(of: cell).count
      let gap: String? =
        if folder.hasFinishedRun(of: cell) { nil } else if let gap = state.gaps[cell.id] {
          gap
        } else if begun > 0 {
          "it was not over when the deadline came"
        } else {
          "it was not begun before the deadline came"
        }
      try history.note(gap: gap, cell: cell.id, of: state.id)
    }
    var night = state.night
    night.finishedAt = Date()
    let report = try NightReport(
      night: night, id: state.id, folder: folder, history: history, known: state.known)
    try NightReports.write(report, to: folder)
    try history.finish(state.id, verdict: report.verdict.rawValue, at: night.finishedAt ?? Date())
    try folder.save(night)
    return report
  }
}

extension History {
  /// Runs as they are compared, with their windows.
  func compared(runs: [RunRow]) throws(HistoryError) -> [CellRun] {
    let windows = try windows(of: runs.map(\.id))
    return runs.map { $0.compared(windows: windows[$0.id] ?? [:]) }
  }
}

extension NightFolder {
  /// Of an engine that has several.
  func host(of run: NightRunFolder) -> String? {
    guard let data = FileManager.default.contents(atPath: file("\(run.path).host")) else {
      return nil
    }
    return String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }
}
