import Foundation
import GRDB
import HarnessKit

/// A night, in the list of them.
public struct NightRow: Hashable, Sendable, Codable {
  /// In this history; what every history has it by is its key.
  public var id: NightID
  /// The one in `night.json`: the night is found again by it, wherever its folder goes.
  public var key: String
  /// The name that the plan gives itself, not its file's.
  public var plan: String
  /// Absolute, as the last call that was at the night, or reported on it, had it.
  public var folder: String
  /// `local` or `slurm`, as it began.
  public var engine: String
  /// When the first call made its folder.
  public var started: Date
  /// When its reports were begun; nil where it has not come to its end.
  public var finished: Date?
  /// A `NightReport.Verdict` in its words, as it was at the end; nil before it.
  public var verdict: String?
  /// Those of its plan, whether or not they ran.
  public var cells: Int
  /// All that are recorded, those without a verdict included.
  public var runs: Int
  /// Those with a finding; those without a verdict are not among them.
  public var failedRuns: Int
  /// Cells that have no run.
  public var gaps: Int
}

/// A run, as it is told of.
public struct RunRow: Hashable, Sendable, Codable {
  /// Over all cells and nights: not the number in `run-1`.
  public var id: RunID
  /// The number of its night in this history.
  public var night: NightID
  /// Absolute.
  public var nightFolder: String
  /// Its name: `stock-6.1/claims/default`.
  public var cell: Cell.ID
  /// Within the night's: `cells/…/run-1`.
  public var folder: String
  /// As `result.json` has it; `error` where the harness does not know the word.
  public var status: RunRecord.Status
  /// A `HarnessFailure.Kind`, of the status `error`; nil of any other.
  public var errorKind: String?
  /// Why it gave no verdict, or by what a run with a finding was cut short; nil of any other.
  public var error: String?
  /// In 1970 where its `result.json` is lost.
  public var started: Date
  /// To its end; nil where it did not come to one, 0 where it could not begin.
  public var seconds: Double?
  /// From which each trial's is derived, `0x…`.
  public var seed: String
  /// All, those that were not begun included.
  public var trials: Int
  /// Trials with the verdict `pass`.
  public var passed: Int
  /// Trials with the verdict `fail`: a finding that upstream is not known for.
  public var failed: Int
  /// Trials with the verdict `not exercised`: their window was not entered, or they not begun.
  public var skipped: Int
  /// Trials with the verdict `error`.
  public var broken: Int
  /// `uname -r`. Nil, as all down to `accelerator`, where the run ended before it was known.
  public var release: String?
  /// SHA-256 of the image, hexadecimal.
  public var kernel: String?
  /// SHA-256 of the hook module, hexadecimal.
  public var module: String?
  /// Of each guest: `q35, 2 CPUs, 512 MiB`.
  public var machine: String?
  /// Its version, as `--version` has it.
  public var qemu: String?
  /// `kvm` or `tcg`.
  public var accelerator: String?
  /// The node of Slurm's that it was made on; nil where there was none.
  public var host: String?
  /// Each once, those that upstream is known for included; empty where it did not finish.
  public var findings: [Sighting] = []

  /// A finding of a run.
  public struct Sighting: Hashable, Sendable, Codable {
    /// 16 hexadecimal digits: the same finding has them in every run.
    public var fingerprint: String
    /// A `Finding.Kind` in its words: `splat`, `stale-data`.
    public var kind: String
    /// As the first run that had it gave it, 400 characters at the most.
    public var title: String
    /// Those that had it; 0 where it was seen outside of trials.
    public var trials: Int
    /// Upstream is known to do this: a note, and no failure.
    public var isUpstream: Bool
    /// On fresh guests: so often of so many.
    public var again: Rate?
    /// What it was tried again with, else the schedule of the trial that had it first; nil for a
    /// stress, and outside of trials.
    public var schedule: String?
  }
}

/// A finding over all nights.
public struct FindingRow: Hashable, Sendable, Codable {
  /// 16 hexadecimal digits: the same finding has them in every run.
  public var fingerprint: String
  /// A `Finding.Kind` in its words: `splat`, `stale-data`.
  public var kind: String
  /// As the first run that had it gave it, 400 characters at the most.
  public var title: String
  /// The end of the first run that had it, also where its night is forgotten.
  public var firstSeen: Date
  /// The end of the last one, likewise.
  public var lastSeen: Date
  /// Those with it that the history still has, over all cells.
  public var runs: Int
  /// The cells of these runs, by name; empty where all of them are forgotten.
  public var cells: [Cell.ID]
}

