import GuestWire

@testable import HarnessKit

/// Trials as a sound kernel and a sound agent report them, to be spoiled one
/// thing at a time.
enum Trials {
  static let unlocked = Schedule(hold: .writebackUnlocked, until: .swapoffTreesFreed)
  static let pinned = Schedule(hold: .writebackPinned, until: .swapoffTreesFreed)
  static let slot = Slot(type: 0, offset: 17)
  static let writebackPid = 61
  static let swapoffPid = 62

  static func spec(
    _ schedule: Schedule?, index: Int = 0, provider: Provider = .patch
  ) -> TrialSpec {
    TrialSpec(
      index: index, scenario: schedule == nil ? "swapoff-stress" : "swapoff-race",
      work: schedule.map { .schedule($0) } ?? .stress(seconds: 30), provider: provider,
      pages: 64, seed: 1, holdTimeoutMilliseconds: 20_000)
  }

  static func event(
    _ sequence: UInt64, _ pid: Int, _ point: HookPoint, _ kind: HookEvent.Kind = .hit,
    result: Int = 0, slot: Slot? = slot
  ) -> HookEvent {
    HookEvent(
      sequence: sequence, nanoseconds: sequence * 1_000_000_000, cpu: 0, pid: pid,
      task: pid == writebackPid ? "writeback" : "swapoff", point: point, kind: kind, slot: slot,
      memcg: nil, result: result)
  }

  static func point(_ name: String) -> HookPoint {
    HookPoint(rawValue: name) ?? .writebackDone
  }

  /// Interleaved: the unlocked writeback is overtaken, and returns -ENOMEM.
  static func interleaved(index: Int = 0) -> TrialReport {
    var report = atRest(index)
    report.hold = HoldReport(schedule: unlocked, state: .reached, blocked: nil)
    report.events = [
      event(0, writebackPid, .writebackUnlocked),
      event(1, writebackPid, .writebackUnlocked, .hold),
      event(2, swapoffPid, point("swapoff@begin"), slot: nil),
      event(3, swapoffPid, .swapoffTreesFreed, slot: Slot(type: 0, offset: 0)),
      event(4, writebackPid, .writebackUnlocked, .release),
      event(5, writebackPid, .writebackDone, result: -12),
    ]
    return report
  }

  /// Excluded: swapoff waits for the pinned folio, and finishes after it.
  static func excluded(index: Int = 0) -> TrialReport {
    var report = atRest(index)
    report.hold = HoldReport(
      schedule: pinned, state: .released,
      blocked: BlockedEvidence(
        actor: "swapoff", wchan: "folio_wait_bit_common", samples: 5, stack: []))
    report.events = [
      event(0, writebackPid, .writebackPinned),
      event(1, writebackPid, .writebackPinned, .hold),
      event(2, swapoffPid, point("swapoff@begin"), slot: nil),
      event(3, writebackPid, .writebackPinned, .release),
      event(4, writebackPid, .writebackDone, result: 0),
      event(5, swapoffPid, .swapoffTreesFreed, slot: Slot(type: 0, offset: 0)),
    ]
    return report
  }

  static let avoided = Schedule.known("writeback@pinned > invalidate@erased")

  /// Excluded: the page is given up, and its slot kept by the pinned folio.
  static func avoids(index: Int = 0) -> TrialReport {
    var report = atRest(index)
    report.actors[1].name = "invalidate"
    report.hold = HoldReport(schedule: avoided, state: .released, blocked: nil)
    report.events = [
      event(0, writebackPid, .writebackPinned),
      event(1, writebackPid, .writebackPinned, .hold),
      event(2, swapoffPid, .known("invalidate@begin"), slot: nil),
      event(3, swapoffPid, .known("invalidate@end"), slot: nil),
      event(4, writebackPid, .writebackPinned, .release),
      event(5, writebackPid, .writebackDone, result: 0),
    ]
    return report
  }

  static let context = Schedule.known("store@compressed > cpu@end")

