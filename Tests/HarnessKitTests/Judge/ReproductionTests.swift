import GuestWire
import Testing

@testable import HarnessKit

@Suite struct ReproductionTests {
  private func reproduction(_ failures: Int, of runs: Int) -> Reproduction {
    Reproduction(
      schedule: Trials.unlocked, provider: .patch, fingerprint: "f", failures: failures,
      runs: runs)
  }

  @Test func `the interval is Wilson's, and honest at both ends`() {
    #expect(abs(reproduction(5, of: 5).interval.lowerBound - 0.5655) < 0.001)
    #expect(reproduction(5, of: 5).interval.upperBound == 1)
    #expect(reproduction(0, of: 5).interval.lowerBound == 0)
    #expect(abs(reproduction(0, of: 5).interval.upperBound - 0.4345) < 0.001)
    #expect(abs(reproduction(50, of: 100).interval.lowerBound - 0.4038) < 0.001)
    #expect(reproduction(0, of: 0).interval == 0...1)
  }

  @Test func `only runs that entered the window, or failed, count`() throws {
    let bad = Trials.judge(Trials.unlocked, Trials.interleaved(), splats: [Trials.splat()])
    let fingerprint = try #require(bad.findings.first?.fingerprint)
    var result = Reproduction(
      schedule: Trials.unlocked, provider: .patch, fingerprint: fingerprint)
    result.count(bad, seconds: 0.4)
    result.count(Trials.judge(Trials.unlocked, Trials.interleaved()), seconds: 9)
    result.count(
      Trials.judge(Trials.unlocked, Trials.interleaved(), splats: [Trials.splat("WARNING in x")]),
      seconds: 0.2)
    var armed = Trials.interleaved()
    armed.hold?.state = .armed
    armed.events = []
    result.count(Trials.judge(Trials.unlocked, armed), seconds: 9)
    #expect(result.failures == 1)
    #expect(result.others == 1)
    #expect(result.runs == 3)
    // Of those that brought a finding, and of no others.
    #expect(result.seconds == [0.4, 0.2])
    #expect(result.medianSeconds == 0.4)
    #expect(result.description.hasSuffix(", median 0.4 s after the guest was ready"))
  }

  @Test func `a schedule is shortened by one option at a time, down to none`() {
    let schedule = Schedule.known("writeback@pinned > load@end fault=write swap=brd")
    #expect(
      schedule.simpler.map(\.description) == [
        "writeback@pinned > load@end swap=brd", "writeback@pinned > load@end fault=write",
      ])
    #expect(Schedule.known("writeback@pinned > load@end").simpler.isEmpty)
  }

  @Test func `a mail has what it takes to see the finding again, and what is known is none`() {
    let mails = HandOver.all(of: Records.failed)
    #expect(mails.count == 1)
    for part in [
      "KASAN: slab-use-after-free in shrink_memcg_cb", "6.12.117",
      #"--schedule "writeback@unlocked > swapoff@trees-freed""#, "S2: ", "__list_lru_walk_one",
    ] {
      #expect(mails.first?.contains(part) == true, "\(part)")
    }
    #expect(HandOver.all(of: Records.passed).isEmpty)
  }

  @Test func `a mail about a stock kernel names it as anybody can have it`() {
    var record = Records.failed
    record.kernel?.name = "debian:6.1"
    #expect(HandOver.all(of: record).first?.contains("harness --kernel debian:6.1 ") == true)
  }

  @Test func `a mail about a stress says which, and how to run it again`() throws {
    let report = Trials.stress(index: 0)
    let bad = Trials.judge(nil, report, splats: [Trials.splat()])
    let mail = try #require(HandOver.all(of: Records.record([(bad, report)])).first)
    #expect(mail.contains("Trial:       swapoff stress for 30 s\n"))
    #expect(
      mail.contains("  harness --kernel bzImage --scenario swapoff-stress --stress-seconds 30\n"))
  }

  @Test func `a mail asks for the guest in which it was found`() {
    var record = Records.failed
    record.commandLine = [
      "harness", "--kernel", "bzImage", "--cpus", "4", "--compressor=zstd", "--append", "a b",
      "--scenario", "claims", "--seed", "7",
    ]
    let line = HandOver.all(of: record).first?.split(separator: "\n")
      .first { $0.contains("--schedule") }
    #expect(line?.hasSuffix(" --cpus 4 --compressor=zstd --append 'a b'") == true)
  }
}