extension History {
  /// The newest first.
  public func nights(limit: Int, plan: String? = nil) throws(HistoryError) -> [NightRow] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT night.*,
            (SELECT count(*) FROM planned WHERE night = night.id) AS cells,
            (SELECT count(*) FROM planned WHERE night = night.id AND gap IS NOT NULL) AS gaps,
            (SELECT count(*) FROM run WHERE night = night.id) AS runs,
            (SELECT count(*) FROM run WHERE night = night.id AND status = 'fail') AS failed
          FROM night WHERE ? IS NULL OR plan = ? ORDER BY started DESC, id DESC LIMIT ?
          """, arguments: [plan, plan, limit]
      ).map(NightRow.init)
    }
  }

  /// What a night was to run, and why some of it was not.
  public func planned(of night: NightID) throws(HistoryError) -> [(cell: Cell.ID, gap: String?)] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: "SELECT name, gap FROM planned JOIN cell ON cell.id = cell WHERE night = ?",
        arguments: [night]
      ).map { (cell: $0["name"], gap: $0["gap"]) }
    }
  }

  /// Cell by cell, the runs of each in the order in which they were made. Empty where the history
  /// has no such night.
  public func runs(of night: NightID) throws(HistoryError) -> [RunRow] {
    try read { database in
      try Self.runs(
        database, "WHERE run.night = ? ORDER BY run.cell, length(run.folder), run.folder", [night])
    }
  }

  /// A cell's runs, the newest first.
  ///
  /// - Parameter night: only nights before this one, of the same plan: two plans may have cells of
  ///   the same name.
  public func runs(
    of cell: Cell.ID, before night: NightID? = nil, limit: Int
  ) throws(HistoryError) -> [RunRow] {
    try read { database in
      try Self.runs(
        database,
        """
        WHERE run.cell = (SELECT id FROM cell WHERE name = ?)
        AND (? IS NULL OR run.night < ? AND run.night IN
          (SELECT id FROM night WHERE plan = (SELECT plan FROM night WHERE id = ?)))
        ORDER BY run.night DESC, length(run.folder) DESC, run.folder DESC LIMIT ?
        """, [cell, night, night, night, limit])
    }
  }

  /// Every cell that there ever was, and how often it ran.
  public func cells() throws(HistoryError) -> [(cell: Cell.ID, runs: Int)] {
    try read { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT name, (SELECT count(*) FROM run WHERE cell = cell.id) AS runs
          FROM cell ORDER BY name
          """
      ).map { (cell: $0["name"], runs: $0["runs"]) }
    }
  }

  /// The windows of runs, and whether each was entered.
  func windows(of runs: [RunID]) throws(HistoryError) -> [RunID: [CellRun.Window: Bool]] {
    try read { database in
      var windows: [RunID: [CellRun.Window: Bool]] = [:]
      let statement = try database.cachedStatement(
        sql: """
          SELECT work, max(entered) FROM trial
          WHERE run = ? AND entered IS NOT NULL GROUP BY work
          """)
      for run in runs {
        var own: [CellRun.Window: Bool] = [:]
        let rows = try Row.fetchCursor(statement, arguments: [run])
        while let row = try rows.next() { own[row[0]] = row[1] }
        windows[run] = own
      }
      return windows
    }
  }

  func titles(of windows: [CellRun.Window]) throws(HistoryError) -> [CellRun.Window: String] {
    try read { database in
      var titles: [CellRun.Window: String] = [:]
      for window in windows {
        titles[window] = try String.fetchOne(
          database, sql: "SELECT title FROM work WHERE id = ?", arguments: [window])
      }
      return titles
    }
  }

  /// The last seen first.
  public func findings(
    since date: Date? = nil, matching text: String? = nil, limit: Int
  ) throws(HistoryError) -> [FindingRow] {
    try read { database in
      let rows = try Row.fetchAll(
        database,
        sql: """
          SELECT finding.*, (SELECT count(*) FROM sighting WHERE finding = finding.id) AS runs
          FROM finding
          WHERE (? IS NULL OR lastSeen >= ?) AND (? IS NULL OR fingerprint = ? OR instr(title, ?))
          ORDER BY lastSeen DESC, id LIMIT ?
          """,
        arguments: [
          date?.timeIntervalSince1970, date?.timeIntervalSince1970, text, text, text, limit,
        ])
      return try rows.map { row in
        FindingRow(
          fingerprint: row["fingerprint"], kind: row["kind"], title: row["title"],
          firstSeen: Date(timeIntervalSince1970: row["firstSeen"]),
          lastSeen: Date(timeIntervalSince1970: row["lastSeen"]), runs: row["runs"],
          cells: try String.fetchAll(
            database,
            sql: """
              SELECT name FROM cell WHERE id IN (
                SELECT DISTINCT run.cell FROM sighting JOIN run ON run.id = sighting.run
                WHERE sighting.finding = ?)
              ORDER BY name
              """, arguments: [row["id"] as Int64]))
      }
    }
  }

  /// What is known of some findings, by their fingerprints.
  func findings(of fingerprints: [String]) throws(HistoryError) -> [String: FindingRow] {
    var known: [String: FindingRow] = [:]
    for fingerprint in fingerprints {
      known[fingerprint] = try findings(matching: fingerprint, limit: 20)
        .first { $0.fingerprint == fingerprint }
    }
    return known
  }

  /// Seconds of a cell's run, by its last ones: what a forecast starts from.
  public func seconds() throws(HistoryError) -> [Cell.ID: Double] {
    try read { database in
      var seconds: [Cell.ID: Double] = [:]
      for row in try Row.fetchAll(database, sql: "SELECT id, name FROM cell") {
        let last = try Double.fetchAll(
          database,
          sql: """
            SELECT seconds FROM run WHERE cell = ? AND seconds IS NOT NULL AND status <> 'error'
            ORDER BY night DESC, id DESC LIMIT 5
            """, arguments: [row["id"] as Int64]
        ).sorted()
        if !last.isEmpty { seconds[row["name"]] = last[last.count / 2] }
      }
      return seconds
    }
  }

  private static func runs(
    _ database: Database, _ clause: String, _ arguments: StatementArguments
  ) throws -> [RunRow] {
    let rows = try Row.fetchAll(
      database,
      sql: """
        SELECT run.*, cell.name AS cellName, night.folder AS nightFolder FROM run
        JOIN cell ON cell.id = run.cell JOIN night ON night.id = run.night \(clause)
        """, arguments: arguments)
    let sightings = try database.cachedStatement(
      sql: """
        SELECT finding.fingerprint, finding.kind, finding.title, sighting.* FROM sighting
        JOIN finding ON finding.id = sighting.finding WHERE sighting.run = ? ORDER BY finding.id
        """)
    return try rows.map { row in
      var run = RunRow(row)
      if run.status == .fail || run.trials > 0 {
        run.findings = try Row.fetchAll(sightings, arguments: [run.id])
          .map(RunRow.Sighting.init)
      }
      return run
    }
  }
}

