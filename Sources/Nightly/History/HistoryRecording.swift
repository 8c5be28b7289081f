import Foundation
import GRDB
import GuestWire
import HarnessKit

/// A run as the history takes it.
public struct RecordedRun: Sendable {
  /// Its name, which need not be in the history yet.
  public var cell: Cell.ID
  /// Within the night's: `cells/…/run-1`.
  public var folder: String
  /// From its `result.json`, or what stands for one that is lost.
  public var record: RunRecord
  /// The host's name, of a night on several.
  public var host: String?

  public init(cell: Cell.ID, folder: String, record: RunRecord, host: String? = nil) {
    self.cell = cell
    self.folder = folder
    self.record = record
    self.host = host
  }
}

extension History {
  /// The night of that key, made where it is not there.
  public func begin(
    key: String, plan: String, folder: String, engine: String, at date: Date, cells: [Cell.ID]
  ) throws(HistoryError) -> NightID {
    try write { database in
      try database.execute(
        sql: """
          INSERT INTO night (key, plan, folder, engine, started) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (key) DO UPDATE SET folder = excluded.folder
          """, arguments: [key, plan, folder, engine, date.timeIntervalSince1970])
      let night =
        try Int64.fetchOne(database, sql: "SELECT id FROM night WHERE key = ?", arguments: [key])
        ?? 0
      for cell in cells {
        try database.execute(
          sql: "INSERT OR IGNORE INTO planned (night, cell) VALUES (?, ?)",
          arguments: [night, try Self.cell(cell, database)])
      }
      return night
    }
  }

  /// Takes a run over, once: one that is there already stays as it is.
  @discardableResult
  public func record(_ run: RecordedRun, of night: NightID) throws(HistoryError) -> Bool {
    try write { database in
      let record = run.record
      func count(_ status: RunRecord.Status) -> Int {
        record.trials.count { $0.verdict == status }
      }
      try database.execute(
        sql: """
          INSERT OR IGNORE INTO run (night, cell, folder, status, exitCode, errorKind, error,
            started, seconds, seed, trials, passed, failed, skipped, broken, release, kernel,
            module, machine, qemu, accelerator, host)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: StatementArguments(
          [
            night, try Self.cell(run.cell, database), run.folder, record.status.rawValue,
            record.exitCode, record.error?.kind.rawValue,
            record.error?.message ?? record.cutShort,
            record.startedAt.timeIntervalSince1970, record.durationSeconds, record.seed,
            record.trials.count, count(.pass), count(.fail), count(.notExercised), count(.error),
            record.kernel?.release, record.kernel?.sha256, record.module?.sha256,
            record.machine.map { "\($0.name), \($0.cpus) CPUs, \($0.memoryMiB) MiB" },
            record.machine?.qemuVersion, record.machine?.accelerator, run.host,
          ] as [(any DatabaseValueConvertible)?]))
      guard database.changesCount > 0 else { return false }
      let id = database.lastInsertedRowID
      try Self.insert(trials: record.trials, of: id, database)
      try Self.insert(findings: record, of: id, database)
      return true
    }
  }

  /// Says why a cell has no run tonight; nil takes it back.
  public func note(gap: String?, cell: Cell.ID, of night: NightID) throws(HistoryError) {
    try write { database in
      try database.execute(
        sql: "UPDATE planned SET gap = ? WHERE night = ? AND cell = ?",
        arguments: [gap, night, try Self.cell(cell, database)])
    }
  }

  /// Says that a night is over, or is over once more: the last verdict and the last end stay.
  ///
  /// - Parameter verdict: a `NightReport.Verdict` in its words.
  public func finish(_ night: NightID, verdict: String, at date: Date) throws(HistoryError) {
    try write { database in
      try database.execute(
        sql: "UPDATE night SET finished = ?, verdict = ? WHERE id = ?",
        arguments: [date.timeIntervalSince1970, verdict, night])
    }
  }

  /// The folders of the nights that began before a date, the oldest first.
  public func nightFolders(before date: Date) throws(HistoryError) -> [String] {
    try read { database in
      try String.fetchAll(
        database, sql: "SELECT folder FROM night WHERE started < ? ORDER BY started",
        arguments: [date.timeIntervalSince1970])
    }
  }

  /// Removes the nights of these folders: their runs and trials. Findings keep when they were
  /// first and last seen.
  public func forget(_ folders: [String]) throws(HistoryError) {
    try write { database in
      let delete = try database.cachedStatement(sql: "DELETE FROM night WHERE folder = ?")
      for folder in folders { try delete.execute(arguments: [folder]) }
    }
    do {
      try database.vacuum()
    } catch {
      throw HistoryError("shrink", path, error)
    }
  }

  static func cell(_ name: Cell.ID, _ database: Database) throws -> Int64 {
    try row(of: name, in: "cell", column: "name", database)
  }

  /// The number of a text, which gets one where it has none.
  static func row(
    of text: String, in table: String, column: String, _ database: Database
  ) throws -> Int64 {
    let known = try database.cachedStatement(sql: "SELECT id FROM \(table) WHERE \(column) = ?")
    if let id = try Int64.fetchOne(known, arguments: [text]) { return id }
    try database.cachedStatement(sql: "INSERT INTO \(table) (\(column)) VALUES (?)")
      .execute(arguments: [text])
    return database.lastInsertedRowID
  }

  private static func insert(trials: [TrialRecord], of run: RunID, _ database: Database) throws {
    let insert = try database.cachedStatement(
      sql: "INSERT OR REPLACE INTO trial VALUES (?, ?, ?, ?, ?, ?)")
    for trial in trials {
      try insert.execute(arguments: [
        run, trial.index,
        try row(of: trial.title, in: "work", column: "title", database),
        RunRecord.Status.allCases.firstIndex(of: trial.verdict) ?? 0,
        trial.wasBegun ? trial.outcome.isEntered : nil,
        trial.report.map { Int64(clamping: $0.milliseconds) },
      ])
    }
  }

  private static func insert(findings record: RunRecord, of run: RunID, _ database: Database)
    throws
  {
    let time = (record.finishedAt ?? record.startedAt).timeIntervalSince1970
    for finding in record.findings {
      try database.execute(
        sql: """
          INSERT INTO finding (fingerprint, kind, title, firstSeen, lastSeen)
          VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (fingerprint) DO UPDATE SET
            firstSeen = min(firstSeen, excluded.firstSeen),
            lastSeen = max(lastSeen, excluded.lastSeen)
          """,
        arguments: [
          finding.fingerprint, finding.kind.rawValue, String(finding.title.prefix(400)), time, time,
        ])
      let again = record.reproductions?.first { $0.fingerprint == finding.fingerprint }
      let trials = record.trials.count { trial in
        trial.findings.contains { $0.fingerprint == finding.fingerprint }
      }
      try database.execute(
        sql: """
          INSERT OR REPLACE INTO sighting
          SELECT ?, id, ?, ?, ?, ?, ? FROM finding WHERE fingerprint = ?
          """,
        arguments: [
          run, trials, finding.known != nil, again?.failures, again?.runs,
          (again?.schedule ?? finding.schedule).map { "\($0)" }, finding.fingerprint,
        ])
    }
  }
}

extension TrialRecord {
  /// Whether there was an attempt at its window: the budget may have been used up before it.
  var wasBegun: Bool { secondsFromReady != nil || report != nil || verdict != .notExercised }
}

extension TrialOutcome {
  /// Whether its window was, in one way or the other, entered.
  var isEntered: Bool {
    switch self {
    case .interleaved, .excluded, .ran: true
    case .notExercised: false
    }
  }
}
