import GuestWire
import Testing

@testable import HarnessKit

/// What other tools do is judged as their users would judge it, and is no proof of
/// anything where they find nothing.
@Suite struct WorkloadTests {
  @Test func `a tool that finds nothing shows nothing`() {
    let judgement = Trials.judge(.kselftest, Trials.workload())
    #expect(judgement.findings.isEmpty)
    #expect(RunJudgement.conclude([judgement]).verdict.isNotExercised)
    #expect(judgement.checks.allSatisfy { $0.result != .held })
  }

  @Test func `what the kernel says beside a tool is a finding`() {
    let judgement = Trials.judge(.kselftest, Trials.workload(), splats: [Trials.splat()])
    #expect(judgement.verdict.titles == ["KASAN: slab-use-after-free in shrink_memcg_cb"])
  }

  @Test func `a tool that never came to writeback was no rival`() {
    var report = Trials.workload()
    report.counts["writebacks"] = 0
    let judgement = Trials.judge(.stressNG, report)
    #expect(judgement.reasons == ["the stress-ng made no writebacks"])
  }

  @Test func `only the tool that has stamped pages has to read them back`() {
    #expect(Trials.judge(.stressNG, Trials.workload()).reasons.isEmpty)
    #expect(Trials.judge(.reclaim, Trials.workload()).reasons == ["no page was read back"])
    var report = Trials.workload()
    report.pages.checked = 2
    report.pages.lost = 2
    #expect(Trials.judge(.reclaim, report).verdict.titles == ["a page came back empty"])
  }

  @Test func `tools run once, whatever the providers`() {
    for workload in Workload.allCases {
      #expect(Scenario.named(workload.rawValue)?.usesHooks == false)
    }
    #expect(Scenario.standard.allSatisfy { $0.usesHooks })
  }
}
