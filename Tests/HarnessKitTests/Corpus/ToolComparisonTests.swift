import GuestWire
import Testing

@testable import HarnessKit

@Suite struct ToolComparisonTests {
  private static func trial(
    _ counts: [String: UInt64] = [:], splats: [Splat] = [], milliseconds: UInt64 = 120_000
  ) -> TrialRecord {
    var report = Trials.workload()
    report.counts.merge(counts) { $1 }
    report.milliseconds = milliseconds
    return TrialRecord(Trials.judge(.kselftest, report, splats: splats), report: report)
  }

  @Test func `a test that is red on the good kernel kills nothing`() {
    let red = Self.trial(["not ok test_zswap_usage": 3])
    let baseline = ToolComparison.Baseline([red, Self.trial()])
    #expect(ToolComparison.end(of: red, beside: baseline) == .survived(seconds: 120))
  }

  @Test func `a test that fails on the mutant alone kills it, when it first failed`() {
    let baseline = ToolComparison.Baseline([Self.trial(["not ok test_zswap_usage": 1])])
    let mutant = Self.trial([
      "not ok test_zswap_usage": 1, "not ok test_zswapin": 2, "ms to not ok test_zswapin": 9000,
    ])
    #expect(
      ToolComparison.end(of: mutant, beside: baseline)
        == .killed(by: "not ok test_zswapin", seconds: 9))
  }

  @Test func `what the kernel says kills, unless it says it on the good kernel too`() {
    let splat = Self.trial(splats: [Trials.splat()], milliseconds: 5000)
    #expect(
      ToolComparison.end(of: splat, beside: .init([Self.trial()]))
        == .killed(by: "KASAN: slab-use-after-free in shrink_memcg_cb", seconds: 5))
    #expect(ToolComparison.end(of: splat, beside: .init([splat])) == .survived(seconds: 5))
  }

  @Test func `a lost guest that proves nothing is not counted`() {
    let lost = TrialRecord(
      TrialJudgement.unreported(Trials.spec(nil), splats: [], why: "it was not begun"),
      report: nil)
    #expect(
      ToolComparison.end(of: lost, beside: .init([])) == .inconclusive("it was not begun"))
  }

  @Test func `of a run of before, only tools that came to their end are taken over`() {
    var record = Records.failed
    for index in record.trials.indices { record.trials[index].stressSeconds = 120 }
    func takenOver(seconds: Int = 120, sum: String = "00ff") -> [Int] {
      ToolComparisonRun.takenOver(record, ofImage: sum, seconds: seconds).map(\.index)
    }
    // The second one's guest was lost without a word.
    #expect(takenOver() == [0, 2])
    #expect(takenOver(seconds: 145) == [])
    #expect(takenOver(sum: "00fe") == [])
    // It died of what the kernel said, unless it was stopped.
    record.trials[0].report = nil
    #expect(takenOver() == [0, 2])
    record.cutShort = RunRecord.interruption
    #expect(takenOver() == [2])
  }

  @Test func `no tool is given less time than the harness took`() {
    #expect(ToolComparisonRun.seconds(atLeast: 120, besideKillAt: nil) == 120)
    #expect(ToolComparisonRun.seconds(atLeast: 120, besideKillAt: 3.2) == 120)
    #expect(ToolComparisonRun.seconds(atLeast: 120, besideKillAt: 144.5) == 145)
  }

  @Test func `the table says how long the others were at it in vain`() throws {
    let mutant = try Mutant(
      id: "R1a",
      parsing: "Subject: mutant R1a: no pin\nClass: I\nExpect: KASAN\nClaim: S2\n---\n")
    var record = Records.failed
    record.trials[0].secondsFromReady = 2
    let comparison = ToolComparison(
      MutantResult(mutant, record), [Self.trial()], baselines: [.kselftest: .init([])])
    func table(_ comparisons: [ToolComparison]) -> String {
      ToolComparisonTable(
        comparisons: comparisons, baselines: [.kselftest: .init([])], preface: "how"
      ).markdown
    }
    #expect(table([comparison]).contains("| killed | 1 of 1 | 0 of 1 | 0 of 0 | 0 of 0 |"))
    #expect(table([comparison]).contains("| > 60 |"))
    // With bugs of another class beside it, each class has its score.
    var other = comparison
    other.mutant.kind = .wide
    let both = table([comparison, other])
    #expect(both.contains("| killed | 2 of 2 | 0 of 2 | 0 of 0 | 0 of 0 |"))
    #expect(both.contains("| of class W, wide race | 1 of 1 | 0 of 1 | 0 of 0 | 0 of 0 |"))
  }
}
