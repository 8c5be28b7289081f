import Foundation
import GRDB
import HarnessKit
import Testing

@testable import Nightly

@Suite struct HistoryTests {
  @Test func `a run is taken over once, with its trials and findings`() throws {
    try withHistory { history, _ in
      let night = try NightRecords.begin(history, "n1")
      let run = NightRecords.run("a/b/c", findings: ["f1": "KASAN in x"], missed: [2])
      #expect(try history.record(run, of: night))
      #expect(try !history.record(run, of: night))
      let rows = try history.runs(of: night)
      #expect(rows.count == 1)
      #expect(rows[0].cell == "a/b/c")
      #expect(rows[0].trials == 4)
      #expect(rows[0].findings.map(\.fingerprint) == ["f1"])
      #expect(rows[0].findings[0].trials == 1)
      #expect(rows[0].kernel == "abab")
      let windows = try history.windows(of: [rows[0].id])[rows[0].id]
      #expect(windows?.count == 4)
      #expect(windows?.values.count { $0 } == 3)
    }
  }

  @Test func `a cell's past is its own plan's, whatever others call theirs`() throws {
    try withHistory { history, _ in
      for (key, plan) in [("n1", "zswap"), ("n2", "another"), ("n3", "zswap")] {
        let night = try NightRecords.begin(history, key, plan: plan)
        try history.record(NightRecords.run("a/b/c", findings: ["f-\(key)": "x"]), of: night)
      }
      let night = try NightRecords.begin(history, "n4")
      let past = try history.runs(of: "a/b/c", before: night, limit: 10)
      #expect(past.map { $0.findings[0].fingerprint } == ["f-n3", "f-n1"])
      #expect(try history.runs(of: "a/b/c", limit: 10).count == 3)
    }
  }

  @Test func `a trial that was not begun says nothing of its window`() throws {
    try withHistory { history, _ in
      let night = try NightRecords.begin(history, "n")
      try history.record(NightRecords.run("a/b/c", missed: [1], begun: 3), of: night)
      let run = try history.runs(of: night)[0]
      let windows = try history.windows(of: [run.id])[run.id]
      #expect(windows?.count == 3)
      #expect(windows?.values.count { !$0 } == 1)
    }
  }

  @Test func `a history of a newer harness is not written to`() throws {
    try withHistory { history, path in
      try history.write { database in
        try database.execute(sql: "INSERT INTO grdb_migrations VALUES ('2: of tomorrow')")
      }
      let error = #expect(throws: HistoryError.self) { try History(path: path) }
      #expect(error?.reason.contains("a newer harness") == true)
    }
  }

  @Test func `a finding keeps when it was first and last seen, whatever is forgotten`() throws {
    try withHistory { history, _ in
      for day in 0..<3 {
        let night = try NightRecords.begin(history, "n\(day)", day: day)
        try history.record(
          NightRecords.run("a/b/c", day: day, findings: ["f": "x"]), of: night)
      }
      let old = try history.nightFolders(before: NightRecords.date(day: 2))
      #expect(old.count == 2)
      try history.forget(old)
      let rows = try history.findings(limit: 10)
      #expect(rows.count == 1)
      #expect(rows[0].runs == 1)
      #expect(rows[0].firstSeen < NightRecords.date(day: 1))
      #expect(rows[0].lastSeen > NightRecords.date(day: 2))
      #expect(try history.nights(limit: 10).map(\.key) == ["n2"])
      #expect(try history.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM trial") } == 4)
    }
  }

  @Test func `two that write at once both have all that they wrote`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/history.sqlite"
      try await withThrowingTaskGroup(of: Void.self) { group in
        for writer in 0..<4 {
          group.addTask {
            let history = try History(path: path)
            let night = try NightRecords.begin(history, "writer-\(writer)")
            for number in 0..<25 {
              try history.record(
                NightRecords.run("a/b/\(writer)", folder: "run-\(number)"), of: night)
            }
          }
        }
        try await group.waitForAll()
      }
      let history = try History(existing: path)
      #expect(try history.nights(limit: 10).map(\.runs) == [25, 25, 25, 25])
      #expect(try history.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM trial") } == 400)
    }
  }

  @Test func `many may open a history that is not there yet`() async throws {
    for _ in 0..<10 {
      try await withTemporaryFolder { folder in
        try await withThrowingTaskGroup { group in
          for _ in 0..<8 {
            group.addTask { _ = try History(path: "\(folder)/history.sqlite") }
          }
          try await group.waitForAll()
        }
      }
    }
  }

  @Test func `a full disk is told, and takes nothing of what was there`() throws {
    try withHistory { history, path in
      let night = try NightRecords.begin(history, "n")
      try history.record(NightRecords.run("a/b/c", folder: "run-1"), of: night)
      let pages = try history.read { try Int.fetchOne($0, sql: "PRAGMA page_count") } ?? 0
      try history.database.writeWithoutTransaction {
        try $0.execute(sql: "PRAGMA max_page_count = \(pages + 1)")
      }
      let big = NightRecords.run("a/b/c", folder: "run-2", trials: 5000)
      let error = #expect(throws: HistoryError.self) { try history.record(big, of: night) }
      #expect(error?.reason == "the disk is full")
      #expect(error?.description.contains("what was recorded is there") == true)
      // There is room again.
      let again = try History(existing: path)
      #expect(try again.runs(of: night).map(\.folder) == ["run-1"])
      #expect(try again.record(big, of: night))
      #expect(try again.runs(of: night).map(\.trials) == [4, 5000])
      #expect(
        try again.read { try String.fetchOne($0, sql: "PRAGMA integrity_check") } == "ok")
    }
  }

  @Test func `what is no history is told, and left alone`() async throws {
    try await withTemporaryFolder { folder in
      let path = "\(folder)/text"
      try Data("this is no database, and long enough to be read as one".utf8)
        .write(to: URL(filePath: path))
      let error = #expect(throws: HistoryError.self) { try History(existing: path) }
      #expect(error?.reason == "it is no SQLite database, or a damaged one")
      #expect(throws: HistoryError.self) { try History(existing: "\(folder)/none") }
      #expect(!FileManager.default.fileExists(atPath: "\(folder)/none"))
    }
  }

  @Test func `the export is JSON that has every night, run and finding`() throws {
    try withHistory { history, _ in
      let night = try NightRecords.begin(history, "n")
      try history.record(NightRecords.run("a/b/c", findings: ["f": "x"]), of: night)
      try history.finish(night, verdict: "nothing new", at: Date())
      let json = try JSONSerialization.jsonObject(
        with: try HistoryExport(history, nights: 10).json())
      let object = try #require(json as? [String: Any])
      #expect(object["schemaVersion"] as? Int == 1)
      for (key, count) in ["nights": 1, "runs": 1, "findings": 1] {
        #expect((object[key] as? [Any])?.count == count)
      }
    }
  }

  @Test func `a forecast is made of the last runs that gave a verdict`() throws {
    try withHistory { history, _ in
      let night = try NightRecords.begin(history, "n")
      for (number, seconds) in [100.0, 10, 12, 11, 9, 10].enumerated() {
        try history.record(
          NightRecords.run("a/b/c", folder: "run-\(number)", seconds: seconds), of: night)
      }
      #expect(try history.seconds() == ["a/b/c": 10])
    }
  }
}
