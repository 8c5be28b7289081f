import Testing

@testable import HarnessKit

@Suite struct BisectExitTests {
  @Test func `good is good, and bad is bad where the finding is the one that is looked for`() {
    #expect(BisectExit.code(of: Records.passed, target: nil) == 0)
    #expect(BisectExit.code(of: Records.failed, target: nil) == 1)
    #expect(BisectExit.code(of: Records.failed, target: "in shrink_memcg_cb") == 1)
    #expect(
      BisectExit.code(of: Records.failed, target: Records.failed.findings[0].fingerprint) == 1)
  }

  @Test func `another finding, or one that is known upstream, calls no commit bad`() {
    #expect(BisectExit.code(of: Records.failed, target: "double-free") == 125)
    #expect(BisectExit.code(of: Records.failed, target: "nr_items") == 125)
  }

  @Test func `what says nothing about a kernel skips it, and a broken harness ends it all`() {
    let silent = Records.record([
      (TrialJudgement.unreported(Trials.spec(Trials.pinned), splats: [], why: "lost"), nil)
    ])
    #expect(BisectExit.code(of: silent, target: nil) == 125)
    for (kind, code) in [(HarnessFailure.Kind.kernelUnusable, Int32(125)), (.harness, 128)] {
      let broken = Records.record([], failures: [HarnessFailure(kind, "no")])
      #expect(BisectExit.code(of: broken, target: nil) == code)
    }
  }

  @Test(arguments: [(2, 128), (3, 125), (4, 125), (64, 128), (134, 128)] as [(Int32, Int32)])
  func `no exit code of ours is taken for a bad kernel`(code: Int32, expected: Int32) {
    #expect(BisectExit.code(ofExit: code) == expected)
  }

  @Test func `a finding of another kind is marked in KTAP`() {
    var record = Records.failed
    record.target = "double-free"
    #expect(KTAPReport.text(of: record).contains("[patch] # other\n"))
    record.target = "shrink_memcg_cb"
    #expect(!KTAPReport.text(of: record).contains("# other"))
  }
}