  /// Excluded: the CPU that a store has compressed on stays until it is done.
  static func keepsContext(onCPU cpu: Int = HookEvent.hotplugCPU) -> TrialReport {
    var report = excluded()
    report.actors[0].name = "store"
    report.actors[1].name = "cpu"
    report.hold?.schedule = context
    report.hold?.blocked = BlockedEvidence(
      actor: "cpu", wchan: "__flush_work", samples: 100,
      stack: ["zswap_cpu_comp_dead+0x37/0xb0", "work_for_cpu_fn+0x17/0x30"])
    report.events = [
      event(0, writebackPid, .known("store@compressed")),
      event(1, writebackPid, .known("store@compressed"), .hold),
      event(2, swapoffPid, .known("cpu@begin"), slot: nil),
      event(3, writebackPid, .known("store@compressed"), .release),
      event(4, writebackPid, .known("store@done"), result: 1),
      event(5, swapoffPid, .known("cpu@end"), slot: nil),
    ]
    for index in report.events.indices { report.events[index].cpu = cpu }
    return report
  }

  static let second = Schedule.known("writeback@unlocked > shrinker@done")

  /// Interleaved: a second reclaimer comes to the held entry last.
  static func rotated(index: Int = 0) -> TrialReport {
    var report = atRest(index)
    report.actors[1].name = "shrinker"
    report.hold = HoldReport(schedule: second, state: .reached, blocked: nil)
    report.events = [
      event(0, writebackPid, .writebackUnlocked),
      event(1, writebackPid, .writebackUnlocked, .hold),
      event(2, swapoffPid, .known("shrinker@begin"), slot: nil),
      event(3, swapoffPid, .known("shrinker@isolated"), slot: Slot(type: 0, offset: 18)),
      event(4, swapoffPid, .known("shrinker@isolated")),
      event(5, swapoffPid, .known("shrinker@done"), result: 0),
      event(6, writebackPid, .writebackUnlocked, .release),
      event(7, writebackPid, .writebackDone, result: -17),
    ]
    return report
  }

  static func stress(index: Int = 0) -> TrialReport {
    var report = atRest(index)
    report.counts = ["swapoffs": 81, "writebacks": 53_659]
    return report
  }

  /// Another tool's, that found nothing.
  static func workload(index: Int = 0) -> TrialReport {
    var report = TrialReport(index: index)
    report.actors = [ActorReport(name: "test_zswap", pid: 70, end: .returned(errno: 0))]
    report.counts = ["ok test_zswapin": 2, "writebacks": 7415]
    report.output = ["ok 3 test_zswapin"]
    return report
  }

  static func judge(
    _ workload: Workload, _ report: TrialReport, splats: [Splat] = []
  ) -> TrialJudgement {
    var spec = spec(nil, index: report.index)
    spec.scenario = workload.rawValue
    spec.work = .workload(workload, seconds: 120)
    return Judge.judge(spec: spec, report: report, splats: splats)
  }

  static func atRest(_ index: Int) -> TrialReport {
    var report = TrialReport(index: index)
    report.actors = [
      ActorReport(name: "writeback", pid: writebackPid, end: .returned(errno: 0)),
      ActorReport(name: "swapoff", pid: swapoffPid, end: .returned(errno: 0)),
    ]
    report.pages.checked = 64
    report.pages.intact = 64
    report.rest = [
      RestMeasurement(name: "stored_pages", expected: 0, observed: 0),
      RestMeasurement(name: "list_lru_count_one memcg=4121 nid=0", expected: 0, observed: 0),
    ]
    return report
  }

  static func splat(
    _ title: String = "KASAN: slab-use-after-free in shrink_memcg_cb", kind: Splat.Kind = .kasan,
    seconds: Double = 3, pid: Int = writebackPid, inHarnessModule: Bool = false
  ) -> Splat {
    Splat(
      kind: kind, title: title, fingerprint: Fingerprint.of([title]),
      frames: [
        StackFrame(function: "xa_load"), StackFrame(function: "shrink_memcg_cb"),
        StackFrame(function: "__list_lru_walk_one"),
      ], task: "writeback", pid: pid, seconds: seconds, excerpt: "BUG: \(title)",
      inHarnessModule: inHarnessModule)
  }

  static func judge(
    _ schedule: Schedule?, _ report: TrialReport, splats: [Splat] = [],
    notices: [ConsoleNotice] = [], provider: Provider = .patch
  ) -> TrialJudgement {
    Judge.judge(
      spec: spec(schedule, index: report.index, provider: provider), report: report,
      splats: splats, notices: notices)
  }
}

extension Verdict {
  var isNotExercised: Bool { if case .notExercised = self { true } else { false } }
  var isHarnessError: Bool {
    if case .error(let failure) = self { failure.kind == .harness } else { false }
  }
  var titles: [String] { if case .fail(let findings) = self { findings.map(\.title) } else { [] } }
}
