import GRDB

/// The tables, step by step: a step that has been released is never changed.
enum HistorySchema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1: nights, runs, trials, findings") { database in
      try database.execute(sql: first)
    }
    return migrator
  }

  /// Times are seconds since 1970. A trial is its own row, and small: some 400 of them are a
  /// run. What is asked for is found by an index, never by a scan of the trials.
  private static let first = """
    CREATE TABLE night (
      id INTEGER PRIMARY KEY,
      key TEXT NOT NULL UNIQUE,
      plan TEXT NOT NULL,
      folder TEXT NOT NULL,
      engine TEXT NOT NULL,
      started REAL NOT NULL,
      finished REAL,
      verdict TEXT
    );
    CREATE INDEX night_started ON night(started);
    CREATE TABLE cell (
      id INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE
    );
    -- A cell that a night was to run, and why it did not, where it did not.
    CREATE TABLE planned (
      night INTEGER NOT NULL REFERENCES night(id) ON DELETE CASCADE,
      cell INTEGER NOT NULL REFERENCES cell(id),
      gap TEXT,
      PRIMARY KEY (night, cell)
    ) WITHOUT ROWID;
    CREATE TABLE run (
      id INTEGER PRIMARY KEY,
      night INTEGER NOT NULL REFERENCES night(id) ON DELETE CASCADE,
      cell INTEGER NOT NULL REFERENCES cell(id),
      -- Within the night.
      folder TEXT NOT NULL,
      status TEXT NOT NULL,
      exitCode INTEGER NOT NULL,
      errorKind TEXT,
      error TEXT,
      started REAL NOT NULL,
      seconds REAL,
      seed TEXT NOT NULL,
      trials INTEGER NOT NULL,
      passed INTEGER NOT NULL,
      failed INTEGER NOT NULL,
      skipped INTEGER NOT NULL,
      broken INTEGER NOT NULL,
      release TEXT,
      kernel TEXT,
      module TEXT,
      machine TEXT,
      qemu TEXT,
      accelerator TEXT,
      host TEXT,
      UNIQUE (night, cell, folder)
    );
    CREATE INDEX run_cell ON run(cell, night);
    CREATE TABLE finding (
      id INTEGER PRIMARY KEY,
      fingerprint TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      title TEXT NOT NULL,
      firstSeen REAL NOT NULL,
      lastSeen REAL NOT NULL
    );
    CREATE TABLE sighting (
      run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
      finding INTEGER NOT NULL REFERENCES finding(id),
      -- Trials of the run that had it; 0 where it was outside of trials.
      trials INTEGER NOT NULL,
      -- Upstream does this: a note, and no failure.
      upstream INTEGER NOT NULL,
      -- On fresh guests, within the run.
      failures INTEGER,
      attempts INTEGER,
      schedule TEXT,
      PRIMARY KEY (run, finding)
    ) WITHOUT ROWID;
    CREATE INDEX sighting_finding ON sighting(finding, run);
    CREATE TABLE work (
      id INTEGER PRIMARY KEY,
      title TEXT NOT NULL UNIQUE
    );
    CREATE TABLE trial (
      run INTEGER NOT NULL REFERENCES run(id) ON DELETE CASCADE,
      number INTEGER NOT NULL,
      work INTEGER NOT NULL REFERENCES work(id),
      verdict INTEGER NOT NULL,
      -- NULL for one that was not begun, which says nothing of its window.
      entered INTEGER,
      milliseconds INTEGER,
      PRIMARY KEY (run, number)
    ) WITHOUT ROWID;
    """
}
