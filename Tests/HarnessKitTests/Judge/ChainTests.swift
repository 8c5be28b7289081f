import GuestWire
import Testing

@testable import HarnessKit

/// Chains of three points, as a sound kernel and a sound agent report them, spoiled
/// one thing at a time.
@Suite struct ChainTests {
  private static let dropped = Schedule.known(
    "invalidate@begin > writeback@pinned > swapoff@trees-freed")
  private static let invalidatePid = 63

  private static func event(
    _ sequence: UInt64, _ pid: Int, _ point: String, _ kind: HookEvent.Kind = .hit,
    result: Int = 0, slot: Slot? = Trials.slot
  ) -> HookEvent {
    Trials.event(sequence, pid, .known(point), kind, result: result, slot: slot)
  }

  /// The page is dropped under the pinned folio, and swapoff waits for that.
  private static func waits() -> TrialReport {
    var report = Trials.excluded()
    report.actors.insert(
      ActorReport(name: "invalidate", pid: invalidatePid, end: .returned(errno: 0)), at: 0)
    report.hold = HoldReport(
      schedule: dropped, state: .reached, later: [.released], blocked: report.hold?.blocked)
    report.events = [
      event(0, invalidatePid, "invalidate@begin", slot: nil),
      event(1, invalidatePid, "invalidate@begin", .hold, slot: nil),
      event(2, Trials.writebackPid, "writeback@pinned"),
      event(3, Trials.writebackPid, "writeback@pinned", .hold),
      event(4, invalidatePid, "invalidate@begin", .release, slot: nil),
      event(5, invalidatePid, "invalidate@end", slot: nil),
      event(6, Trials.swapoffPid, "swapoff@begin", slot: nil),
      event(7, Trials.writebackPid, "writeback@pinned", .release),
      event(8, Trials.writebackPid, "writeback@done"),
      event(9, Trials.swapoffPid, "swapoff@trees-freed", slot: Slot(type: 0, offset: 0)),
    ]
    return report
  }

  /// As mutant S5b has it: swapoff does not wait.
  private static func overtakes() -> TrialReport {
    var report = waits()
    report.hold = HoldReport(
      schedule: dropped, state: .reached, later: [.reached], blocked: nil)
    report.events[7] = event(
      7, Trials.swapoffPid, "swapoff@trees-freed", slot: Slot(type: 0, offset: 0))
    report.events[8] = event(8, Trials.writebackPid, "writeback@pinned", .release)
    report.events[9] = event(9, Trials.writebackPid, "writeback@done")
    return report
  }

  @Test func `a chain whose last actor waits as the rule says is a pass, and shows its claim`() {
    let judgement = Trials.judge(Self.dropped, Self.waits())
    #expect(judgement.verdict == .pass)
    #expect(judgement.checks.map(\.claim) == [.s5, .s7])
    #expect(judgement.checks.allSatisfy { $0.result == .held })
    guard case .excluded(.blocked(let evidence)) = judgement.outcome else {
      Issue.record("\(judgement.outcome)")
      return
    }
    #expect(evidence.actor == "swapoff")
  }