extension NightRow {
  init(_ row: Row) {
    id = row["id"]
    key = row["key"]
    plan = row["plan"]
    folder = row["folder"]
    engine = row["engine"]
    started = Date(timeIntervalSince1970: row["started"])
    finished = (row["finished"] as Double?).map { Date(timeIntervalSince1970: $0) }
    verdict = row["verdict"]
    cells = row["cells"]
    runs = row["runs"]
    failedRuns = row["failed"]
    gaps = row["gaps"]
  }
}

extension RunRow {
  init(_ row: Row) {
    id = row["id"]
    night = row["night"]
    nightFolder = row["nightFolder"]
    cell = row["cellName"]
    folder = row["folder"]
    status = RunRecord.Status(rawValue: row["status"]) ?? .error
    errorKind = row["errorKind"]
    error = row["error"]
    started = Date(timeIntervalSince1970: row["started"])
    seconds = row["seconds"]
    seed = row["seed"]
    trials = row["trials"]
    passed = row["passed"]
    failed = row["failed"]
    skipped = row["skipped"]
    broken = row["broken"]
    release = row["release"]
    kernel = row["kernel"]
    module = row["module"]
    machine = row["machine"]
    qemu = row["qemu"]
    accelerator = row["accelerator"]
    host = row["host"]
  }

  /// As it is compared.
  func compared(windows: [CellRun.Window: Bool]) -> CellRun {
    var sightings: [String: Int] = [:]
    for finding in findings where !finding.isUpstream {
      sightings[finding.fingerprint] = max(1, finding.trials)
    }
    let kind = errorKind.flatMap(HarnessFailure.Kind.init) ?? .harness
    return CellRun(
      status: status, error: status == .error ? HarnessFailure(kind, error ?? "unknown") : nil,
      isCutShort: status == .fail && error != nil, seconds: seconds, trials: trials,
      sightings: sightings, windows: windows)
  }
}

extension RunRow.Sighting {
  init(_ row: Row) {
    fingerprint = row["fingerprint"]
    kind = row["kind"]
    title = row["title"]
    trials = row["trials"]
    isUpstream = row["upstream"]
    schedule = row["schedule"]
    if let failures = row["failures"] as Int?, let attempts = row["attempts"] as Int? {
      again = Rate(failures, of: attempts)
    }
  }
}
