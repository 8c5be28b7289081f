import Foundation
import GuestWire
import HarnessKit

@testable import Nightly

/// Runs and nights, made up.
enum NightRecords {
  static func date(day: Int) -> Date {
    Date(timeIntervalSince1970: 1_795_000_000 + Double(day) * 86400)
  }

  static func begin(
    _ history: History, _ key: String, plan: String = "zswap", day: Int = 0
  ) throws -> NightID {
    try history.begin(
      key: key, plan: plan, folder: "/nights/\(key)", engine: "local", at: date(day: day),
      cells: ["a/b/c"])
  }

  static func run(
    _ cell: Cell.ID, folder: String = "run-1", day: Int = 0, trials: Int = 4,
    findings: [String: String] = [:], missed: Set<Int> = [], begun: Int = .max,
    seconds: Double = 10
  ) -> RecordedRun {
    RecordedRun(
      cell: cell, folder: folder,
      record: record(
        day: day, trials: trials, findings: findings, missed: missed, begun: begun,
        seconds: seconds))
  }

  private static let schedules = [
    "writeback@unlocked > swapoff@trees-freed", "writeback@pinned > swapoff@trees-freed",
    "writeback@claimed > swapoff@trees-freed", "writeback@submit > swapoff@trees-freed",
  ].compactMap { try? Schedule(parsing: $0) }

  static func record(
    day: Int, trials: Int, findings: [String: String], missed: Set<Int>, begun: Int,
    seconds: Double
  ) -> RunRecord {
    var record = RunRecord(begun: date(day: day) + 60, commandLine: ["harness"], seed: 1)
    record.kernel = .init(path: "bzImage", release: "6.12.117", sha256: "abab")
    record.machine = .init(
      name: "q35", cpus: 2, memoryMiB: 512, accelerator: "tcg", qemuVersion: "7.2.22")
    record.error = nil
    record.findings = findings.sorted { $0.key < $1.key }.map { fingerprint, title in
      Finding(
        kind: .splat, title: title, fingerprint: fingerprint, details: "details",
        schedule: schedules[0], trial: 0)
    }
    record.trials = (0..<trials).map { index in
      var judgement = TrialJudgement(
        spec: TrialSpec(
          index: index, scenario: "claims",
          work: .schedule(schedules[index % schedules.count]), provider: .patch, pages: 8, seed: 1,
          holdTimeoutMilliseconds: 1000, lru: .memcg),
        outcome: missed.contains(index) || index >= begun
          ? .notExercised("no task came") : .interleaved)
      if missed.contains(index) || index >= begun { judgement.reasons = ["no task came"] }
      if index == 0 { judgement.findings = record.findings }
      return TrialRecord(
        judgement, report: nil, secondsFromReady: index < begun ? Double(index) : nil)
    }
    record.status = !findings.isEmpty ? .fail : missed.isEmpty ? .pass : .notExercised
    record.exitCode = !findings.isEmpty ? 1 : missed.isEmpty ? 0 : 4
    record.finishedAt = record.startedAt.addingTimeInterval(seconds)
    record.durationSeconds = seconds
    return record
  }
}

@discardableResult
func withTemporaryFolder<Result>(
  _ body: (String) async throws -> Result
) async throws -> Result {
  let path = try makeTemporaryFolder()
  defer { try? FileManager.default.removeItem(atPath: path) }
  return try await body(path)
}

private func makeTemporaryFolder() throws -> String {
  let path = FileManager.default.temporaryDirectory
    .appending(path: "zswap-nightly-test-\(UUID().uuidString)").path
  try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  return path
}

func withHistory(_ body: (History, String) throws -> Void) throws {
  let folder = try makeTemporaryFolder()
  defer { try? FileManager.default.removeItem(atPath: folder) }
  let path = "\(folder)/history.sqlite"
  try body(try History(path: path), path)
}
