import FoundationEssentials
import GuestWire

@testable import HarnessKit

/// Whole runs, for the reports.
enum Records {
  static let start = Date(timeIntervalSince1970: 1_795_437_129)

  static func record(
    _ trials: [(TrialJudgement, TrialReport?)], stray: [Finding] = [],
    failures: [HarnessFailure] = []
  ) -> RunRecord {
    var record = RunRecord(
      begun: start, commandLine: ["harness", "--kernel", "bzImage"], seed: .max)
    record.kernel = RunRecord.Kernel(path: "bzImage", release: "6.12.117", sha256: "00ff")
    record.machine = RunRecord.Machine(
      name: "q35", cpus: 2, memoryMiB: 1024, accelerator: "tcg", qemuVersion: "7.2.22")
    record.module = RunRecord.Module(path: "zswap_hooks.ko", vermagic: "6.12.117 SMP")
    record.guests = [
      RunRecord.Guest(start: .booted, readySeconds: 2.7, console: "console.log", trials: 3),
      RunRecord.Guest(start: .restored, readySeconds: nil, console: "console-2.log", trials: 0),
    ]
    record.points = [
      ProviderPoints(
        provider: .patch,
        points: [
          PointStatus(point: .writebackPinned, provider: .patch, hits: 3, available: [.patch]),
          PointStatus(point: .writebackDone, provider: nil, hits: 0, available: []),
        ])
    ]
    record.trials = trials.map { TrialRecord($0.0, report: $0.1) }
    let judgement = RunJudgement.conclude(trials.map(\.0), stray: stray, failures: failures)
    record.finish(judgement, at: start.addingTimeInterval(42))
    return record
  }

  static let unlocked = (
    Trials.judge(Trials.unlocked, Trials.interleaved(index: 0)), Trials.interleaved(index: 0)
  )
  static let pinned = (
    Trials.judge(Trials.pinned, Trials.excluded(index: 1)), Trials.excluded(index: 1)
  )

  static let passed = record([unlocked, pinned])

  /// Another tool's trial, on a kernel that counts what runs.
  static let compared: RunRecord = {
    let tool = Trials.workload()
    var compared = record([(Trials.judge(.kselftest, tool), tool)])
    compared.coverage = [
      .init(file: "mm/zswap.c", lines: .init(hit: 9, of: 10), branches: .init(hit: 3, of: 8))
    ]
    return compared
  }()

  /// A finding, a known one, a trial without report, a stress.
  static let failed: RunRecord = {
    var report = Trials.interleaved(index: 0)
    report.milliseconds = 1250
    report.phases = [TrialPhase(name: "race", microseconds: 900_000)]
    report.rest.append(RestMeasurement(name: "nr_items", expected: 0, observed: -3))
    let bad = Trials.judge(Trials.unlocked, report, splats: [Trials.splat()])
    let lost = TrialJudgement.unreported(
      Trials.spec(Trials.pinned, index: 1), splats: [], why: "the guest was lost")
    let stress = Trials.stress(index: 2)
    var failed = record([(bad, report), (lost, nil), (Trials.judge(nil, stress), stress)])
    failed.trials[0].secondsFromReady = 1.3
    failed.findings[0].frames[0].places = [
      StackFrame.Place(function: "shrink_memcg_cb", file: "mm/zswap.c", line: 1300)
    ]
    failed.reproductions = [
      Reproduction(
        schedule: Trials.unlocked, provider: .patch, fingerprint: bad.findings[0].fingerprint,
        failures: 5, runs: 5, seconds: [0.5, 0.4, 0.7, 0.4, 0.6])
    ]
    return failed
  }()
}
