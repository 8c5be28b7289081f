import GuestWire
import Testing

@testable import HarnessKit

@Suite struct RunJudgementTests {
  private func race(_ provider: Provider = .patch) -> [TrialJudgement] {
    [
      Trials.judge(Trials.unlocked, Trials.interleaved(index: 0), provider: provider),
      Trials.judge(Trials.pinned, Trials.excluded(index: 1), provider: provider),
    ]
  }

  private func lines(_ run: RunJudgement) -> [String] { run.claims.map(\.line) }

  @Test func `two schedules hold S2, and claim no more than they show`() {
    let run = RunJudgement.conclude(race())
    #expect(run.verdict == .pass)
    #expect(
      lines(run) == [
        "S1 not exercised", "S2 held", "S3 not exercised", "S4 not exercised", "S5 not exercised",
        "S6 not exercised", "S7 not exercised", "S8 not exercised",
      ])
    #expect(run.claims.allSatisfy { $0.result == .held || $0.reason != nil })
  }

  @Test func `a claim is held only where each of its rules was exercised`() {
    let half = RunJudgement.conclude([race()[0]])
    #expect(half.claims[1].result == .notExercised)
  }

  @Test func `a claim is held only under every provider that ran`() {
    #expect(RunJudgement.conclude(race() + race(.ftrace)).claims[1].result == .held)
    let uneven = RunJudgement.conclude(race() + [race(.ftrace)[0]])
    #expect(uneven.claims[1].result == .notExercised)
    #expect(uneven.claims[1].reason?.contains("ftrace") == true)
  }

  @Test func `every claim rests on schedules that have a rule and are in the sweep`() {
    for claim in Claim.allCases {
      #expect(!claim.schedules.isEmpty)
      for schedule in claim.schedules {
        #expect(ScheduleRule.rule(for: schedule) != nil, "\(schedule)")
        #expect(Sweep.schedules.contains(schedule), "\(schedule)")
      }
    }
  }

  @Test func `one trial of which nothing is known at rest leaves S7 open`() {
    func trial(
      _ index: Int, _ schedule: Schedule, _ result: ClaimCheck.Result
    ) -> TrialJudgement {
      TrialJudgement(
        spec: Trials.spec(schedule, index: index), outcome: .interleaved,
        checks: [ClaimCheck(claim: .s7, schedule: schedule, provider: .patch, result: result)])
    }
    let served = Claim.s7.schedules.enumerated().map { trial($0.offset, $0.element, .held) }
    #expect(RunJudgement.conclude(served).claims[6].result == .held)
    let other = trial(served.count, Trials.unlocked, .notExercised)
    let claim = RunJudgement.conclude(served + [other]).claims[6]
    #expect(claim.result == .notExercised)
    #expect(claim.reason == "nothing is known at rest of trial \(served.count)")
  }

  @Test func `a violated claim names the schedule`() {
    let bad = Trials.judge(Trials.pinned, Trials.excluded(index: 1), splats: [Trials.splat()])
    let run = RunJudgement.conclude([race()[0], bad])
    #expect(run.verdict.exitCode == 1)
    #expect(lines(run).contains("S5 violated: writeback@pinned > swapoff@trees-freed"))
  }

  @Test func `a run without trials is an error`() {
    #expect(RunJudgement.conclude([]).verdict.isHarnessError)
  }

  @Test func `a stress alone neither passes nor holds anything`() {
    let stress = Trials.judge(nil, Trials.stress())
    let run = RunJudgement.conclude([stress])
    #expect(run.verdict.isNotExercised)
    #expect(run.claims.allSatisfy { $0.result == .notExercised })
    var index = Trials.stress(index: 2)
    index.index = 2
    #expect(RunJudgement.conclude(race() + [Trials.judge(nil, index)]).verdict == .pass)
  }

  @Test func `a finding goes before an error, an error before what was not exercised`() {
    let failure = HarnessFailure(.harness, "the guest lied")
    let unusable = HarnessFailure(.kernelUnusable, "no zswap")
    let lost = TrialJudgement.unreported(
      Trials.spec(Trials.pinned, index: 1), splats: [], why: "the guest was lost")
    let bad = Trials.judge(Trials.unlocked, Trials.interleaved(), splats: [Trials.splat()])
    #expect(RunJudgement.conclude([bad, lost], failures: [failure]).verdict.exitCode == 1)
    #expect(RunJudgement.conclude([lost], failures: [failure, unusable]).verdict.exitCode == 2)
    #expect(RunJudgement.conclude([lost], failures: [unusable]).verdict.exitCode == 3)
    #expect(RunJudgement.conclude([race()[0], lost]).verdict.exitCode == 4)
    #expect(RunJudgement.conclude(race(), failures: [failure]).verdict.exitCode == 2)
    #expect(Verdict.error(HarnessFailure(.usage, "")).exitCode == 64)
  }

  @Test func `a report outside of any trial fails the run`() {
    let stray = Judge.stray([Trials.splat("WARNING in zswap_setup", kind: .warning)])
    #expect(RunJudgement.conclude(race(), stray: stray.findings).verdict.exitCode == 1)
    // A breakpoint out of nowhere is QEMU's, where QEMU translates.
    let int3 = [Trials.splat("Oops: int3 in sched_clock_cpu", kind: .oops)]
    #expect(Judge.stray(int3, isEmulated: true).failures.map(\.kind) == [.harness])
    #expect(Judge.stray(int3, isEmulated: true).findings.isEmpty)
    #expect(Judge.stray(int3).findings.count == 1)
    #expect(Judge.stray([Trials.splat()], isEmulated: true).findings.count == 1)
    let ours = Judge.stray([Trials.splat(inHarnessModule: true)])
    #expect(RunJudgement.conclude(race(), failures: ours.failures).verdict.exitCode == 2)
    let flood = Finding.consoleFlood(omitted: 7)
    #expect(RunJudgement.conclude(race(), stray: [flood]).verdict.exitCode == 1)
  }

  @Test func `a known upstream finding is told and fails nothing`() {
    var report = Trials.interleaved(index: 0)
    report.rest.append(RestMeasurement(name: "nr_items", expected: 0, observed: -3))
    let run = RunJudgement.conclude([Trials.judge(Trials.unlocked, report), race()[1]])
    #expect(run.verdict == .pass)
    #expect(run.findings.count == 1)
  }

  @Test func `every trial of the sweep has a rule, its index and a seed of its own`() {
    let trials = Scenario.standard.flatMap { $0.trials(startingAt: 5, provider: .patch, seed: 1) }
    let steered = trials.compactMap(\.schedule)
    #expect(steered.count > 300)
    #expect(steered.allSatisfy { ScheduleRule.rule(for: $0) != nil })
    #expect(Set(steered).count == steered.count)
    #expect(Set(trials.map(\.seed)).count >= steered.count)
    #expect(Scenario.named("swapoff-race") != nil)
  }

  @Test func `the sweep holds writeback at each of its points until every other actor's points`() {
    let holds = HookPoint.catalogue.filter {
      $0.actor == "writeback" && $0.maySleep && !$0.isMark
    }
    for hold in holds {
      for until in HookPoint.catalogue where until.actor != "writeback" {
        let schedule = Schedule(hold: hold, until: until)
        #expect(Sweep.schedules.contains(schedule), "\(schedule)")
      }
    }
  }

  @Test func `the same seed gives the same trials in the same order`() {
    let once = Scenario.standard.flatMap { $0.trials(startingAt: 0, provider: .patch, seed: 7) }
    let again = Scenario.standard.flatMap { $0.trials(startingAt: 0, provider: .patch, seed: 7) }
    #expect(once == again)
  }
}
