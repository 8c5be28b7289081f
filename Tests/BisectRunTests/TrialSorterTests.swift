import Foundation
import GuestWire
import HarnessKit
import Synchronization
import Testing

@testable import BisectRun

/// What a run's trials are to a bisection.
@Suite struct TrialSorterTests {
  private final class Told: Sendable {
    private let trials = Mutex<[BisectTrial]>([])
    func take(_ trial: BisectTrial) { trials.withLock { $0.append(trial) } }
    var outcomes: [BisectTrial.Outcome] { trials.withLock { $0.map(\.outcome) } }
  }

  private let told = Told()

  private func sorter(parts: Int?, target: String? = "KASAN") -> TrialSorter {
    TrialSorter(target: target, parts: parts, folder: nil) { [told] in told.take($0) }
  }

  private func spec(_ index: Int) throws -> TrialSpec {
    TrialSpec(
      index: index, scenario: "swapoff-race",
      work: .schedule(try Schedule(parsing: "writeback@unlocked > swapoff@trees-freed")),
      provider: .patch, pages: 64, seed: 1, holdTimeoutMilliseconds: 20_000)
  }

  private func trial(
    _ index: Int, _ findings: [String] = [], failures: [HarnessFailure] = [],
    reasons: [String] = []
  ) throws -> TrialJudgement {
    TrialJudgement(
      spec: try spec(index), outcome: .interleaved,
      findings: findings.map { Finding(kind: .splat, title: $0, details: "") },
      failures: failures, reasons: reasons)
  }

  private func record(
    _ trials: [TrialJudgement], stray: [String] = [], failures: [HarnessFailure] = []
  ) -> RunRecord {
    var record = RunRecord(begun: Date(timeIntervalSince1970: 0), commandLine: [], seed: 1)
    record.trials = trials.map { TrialRecord($0, report: nil) }
    record.finish(
      RunJudgement.conclude(
        trials, stray: stray.map { Finding(kind: .splat, title: $0, details: "") },
        failures: failures), at: Date(timeIntervalSince1970: 1))
    return record
  }

  @Test func whatIsNoPassAndNotTheFindingSaysNothing() throws {
    let sorter = sorter(parts: 1)
    sorter.take(try trial(0))
    sorter.take(try trial(1, ["WARNING in x"]))
    sorter.take(try trial(2, failures: [HarnessFailure(.harness, "it broke")]))
    sorter.take(try trial(3, reasons: ["no task came to it"]))
    sorter.take(try trial(4, ["KASAN: slab-use-after-free in y"]))
    #expect(told.outcomes == [.pass, .silent, .silent, .silent, .finding])
  }

  @Test func trialIsToldOnceThoughTheRecordHasItAgain() throws {
    let sorter = sorter(parts: 1)
    let bad = try trial(0, ["KASAN: a"])
    sorter.take(bad)
    sorter.take(bad)
    sorter.finish(record([bad]))
    #expect(told.outcomes == [.finding])
  }

  @Test func groupIsAPassOnlyWhenAllOfItIsThereAndPassed() throws {
    let sorter = sorter(parts: 2)
    sorter.take(try trial(0))
    #expect(told.outcomes.isEmpty)
    sorter.take(try trial(1))
    sorter.take(try trial(2))
    sorter.take(try trial(3, reasons: ["no task came to it"]))
    sorter.take(try trial(4))
    sorter.finish(record([]))
    #expect(told.outcomes == [.pass, .silent])
  }

  @Test func sweepIsOneTrialAndPassesWhenAllOfItDid() throws {
    let all = [try trial(0), try trial(1)]
    let sorter = sorter(parts: nil)
    all.forEach(sorter.take)
    sorter.finish(record(all))
    #expect(told.outcomes == [.pass])
  }

  @Test func findingOfALostGuestIsTold() throws {
    let sorter = sorter(parts: nil)
    sorter.finish(record([try trial(0, ["KASAN: a"])]))
    #expect(told.outcomes == [.finding])
  }

  @Test func runThatEndedWithAnErrorIsNoPass() throws {
    let sorter = sorter(parts: nil)
    sorter.take(try trial(0))
    sorter.finish(record([try trial(0)], failures: [HarnessFailure(.harness, "QEMU ended")]))
    #expect(told.outcomes.isEmpty)
  }

  /// C2.
  @Test func kernelThatWarnedAndNeverBootedIsNoPass() throws {
    let sorter = sorter(parts: nil)
    sorter.finish(
      record(
        [TrialJudgement.unreported(try spec(0), splats: [], why: "it was not begun")],
        stray: ["WARNING in mce_setup"],
        failures: [HarnessFailure(.kernelUnusable, "the kernel panics as it boots")]))
    #expect(!told.outcomes.contains(.pass))
  }
}
