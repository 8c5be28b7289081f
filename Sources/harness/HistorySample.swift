import ArgumentParser
import Foundation
import GuestWire
import HarnessKit
import Nightly

/// `harness history sample`: a history as years of nights leave it, to measure with. Its runs
/// are taken over one by one, as those of nights are.
struct HistorySample: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample", abstract: "Makes a history to measure with.", shouldDisplay: false)

  @Argument(help: "A new folder.") var folder: String
  @Option(help: "Nights.") var nights = 90

  func run() async throws {
    try await reportingFailures {
      let root = URL(filePath: folder).path
      let plan = try Plan(parsing: Self.plan, file: "plan.yaml", folder: root)
      let history = try History(path: plan.history)
      let progress = StatusLine()
      defer { progress.finish() }
      var last: NightFolder?
      for day in 0..<nights {
        progress.update("night \(day + 1) of \(nights)")
        let date = Date(timeIntervalSince1970: 1_790_000_000 + Double(day) * 86400)
        let night = try NightFolder.create(plan, at: date)
        let state = try night.load()
        let id = try history.begin(
          key: state.key, plan: plan.name, folder: night.path, engine: "local", at: date,
          cells: plan.cells.map(\.id))
        for (number, cell) in plan.cells.enumerated() {
          try history.record(
            RecordedRun(
              cell: cell.id, folder: "cells/\(cell.folder)/run-1",
              record: Self.record(of: number, day: day, at: date)), of: id)
        }
        try history.finish(id, verdict: "nothing new", at: date.addingTimeInterval(7200))
        last = night
      }
      if let last { print(last.path) }
    }
  }

  /// Thirty cells.
  private static let plan = """
    name: sample
    out: nights
    kernels:
      - {name: stock-6.1, image: debian:6.1}
      - {name: stock-6.12, image: debian:6.12}
      - {name: mm-unstable, preset: kasan}
    scenarios:
      - {name: claims}
      - {name: sweep}
      - {name: swapoff-race}
      - {name: random}
      - {name: swapoff-stress}
    machines: [{name: small}, {name: large, cpus: 4}]
    """

  /// A sweep's trials, one in 50 nights with a finding, one trial in 500 not exercised.
  private static func record(of cell: Int, day: Int, at date: Date) -> RunRecord {
    var record = RunRecord(begun: date, commandLine: ["harness"], seed: UInt64(day))
    record.kernel = .init(path: "bzImage", release: "6.12.117", sha256: "\(cell % 3)")
    let hasFinding = (day * 31 + cell * 17) % 50 == 0
    let schedules = Sweep.schedules
    if hasFinding {
      record.findings = [
        Finding(
          kind: .splat, title: "KASAN: slab-use-after-free in function_\(cell % 7)",
          details: "made up", schedule: schedules[cell], trial: cell)
      ]
    }
    record.trials = schedules.enumerated().map { index, schedule in
      let isMissed = (index * 7 + day * 13 + cell) % 500 == 0
      var judgement = TrialJudgement(
        spec: TrialSpec(
          index: index, scenario: "sweep", work: .schedule(schedule), provider: .patch, pages: 8,
          seed: 1, holdTimeoutMilliseconds: 1000, lru: .memcg),
        outcome: isMissed ? .notExercised("made up") : .interleaved)
      if isMissed { judgement.reasons = ["made up"] }
      if index == cell { judgement.findings = record.findings }
      return TrialRecord(judgement, report: nil, secondsFromReady: Double(index))
    }
    record.status = hasFinding ? .fail : .pass
    record.exitCode = hasFinding ? 1 : 0
    record.error = nil
    record.durationSeconds = 100 + Double((day * 7 + cell * 3) % 40)
    record.finishedAt = date.addingTimeInterval(record.durationSeconds ?? 0)
    return record
  }
}
