import FoundationEssentials
import GuestWire

@testable import HarnessKit

/// Runs of many trials, made up: every pair of points, each outcome among them.
struct PageRecords {
  /// The same each time.
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  private mutating func random(_ bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(bound))
  }

  /// - Parameters:
  ///   - holds: points at which a task is held.
  ///   - events: of each trial, about.
  static func record(
    trials: Int, holds: Int = 10, events: Int = 40, telling: Bool = true
  ) -> RunRecord {
    var maker = PageRecords()
    let catalogue = HookPoint.catalogue
    let held = catalogue.filter(\.maySleep).prefix(holds)
    let pairs = held.flatMap { hold in
      catalogue.filter { $0.actor != hold.actor }.map { Schedule(hold: hold, until: $0) }
    }
    var made: [(TrialJudgement, TrialReport?)] = []
    // Pairs with few trials before any with many: as a run of a budget takes them.
    let stride = max(1, pairs.count / max(1, trials))
    for index in 0..<trials {
      let schedule = pairs[index * stride % pairs.count]
      let provider: Provider = telling && index % 3 == 2 ? .ftrace : .patch
      made.append(maker.trial(schedule, index, provider, events, telling))
    }
    var record = Records.record([])
    record.commandLine = [
      "harness", "--kernel", "arch/x86/boot/bzImage", "--machine", "q35", "--seed", "42",
    ]
    record.kernel?.path = "arch/x86/boot/bzImage"
    record.kernel?.release = "6.12.117-zswap-g5878303c5353"
    record.kernel?.sha256 = String(repeating: "5f3a9c01", count: 8)
    record.kernel?.configOrigin = "IKCONFIG"
    record.points = [Provider.patch, .ftrace].map { provider in
      ProviderPoints(
        provider: provider,
        points: catalogue.enumerated().map { number, point in
          PointStatus(
            point: point, provider: provider == .ftrace && number % 7 == 3 ? nil : provider,
            hits: UInt64(number * number * 37), available: [provider])
        })
    }
    record.trials = made.map { TrialRecord($0.0, report: $0.1) }
    record.finish(
      RunJudgement.conclude(made.map(\.0)), at: Records.start.addingTimeInterval(1284))
    return record
  }

  private mutating func trial(
    _ schedule: Schedule, _ index: Int, _ provider: Provider, _ events: Int, _ telling: Bool
  ) -> (TrialJudgement, TrialReport?) {
    let spec = Trials.spec(schedule, index: index, provider: provider)
    let kind = telling ? random(100) : random(85)
    if kind >= 98 {
      return (.unreported(spec, splats: [], why: "the guest was lost in it"), nil)
    }
    let isExcluded = kind >= 52 && kind < 85
    var report = report(schedule, index, events, isExcluded: isExcluded)
    var judgement = TrialJudgement(spec: spec, outcome: .interleaved)
    if isExcluded, let blocked = report.hold?.blocked {
      judgement.outcome = .excluded(.blocked(blocked))
    }
    switch kind {
    case 85..<91:
      judgement.outcome = .notExercised("no task came to \(schedule.hold)")
      judgement.reasons = ["no task came to \(schedule.hold)"]
      report.hold?.state = .armed
      report.events.removeAll { $0.pid == 611 }
    case 91..<93:
      judgement.failures = [
        HarnessFailure(.harness, "trial \(index): the page audit does not add up")
      ]
    case 93..<96: judgement.findings = [PageRecords.splat(schedule, index)]
    case 96..<98:
      judgement.findings = [
        Finding(
          kind: .claim, title: "\(schedule.until) waits for \(schedule.hold)",
          details: "\(schedule.until.actor) was asleep in percpu_ref_switch_to_atomic_sync",
          claims: [.s1, .s4], schedule: schedule, trial: index)
      ]
    default: break
    }
    for claim in Set(judgement.findings.flatMap(\.claims)).sorted() {
      judgement.checks.append(
        ClaimCheck(claim: claim, schedule: schedule, provider: provider, result: .violated))
    }
    if index % 5 == 0 {
      judgement.findings.append(
        Finding(
          kind: .invariant, title: "invariant: list_lru_node.nr_items",
          details: "list_lru_node.nr_items nid=0 is -3 at rest, not 0", schedule: schedule,
          trial: index, known: .nrItemsDrift))
    }
    return (judgement, report)
  }

  private mutating func report(
    _ schedule: Schedule, _ index: Int, _ count: Int, isExcluded: Bool
  ) -> TrialReport {
    var report = TrialReport(index: index)
    report.actors = [
      ActorReport(name: schedule.hold.actor, pid: 611, end: .returned(errno: 0)),
      ActorReport(name: schedule.until.actor, pid: 612, end: .returned(errno: 0)),
    ]
    report.milliseconds = UInt64(180 + random(400))
    report.pages.checked = 64
    report.pages.intact = 64
    report.rest = [
      RestMeasurement(name: "stored_pages", expected: 0, observed: 0),
      RestMeasurement(name: "pool_total_size", expected: 0, observed: 0),
    ]
    report.hold = HoldReport(
      schedule: schedule, state: isExcluded ? .released : .reached,
      blocked: isExcluded ? PageRecords.sleeper(schedule.until.actor) : nil)
    var nanoseconds = UInt64(index) * 900_000_000 + 12_000_000_000
    var sequence: UInt64 = UInt64(index) * 4000
    func event(
      _ point: HookPoint, _ pid: Int, after gap: Int, kind: HookEvent.Kind = .hit,
      offset: UInt64 = 17, result: Int = 0, task: String? = nil
    ) {
      nanoseconds += UInt64(gap)
      sequence += 1
      report.events.append(
        HookEvent(
          sequence: sequence, nanoseconds: nanoseconds, cpu: Int(sequence % 2), pid: pid,
          task: task ?? point.actor, point: point, kind: kind,
          slot: Slot(type: 0, offset: offset), memcg: 4121, result: result))
    }
    func path(of point: HookPoint, to end: HookPoint? = nil) -> [HookPoint] {
      let path = HookPoint.catalogue.filter { $0.actor == point.actor }
      guard let end, let last = path.firstIndex(of: end) else { return path }
      return Array(path.prefix(last))
    }
    for number in 0..<max(0, count - 20) / 3 {
      for place in ["enter", "published", "done"] {
        event(
          Trials.point("store@\(place)"), 598, after: 900 + random(4000),
          offset: UInt64(number) + 16, task: "page-holder")
      }
    }
    for point in path(of: schedule.hold, to: schedule.hold) {
      event(point, 611, after: 700 + random(9000))
    }
    event(schedule.hold, 611, after: 2100)
    event(schedule.hold, 611, after: 400, kind: .hold)
    let other = path(of: schedule.until, to: schedule.until)
    for point in other { event(point, 612, after: 11_000 + random(2_000_000)) }
    if !isExcluded { event(schedule.until, 612, after: 40_000 + random(9_000_000)) }
    event(
      schedule.hold, 611, after: isExcluded ? 212_000_000 : 31_000, kind: .release)
    for point in path(of: schedule.hold).drop(while: { $0 != schedule.hold }).dropFirst() {
      let result = point.place == "done" ? -12 : 0
      event(point, 611, after: 1400 + random(60_000), result: result)
    }
    if isExcluded { event(schedule.until, 612, after: 210_000) }
    for point in path(of: schedule.until).drop(while: { $0 != schedule.until }).dropFirst() {
      event(point, 612, after: 9000 + random(70_000))
    }
    return report
  }

  private static func sleeper(_ actor: String) -> BlockedEvidence {
    BlockedEvidence(
      actor: actor, wchan: "folio_wait_bit_common", samples: 5,
      stack: [
        "folio_wait_bit_common+0x138/0x310", "__folio_lock+0x17/0x20",
        "unuse_pte_range+0x2c1/0x7a0", "try_to_unuse+0x2ab/0x610",
        "__do_sys_swapoff+0x1f4/0x7c0",
      ])
  }

  private static func splat(_ schedule: Schedule, _ index: Int) -> Finding {
    Finding(
      kind: .splat, title: "KASAN: slab-use-after-free in shrink_memcg_cb",
      fingerprint: "09cc759560c076b1", details: "kasan report by task writeback at 12.7 s",
      excerpt: """
        ==================================================================
        BUG: KASAN: slab-use-after-free in shrink_memcg_cb+0x2a1/0x3b0
        Read of size 8 at addr ffff88800a1b2c40 by task writeback/611

        CPU: 0 UID: 0 PID: 611 Comm: writeback Not tainted 6.12.117 #1
        Call Trace:
         <TASK>
         dump_stack_lvl+0x55/0x70
         print_report+0xc5/0x600
         kasan_report+0xb6/0xf0
         shrink_memcg_cb+0x2a1/0x3b0
         __list_lru_walk_one+0x16a/0x300
         list_lru_walk_one+0x4d/0x70
         </TASK>
        """,
      frames: ["shrink_memcg_cb", "__list_lru_walk_one", "list_lru_walk_one"].map {
        StackFrame(function: $0)
      }, claims: [.s1, .s2], schedule: schedule, trial: index)
  }
}
