import GuestWire
import Testing

@testable import HarnessKit

/// Each ordering that a rule may ask for, beside each outcome that a trial may have.
@Suite struct OrderingRuleTests {
  enum Shown: Hashable, Sendable {
    case interleaved
    case blocked(wchan: String)
    case returned(errno: Int32)
    case timeout
  }

  enum Expected: Hashable, Sendable {
    case pass
    case finding(String)
    case notExercised
    case harnessError
  }

  /// writeback is held, and comes back with 0 from whatever another actor did meanwhile.
  private static func report(_ schedule: Schedule, _ shown: Shown) -> TrialReport {
    let other = schedule.until.actor
    var report = Trials.atRest(0)
    report.actors[1].name = other
    report.hold = HoldReport(schedule: schedule, state: .released, blocked: nil)
    let slot = other == "swapoff" ? Slot(type: 0, offset: 0) : Trials.slot
    let passes = (Trials.swapoffPid, schedule.until, HookEvent.Kind.hit)
    let release = (Trials.writebackPid, schedule.hold, HookEvent.Kind.release)
    let done = (Trials.writebackPid, HookPoint.writebackDone, HookEvent.Kind.hit)
    var steps = [
      (Trials.writebackPid, schedule.hold, HookEvent.Kind.hit),
      (Trials.writebackPid, schedule.hold, .hold),
      (Trials.swapoffPid, .known("\(other)@begin"), .hit),
    ]
    switch shown {
    case .interleaved:
      report.hold?.state = .reached
      steps += [passes, release, done]
    case .blocked(let wchan):
      report.hold?.blocked = BlockedEvidence(
        actor: other, wchan: wchan, samples: 5, stack: [])
      steps += [release, done, passes]
    case .returned(let errno):
      report.actors[1].end = .returned(errno: errno)
      steps += [(Trials.swapoffPid, .known("\(other)@end"), .hit), release, done]
    case .timeout:
      report.hold?.state = .timeout
      steps += [release, done, passes]
    }
    report.events = steps.enumerated().map { index, step in
      Trials.event(
        UInt64(index), step.0, step.1, step.2,
        slot: step.0 == Trials.swapoffPid ? slot : Trials.slot)
    }
    return report
  }

  private static let waits = Trials.pinned
  private static let avoids = Trials.avoided
  private static let either = Schedule.known("writeback@done > invalidate@enter")
  private static let folioLock = Shown.blocked(wchan: "folio_wait_bit_common")

  @Test(arguments: [
    (waits, folioLock, Expected.pass),
    (
      waits, .interleaved,
      .finding("swapoff@trees-freed passed while writeback@pinned was held")
    ),
    (waits, .returned(errno: 0), .finding("swapoff returns without swapoff@trees-freed")),
    (waits, .returned(errno: 12), .notExercised),
    (waits, .blocked(wchan: "wait_rcu_gp"), .notExercised),
    (waits, .timeout, .notExercised),
    (avoids, .returned(errno: 0), .pass),
    (
      avoids, .interleaved,
      .finding("invalidate@erased passed while writeback@pinned was held")
    ),
    (avoids, folioLock, .finding("invalidate@erased waits for writeback@pinned")),
    (avoids, .timeout, .notExercised),
    (either, .interleaved, .pass),
    (either, .returned(errno: 0), .pass),
    (either, folioLock, .finding("invalidate@enter waits for writeback@done")),
    (either, .blocked(wchan: "__wait_rcu_gp"), .harnessError),
    (either, .timeout, .notExercised),
  ])
  func `an outcome is sound where the rule has it, and only there`(
    schedule: Schedule, shown: Shown, expected: Expected
  ) {
    let judgement = Trials.judge(schedule, Self.report(schedule, shown))
    switch expected {
    case .pass: #expect(judgement.verdict == .pass)
    case .finding(let title):
      #expect(judgement.verdict.titles == [title])
      let violated = judgement.checks.filter { $0.result == .violated }.map(\.claim)
      #expect(violated == judgement.findings[0].claims)
    case .notExercised: #expect(judgement.verdict.isNotExercised)
    case .harnessError: #expect(judgement.verdict.isHarnessError)
    }
    if expected != .pass {
      #expect(!judgement.checks.contains { $0.result == .held && $0.claim != .s7 })
    }
  }
}
