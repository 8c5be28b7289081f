import GuestWire
import Testing

@testable import HarnessKit

/// A kernel whose zpool keeps the LRU, as 6.1's.
@Suite struct PoolLRUTests {
  private static let unlocked = Schedule.known("writeback@unlocked > swapoff@trees-freed via=pool")

  private func judge(
    _ schedule: Schedule?, _ report: TrialReport, splats: [Splat] = []
  ) -> TrialJudgement {
    var spec = Trials.spec(schedule)
    spec.lru = .pool
    return Judge.judge(spec: spec, report: report, splats: splats)
  }

  private func interleaved(result: Int) -> TrialReport {
    var report = Trials.interleaved()
    report.hold?.schedule = Self.unlocked
    report.events[5].result = result
    return report
  }

  @Test func `frontswap in the configuration tells who has the LRU`() throws {
    func lru(_ text: String) throws -> ZswapLRU {
      ZswapLRU(config: try KernelConfig(parsing: text, name: "test"))
    }
    #expect(try lru("CONFIG_ZSWAP=y\nCONFIG_FRONTSWAP=y\n") == .pool)
    #expect(try lru("CONFIG_ZSWAP=y\n") == .memcg)
  }

  @Test func `a writeback that is walked for elsewhere is provoked through the pool's limit`() {
    let walk = Schedule.known("writeback@unlocked > swapoff@trees-freed")
    #expect(walk.adapted(to: .pool) == Self.unlocked)
    #expect(walk.adapted(to: .memcg) == walk)
    #expect(Self.unlocked.adapted(to: .pool) == Self.unlocked)
  }

  @Test(arguments: [
    "writeback@unlocked > shrinker@done", "writeback@unlocked > swapoff@trees-freed via=shrinker",
    "writeback@unlocked > swapoff@trees-freed via=limit",
  ])
  func `what one work item cannot do has no such form`(text: String) {
    #expect(Schedule.known(text).adapted(to: .pool) == nil)
  }

  @Test
  func `its sweep is the claims' schedules, none of them left out, and what is of no writeback`()
    throws
  {
    let sweep = try #require(Scenario.named("sweep"))
    let trials = sweep.trials(startingAt: 0, provider: .ftrace, seed: 1, lru: .pool)
    let others = trials.dropFirst(Sweep.claims.count).compactMap(\.schedule)
    #expect(others.contains(.known("store@compressed > cpu@end")))
    #expect(!others.contains { $0.involves("writeback") || $0.setup != TrialSetup() })
    #expect(trials.allSatisfy { $0.lru == .pool })
    let run = trials.compactMap(\.schedule).filter { $0.setup.via == .pool }
    #expect(run.contains(Self.unlocked))
    #expect(run.allSatisfy { ScheduleRule.rule(for: $0, on: .pool) != nil })
    for (trial, claim) in zip(trials, Sweep.claims) where trial.schedule?.setup.via != .pool {
      #expect(trial.schedule == claim)
    }
  }

  @Test func `what the user has written runs as it is`() {
    let schedule = Schedule.known("writeback@unlocked > shrinker@done")
    let trials = Scenario.custom([schedule])
      .trials(startingAt: 0, provider: .ftrace, seed: 1, lru: .pool)
    #expect(trials.map(\.schedule) == [schedule])
  }

  @Test(arguments: [Trials.unlocked, nil])
  func `what is absent on a kernel is never a pass`(schedule: Schedule?) {
    var report = TrialReport(index: 0)
    report.restSkipped = "absent on this kernel: it"
    let judgement = judge(schedule, report)
    #expect(judgement.verdict == .notExercised(["absent on this kernel: it"]))
    #expect(!judgement.checks.contains { $0.result == .held })
  }

  @Test(arguments: [0, -12, -2])
  func `an overtaken writeback that comes back is sound, whatever it finds`(result: Int) {
    #expect(judge(Self.unlocked, interleaved(result: result)).verdict == .pass)
  }

  @Test func `an oops of the overtaken writeback speaks against the pin, and no other claim`() {
    let judgement = judge(
      Self.unlocked, interleaved(result: 0),
      splats: [Trials.splat("BUG: kernel NULL pointer dereference in zswap_writeback_entry")])
    #expect(judgement.findings.map(\.claims) == [[.s2]])
    #expect(judgement.verdict.exitCode == 1)
  }

  @Test func `figures that a kernel lacks are named`() {
    var report = interleaved(result: 0)
    report.restAbsent = ["vmstat zswpwb"]
    #expect(judge(Self.unlocked, report).notes.contains { $0.contains("vmstat zswpwb") })
  }

  @Test func `no claim is held by other schedules than its own`() {
    let run = RunJudgement.conclude([judge(Self.unlocked, interleaved(result: 0))])
    #expect(run.claims.allSatisfy { $0.result == .notExercised })
  }

  @Test func `a schedule is not shortened to what the kernel lacks`() {
    #expect(Self.unlocked.simpler(on: .pool).isEmpty)
    #expect(Self.unlocked.simpler(on: .memcg) == [Trials.unlocked])
  }
}