  @Test func `a swapoff that overtakes where it has to wait violates the chain's claim`() {
    let judgement = Trials.judge(Self.dropped, Self.overtakes())
    #expect(
      judgement.verdict.titles == ["swapoff@trees-freed passed while writeback@pinned was held"])
    #expect(judgement.checks.contains { $0.claim == .s5 && $0.result == .violated })
  }

  @Test func `every constraint of a chain has to be entered, not only the first`() {
    var report = Self.waits()
    report.hold?.later = [.armed]
    report.events.removeAll { $0.sequence == 3 || $0.sequence == 7 }
    #expect(Trials.judge(Self.dropped, report).verdict.isNotExercised)

    report = Self.waits()
    report.hold?.state = .armed
    report.hold?.later = [.armed]
    report.events.removeAll { $0.point == .known("invalidate@begin") || $0.kind != .hit }
    #expect(Trials.judge(Self.dropped, report).verdict.isNotExercised)
  }

  @Test func `a chain that stops at its first constraint is judged by that one`() {
    var report = Self.waits()
    report.hold = HoldReport(
      schedule: Self.dropped, state: .released, later: [.released],
      blocked: BlockedEvidence(
        actor: "writeback", wchan: "folio_wait_bit_common", samples: 9, stack: []))
    report.events = [
      Self.event(0, Self.invalidatePid, "invalidate@begin", slot: nil),
      Self.event(1, Self.invalidatePid, "invalidate@begin", .hold, slot: nil),
      Self.event(2, Self.invalidatePid, "invalidate@begin", .release, slot: nil),
      Self.event(3, Trials.writebackPid, "writeback@pinned"),
    ]
    #expect(
      Trials.judge(Self.dropped, report).verdict.titles
        == ["writeback@pinned waits for invalidate@begin"])
  }

  @Test func `a third actor that came before the first was done opened another window`() {
    var report = Self.waits()
    report.events[5] = Self.event(5, Trials.swapoffPid, "swapoff@begin", slot: nil)
    report.events[6] = Self.event(6, Self.invalidatePid, "invalidate@end", slot: nil)
    let judgement = Trials.judge(Self.dropped, report)
    #expect(judgement.reasons == ["invalidate had not come to its end when swapoff began"])
    #expect(judgement.checks.contains { $0.claim == .s5 && $0.result == .notExercised })
    #expect(judgement.verdict.isNotExercised)
  }

  @Test func `a chain's record that contradicts itself is an error`() {
    var report = Self.overtakes()
    report.hold?.later = [.released]
    #expect(Trials.judge(Self.dropped, report).verdict.isHarnessError)
    report.hold?.later = nil
    #expect(Trials.judge(Self.dropped, report).verdict.isHarnessError)
    report.hold?.later = [.reached, .reached]
    #expect(Trials.judge(Self.dropped, report).verdict.isHarnessError)
  }

  @Test func `a second hold on another slot than the first is another window`() {
    let schedule = Schedule.known("writeback@unlocked > load@erased > writeback@done")
    var report = Trials.interleaved()
    report.actors[1].name = "load"
    report.hold = HoldReport(schedule: schedule, state: .reached, later: [.reached], blocked: nil)
    let load = Trials.swapoffPid
    func events(_ slot: Slot) -> [HookEvent] {
      [
        Self.event(0, Trials.writebackPid, "writeback@unlocked"),
        Self.event(1, Trials.writebackPid, "writeback@unlocked", .hold),
        Self.event(2, load, "load@erased"),
        Self.event(3, load, "load@erased", .hold, slot: slot),
        Self.event(4, Trials.writebackPid, "writeback@unlocked", .release),
        Self.event(5, Trials.writebackPid, "writeback@done", result: -17, slot: slot),
        Self.event(6, load, "load@erased", .release, slot: slot),
      ]
    }
    report.events = events(Trials.slot)
    #expect(Trials.judge(schedule, report).verdict == .pass)
    #expect(Trials.judge(schedule, report).outcome == .interleaved)
    report.events = events(Slot(type: 0, offset: 99))
    #expect(Trials.judge(schedule, report).verdict.isNotExercised)
  }

  @Test func `what a walk has counted is in its end, not in the release of a hold there`() throws {
    let schedule = Schedule.known("writeback@end > load@end")
    var report = Trials.interleaved()
    report.actors[1].name = "load"
    report.hold = HoldReport(schedule: schedule, state: .reached, blocked: nil)
    let writeback = Trials.writebackPid
    func events(counted: Int) -> [HookEvent] {
      [
        Self.event(0, writeback, "writeback@begin", slot: nil),
        Self.event(1, writeback, "writeback@done"),
        Self.event(2, writeback, "writeback@end", result: counted, slot: nil),
        Self.event(3, writeback, "writeback@end", .hold, slot: nil),
        Self.event(4, Trials.swapoffPid, "load@end", slot: nil),
        Self.event(5, writeback, "writeback@end", .release, slot: nil),
      ]
    }
    report.events = events(counted: 1)
    #expect(Trials.judge(schedule, report).verdict == .pass)
    report.events = events(counted: 0)
    #expect(
      Trials.judge(schedule, report).verdict.titles
        == ["writeback's walk miscounts what it has written back"])
  }

  @Test func `every row of the chains' rules is run by the sweep`() {
    let chains = Sweep.schedules.filter { $0.points.count > 2 }
    #expect(chains.count >= 16)
    for row in RuleRow.all where !row.before.isEmpty {
      #expect(chains.contains { row.covers($0) }, "\(row.reason)")
    }
  }

  @Test func `a pair's rule is not a chain's`() throws {
    let chain = try Schedule(points: [.swapoffBegin, .writebackUnlocked, .known("load@end")])
    #expect(ScheduleRule.rule(for: chain) == nil)
    let pair = Schedule.known("writeback@pinned > swapoff@trees-freed")
    #expect(ScheduleRule.rule(for: pair)?.first == .either)
  }

  @Test func `a chain is shortened at either end, as far as it stays a schedule`() {
    #expect(
      Self.dropped.simpler.map(\.description) == [
        "writeback@pinned > swapoff@trees-freed", "invalidate@begin > writeback@pinned",
      ])
  }

  @Test func `a chain stands in the matrix at its last two points, with what leads up to it`()
    throws
  {
    var record = Records.record([])
    let pair = Trials.judge(Trials.pinned, Trials.excluded(index: 0))
    var report = Self.overtakes()
    report.index = 1
    let chain = Trials.judge(Self.dropped, report)
    record.trials = [TrialRecord(pair, report: nil), TrialRecord(chain, report: report)]
    let matrix = try #require(RaceMatrix.all(of: record).first)
    let trials = matrix.whole.trials(of: .writebackPinned, until: .swapoffTreesFreed)
    #expect(trials.map(\.index) == [0, 1])
    #expect(matrix.parts.map(\.options) == ["", "invalidate@begin > …"])
  }

  @Test func `a chain's timeline is about its last hold, and begins before its first`() {
    let timeline = Timeline(Self.overtakes(), schedule: Self.dropped)
    #expect(timeline.holds.count == 2)
    #expect(timeline.mainHold(Self.dropped)?.begin == 3)
    #expect(timeline.awaited == 7)
    #expect(timeline.window(Self.dropped).contains(0))
    #expect(timeline.entries.count { $0.isNear } == timeline.entries.count)
  }

  @Test func `an actor that waits behind a later hold of ours is our failure`() {
    var report = Self.waits()
    report.hold?.later = [.held]
    report.events.removeLast(3)
    report.actors[2].end = .stalled(wchan: "folio_wait_bit_common", stack: [])
    report.rest = []
    report.restSkipped = "an actor makes no progress"
    #expect(Trials.judge(Self.dropped, report).verdict.isHarnessError)
  }

  @Test func `a second hold that came before the first contradicts itself`() {
    var report = Self.waits()
    report.events = [
      Self.event(0, Trials.writebackPid, "writeback@pinned", .hold),
      Self.event(1, Self.invalidatePid, "invalidate@begin", .hold, slot: nil),
      Self.event(2, Trials.writebackPid, "writeback@pinned"),
      Self.event(3, Self.invalidatePid, "invalidate@begin", .release, slot: nil),
      Self.event(4, Trials.writebackPid, "writeback@pinned", .release),
    ]
    let judgement = Trials.judge(Self.dropped, report)
    #expect(judgement.verdict.isHarnessError)
    #expect(judgement.failures.contains { $0.message.contains("was held before") })
  }

  @Test func `a first actor that was to sleep and came to its end opened another window`() {
    let schedule = Schedule.known("load@begin > writeback@pinned > swapoff@trees-freed")
    func judge(sleeps: Bool) -> TrialJudgement {
      var report = Self.waits()
      report.actors[0].name = "load"
      report.hold?.schedule = schedule
      let pid = Self.invalidatePid
      report.events = [
        Self.event(0, pid, "load@begin", slot: nil),
        Self.event(1, pid, "load@begin", .hold, slot: nil),
        Self.event(2, Trials.writebackPid, "writeback@pinned"),
        Self.event(3, Trials.writebackPid, "writeback@pinned", .hold),
        Self.event(4, pid, "load@begin", .release, slot: nil),
        Self.event(sleeps ? 8 : 5, pid, "load@end", slot: nil),
        Self.event(6, Trials.writebackPid, "writeback@pinned", .release),
        Self.event(7, Trials.writebackPid, "writeback@done"),
        Self.event(9, Trials.swapoffPid, "swapoff@trees-freed", slot: Slot(type: 0, offset: 0)),
      ].sorted { $0.sequence < $1.sequence }
      // "It did not happen" needs a record without gaps.
      for index in report.events.indices { report.events[index].sequence = UInt64(index) }
      return Trials.judge(schedule, report)
    }
    #expect(judge(sleeps: true).verdict == .pass)
    #expect(judge(sleeps: false).reasons == ["load did not wait for writeback@pinned"])
    #expect(judge(sleeps: false).verdict.isNotExercised)
  }
}
