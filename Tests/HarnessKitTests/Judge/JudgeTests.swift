import GuestWire
import Testing

@testable import HarnessKit

@Suite struct JudgeTests {
  @Test func `a swapoff that overtakes an unlocked writeback, which fails cleanly, is a pass`() {
    let judgement = Trials.judge(Trials.unlocked, Trials.interleaved())
    #expect(judgement.verdict == .pass)
    #expect(judgement.outcome == .interleaved)
    #expect(judgement.checks.map(\.claim) == [.s2, .s7])
    #expect(judgement.checks.allSatisfy { $0.result == .held })
  }

  @Test func `a swapoff that waits for a pinned folio is a pass`() {
    let judgement = Trials.judge(Trials.pinned, Trials.excluded())
    #expect(judgement.verdict == .pass)
    #expect(judgement.checks.map(\.claim) == [.s2, .s5, .s7])
  }

  // MARK: - Walks

  /// A held walk of two entries, of which the first came back with -ENOMEM.
  private static func walked(isolated: Int) -> TrialReport {
    var report = Trials.interleaved()
    report.events.insert(
      Trials.event(0, Trials.writebackPid, .known("writeback@begin"), slot: nil), at: 0)
    report.events += [
      Trials.event(
        6, Trials.writebackPid, .writebackDone, result: 0, slot: Slot(type: 0, offset: 18)),
      Trials.event(
        7, Trials.writebackPid, .known("writeback@end"), result: isolated, slot: nil),
    ]
    for index in report.events.indices { report.events[index].sequence = UInt64(index) }
    return report
  }

  @Test func `a walk that counts a failed writeback as isolated violates S8`() {
    #expect(Trials.judge(Trials.unlocked, Self.walked(isolated: 1)).verdict == .pass)
    let judgement = Trials.judge(Trials.unlocked, Self.walked(isolated: 2))
    #expect(judgement.verdict.titles == ["writeback's walk miscounts what it has written back"])
    #expect(judgement.findings.flatMap(\.claims) == [.s8])
    // An errno is no count.
    #expect(Trials.judge(Trials.unlocked, Self.walked(isolated: -4)).verdict == .pass)
  }

  @Test func `a walk that counts what nobody saw written back is no pass, and no finding`() {
    var report = Self.walked(isolated: 1)
    report.events.removeAll { $0.point == .writebackDone }
    let judgement = Trials.judge(Trials.unlocked, report)
    #expect(judgement.verdict.isNotExercised)
    // Nor is a record that has lost events.
    report = Self.walked(isolated: 2)
    report.eventsDropped = 1
    #expect(Trials.judge(Trials.unlocked, report).findings.isEmpty)
  }

  @Test func `a second reclaimer's walk is counted as well`() {
    var report = Trials.rotated()
    func walked(_ isolated: Int) -> TrialReport {
      var walked = report
      walked.events.insert(
        Trials.event(6, Trials.swapoffPid, .known("shrinker@end"), result: isolated, slot: nil),
        at: 6)
      for index in walked.events.indices { walked.events[index].sequence = UInt64(index) }
      return walked
    }
    #expect(Trials.judge(Trials.second, walked(1)).verdict == .pass)
    #expect(
      Trials.judge(Trials.second, walked(2)).verdict.titles
        == ["shrinker's walk miscounts what it has written back"])
    // And an entry of which nobody knows the slot is not told from the others.
    for index in [0, 1, 6, 7] { report.events[index].slot = nil }
    #expect(
      Trials.judge(Trials.second, report).verdict
        == .notExercised(["nothing says which slot was held"]))
  }

  @Test func `a store beyond the limit that comes upon no entry of its memcg is a finding`() {
    let limited = Schedule.known("writeback@unlocked > swapoff@trees-freed via=limit")
    let title = "a store beyond memory.zswap.max writes nothing back"
    var report = TrialReport(index: 0)
    report.actors = Trials.interleaved().actors
    report.events = [
      Trials.event(0, Trials.writebackPid, .known("store@enter")),
      Trials.event(1, Trials.swapoffPid, .known("writeback@isolated")),
      Trials.event(2, Trials.writebackPid, .known("store@done")),
    ]
    #expect(Trials.judge(limited, report).findings.map(\.title).contains(title))
    // A record that has lost events, and a store of which it has no end, say nothing.
    var lossy = report
    lossy.eventsDropped = 1
    #expect(!Trials.judge(limited, lossy).findings.map(\.title).contains(title))
    var endless = report
    endless.events.removeLast()
    #expect(!Trials.judge(limited, endless).findings.map(\.title).contains(title))
    // One that came upon an entry has looked for room where it should, and one
    // without a limit has no need to.
    report.events[1].pid = Trials.writebackPid
    #expect(!Trials.judge(limited, report).findings.map(\.title).contains(title))
    report.events.remove(at: 1)
    #expect(!Trials.judge(Trials.unlocked, report).findings.map(\.title).contains(title))
  }

  // MARK: - Ordering

  @Test func `a writeback that meets an entry beside a swapoff that is held violates S7`() {
    let schedule = Schedule.known("swapoff@unused > writeback@isolated")
    var report = Trials.atRest(0)
    report.hold = HoldReport(schedule: schedule, state: .reached, blocked: nil)
    // swapoff has its type's first slot, for want of a better one.
    let type = Slot(type: 1, offset: 0)
    report.events = [
      Trials.event(0, Trials.swapoffPid, .known("swapoff@unused"), slot: type),
      Trials.event(1, Trials.swapoffPid, .known("swapoff@unused"), .hold, slot: type),
      Trials.event(
        2, Trials.writebackPid, .known("writeback@isolated"), slot: Slot(type: 1, offset: 17)),
      Trials.event(3, Trials.swapoffPid, .known("swapoff@unused"), .release, slot: type),
    ]
    let judgement = Trials.judge(schedule, report)
    #expect(
      judgement.verdict.titles == ["writeback@isolated passed while swapoff@unused was held"])
    #expect(judgement.checks.contains { $0.claim == .s7 && $0.result == .violated })
    // One that has failed passes that point of ftrace's too, and leaves every entry in its place.
    report.actors[1].end = .returned(errno: 12)
    let failed = Trials.judge(schedule, report, provider: .ftrace)
    #expect(failed.verdict.isNotExercised)
    #expect(failed.findings.isEmpty)
    #expect(Trials.judge(schedule, report, provider: .patch).verdict.exitCode == 1)
  }

  @Test func `a swapoff that gave up for want of memory shows nothing of what it met`() {
    var report = Trials.interleaved()
    report.hold?.state = .released
    report.events[3] = Trials.event(
      3, Trials.swapoffPid, .known("swapoff@end"), result: -12, slot: nil)
    let end = report.actors.firstIndex { $0.name == "swapoff" }!
    report.actors[end].end = .returned(errno: 12)
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
    // One that says that all went well and has left out the trees is a finding.
    report.actors[end].end = .returned(errno: 0)
    #expect(
      Trials.judge(Trials.unlocked, report).verdict.titles
        == ["swapoff returns without swapoff@trees-freed"])
  }

  @Test func `a wait for a page's I/O is not one for its lock`() {
    var report = Trials.excluded()
    report.hold?.blocked?.stack = ["folio_wait_bit_common+0x13d/0x350", "__folio_lock+0x17/0x20"]
    #expect(Trials.judge(Trials.pinned, report).verdict == .pass)
    report.hold?.blocked?.stack[1] = "folio_wait_writeback+0x2b/0x80"
    #expect(Trials.judge(Trials.pinned, report).verdict.isNotExercised)
  }

  @Test func `a point that was passed and not held is told from one that nobody came to`() {
    var report = Trials.interleaved()
    report.hold?.state = .armed
    report.events.removeAll { $0.kind != .hit }
    let judgement = Trials.judge(Trials.unlocked, report)
    #expect(judgement.verdict.isNotExercised)
    #expect(
      judgement.reasons.first?.hasPrefix("writeback@unlocked was passed by writeback") == true)
    report.events = []
    #expect(
      Trials.judge(Trials.unlocked, report).reasons == ["no task came to writeback@unlocked"])
  }

  @Test func `a trial in which nobody was held is no pass`() {
    var report = Trials.interleaved()
    report.hold?.state = .armed
    report.events = []
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
    report.hold?.state = .released
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
  }

  @Test func `a point that was passed before the hold enters no window`() {
    var report = Trials.interleaved()
    report.hold?.state = .missed
    report.events = [Trials.event(0, Trials.swapoffPid, .swapoffTreesFreed)]
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
  }

  @Test(arguments: [HoldReport.State.timeout, .released, .armed, .missed])
  func `a state that the events contradict is an error and no verdict`(state: HoldReport.State) {
    var report = Trials.interleaved()
    report.hold?.state = state
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
  }

  @Test func `a guest that claims to have reached the point without showing it is not believed`() {
    var report = Trials.interleaved()
    report.events.removeAll { $0.point == .swapoffTreesFreed }
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
    report.events = []
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
  }

  @Test func `events out of order, two holds, another schedule, another trial are errors`() {
    var report = Trials.interleaved()
    report.events.swapAt(1, 3)
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)

    report = Trials.interleaved()
    report.events.append(Trials.event(6, 63, .writebackUnlocked, .hold))
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)

    #expect(Trials.judge(Trials.pinned, Trials.interleaved()).verdict.isHarnessError)

    // Its events alone would do.
    report = Trials.interleaved()
    report.hold?.schedule = .known("writeback@unlocked > swapoff@trees-freed swap=brd")
    #expect(
      Trials.judge(Trials.unlocked, report).failures.first?.message.contains("about the schedule")
        == true)

    report = Trials.interleaved()
    report.hold = nil
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)

    let wrong = Judge.judge(
      spec: Trials.spec(Trials.unlocked, index: 7), report: Trials.interleaved(), splats: [])
    #expect(wrong.verdict.isHarnessError)
  }

  @Test func `the agent's own swapoff, in tidying up, is not the awaited one`() {
    var report = Trials.excluded()
    report.events[5].pid = 57
    #expect(Trials.judge(Trials.pinned, report).verdict.isNotExercised)
  }

  @Test func `the swapoff of another device is not the awaited one`() {
    var report = Trials.excluded()
    report.events[5].slot = Slot(type: 1, offset: 0)
    #expect(Trials.judge(Trials.pinned, report).verdict.isNotExercised)
  }

  @Test func `a point that is never passed, even after the release, was not excluded`() {
    var report = Trials.excluded()
    report.events.removeLast()
    #expect(Trials.judge(Trials.pinned, report).verdict.isNotExercised)
  }

  @Test func `an exclusion needs a record without gaps`() {
    var report = Trials.excluded()
    report.events.remove(at: 2)
    #expect(Trials.judge(Trials.pinned, report).verdict.isNotExercised)
  }

  @Test func `a swapoff that was not under way was not excluded`() {
    var report = Trials.excluded()
    report.hold?.blocked = nil
    report.hold?.state = .timeout
    let weak = Trials.judge(Trials.pinned, report)
    #expect(weak.outcome == .excluded(.timeout))
    // A host that stalls, or a swapoff that is merely slow, looks the same.
    #expect(weak.verdict.isNotExercised)
    report.events[2].pid = 99
    let idle = Trials.judge(Trials.pinned, report)
    #expect(
      idle.outcome == .notExercised("nothing shows that swapoff was under way during the hold"))
    #expect(idle.verdict.isNotExercised)
  }

  @Test func `a hold that ends without evidence excludes nothing`() {
    var report = Trials.excluded()
    report.hold?.blocked = nil
    #expect(
      Trials.judge(Trials.pinned, report).verdict
        == .notExercised(["writeback was let go before anything showed swapoff blocked"]))
    report = Trials.excluded()
    report.hold?.blocked?.samples = 1
    #expect(Trials.judge(Trials.pinned, report).verdict.isNotExercised)
    report.hold?.blocked?.samples = 5
    report.hold?.blocked?.actor = "writeback"
    #expect(Trials.judge(Trials.pinned, report).verdict.isHarnessError)
  }

  @Test func `a swapoff that waits for something else shows nothing about the folio`() {
    var report = Trials.excluded()
    report.hold?.blocked?.wchan = "wait_rcu_gp"
    #expect(Trials.judge(Trials.pinned, report).verdict.isNotExercised)
    report.hold?.blocked?.wchan = "0"
    #expect(Trials.judge(Trials.pinned, report).verdict == .pass)
  }

  @Test func `a store on a CPU that stays shows nothing about the one that goes`() {
    #expect(Trials.judge(Trials.context, Trials.keepsContext()).verdict == .pass)
    let other = Trials.judge(Trials.context, Trials.keepsContext(onCPU: 0))
    #expect(other.verdict.isNotExercised)
    var gone = Trials.keepsContext()
    gone.hold?.blocked = nil
    gone.hold?.state = .reached
    gone.events.swapAt(3, 5)
    for index in gone.events.indices { gone.events[index].sequence = UInt64(index) }
    #expect(Trials.judge(Trials.context, gone).verdict.exitCode == 1)
    gone.keepsContext = true
    #expect(Trials.judge(Trials.context, gone).verdict == .pass)
    gone.keepsContext = false
    #expect(Trials.judge(Trials.context, gone).verdict.exitCode == 1)
    for index in gone.events.indices { gone.events[index].cpu = 0 }
    #expect(Trials.judge(Trials.context, gone).verdict.isNotExercised)
  }

  @Test func `dropped events never help to a pass`() {
    var report = Trials.interleaved()
    report.eventsDropped = 3
    #expect(Trials.judge(Trials.unlocked, report).verdict == .pass)
    for kept in 0..<6 {
      var cut = report
      cut.events = Array(report.events.prefix(kept))
      let verdict = Trials.judge(Trials.unlocked, cut).verdict
      #expect(verdict.isNotExercised || verdict.isHarnessError, "\(kept) events: \(verdict)")
    }
    var excluded = Trials.excluded()
    excluded.eventsDropped = 1
    excluded.events.removeLast()
    #expect(Trials.judge(Trials.pinned, excluded).verdict.isNotExercised)
  }

  @Test func `a hold that is still there at the report is no verdict on the kernel`() {
    var report = Trials.excluded()
    report.hold?.state = .held
    report.events.removeLast(3)
    report.actors[1].end = .stalled(wchan: "folio_wait_bit_common", stack: [])
    #expect(Trials.judge(Trials.pinned, report).verdict.isHarnessError)
  }

  // MARK: - The rules

  @Test func `a swapoff that frees the trees under a pinned folio violates S2 and S5`() {
    var report = Trials.excluded()
    report.hold = HoldReport(schedule: Trials.pinned, state: .reached, blocked: nil)
    report.events[3] = Trials.event(3, Trials.swapoffPid, .swapoffTreesFreed)
    report.events[4] = Trials.event(4, Trials.writebackPid, .writebackPinned, .release)
    report.events[5] = Trials.event(5, Trials.writebackPid, .writebackDone)
    let judgement = Trials.judge(Trials.pinned, report)
    #expect(
      judgement.verdict.titles == ["swapoff@trees-freed passed while writeback@pinned was held"])
    #expect(judgement.checks.filter { $0.result == .violated }.map(\.claim) == [.s2, .s5])
  }

  @Test func `a swapoff that waits for an unpinned writeback is a finding, a slow one is not`() {
    var report = Trials.excluded()
    report.hold?.schedule = Trials.unlocked
    for index in [0, 1, 3] { report.events[index].point = .writebackUnlocked }
    #expect(
      Trials.judge(Trials.unlocked, report).verdict.titles
        == ["swapoff@trees-freed waits for writeback@unlocked"])
    report.hold?.blocked?.wchan = "__wait_rcu_gp"
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
    report.hold?.blocked = nil
    report.hold?.state = .timeout
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
  }

  @Test func `a writeback that succeeds on a device that is gone is a finding`() {
    var report = Trials.interleaved()
    report.events[5].result = 0
    #expect(
      Trials.judge(Trials.unlocked, report).verdict.titles
        == ["writeback held at writeback@unlocked returns 0"])
    report.events[5].result = -2
    #expect(Trials.judge(Trials.unlocked, report).verdict == .pass)
  }

  @Test func `a writeback that fails though its folio is pinned breaks the rule`() {
    var report = Trials.excluded()
    let done = report.events.lastIndex { $0.point == .writebackDone } ?? 0
    report.events[done].result = -12
    #expect(
      Trials.judge(Trials.pinned, report).verdict.titles
        == ["writeback held at writeback@pinned returns -ENOMEM"])
  }

  @Test func `a stress of which nobody says who made it is an error`() {
    var report = Trials.stress()
    report.actors = []
    #expect(Trials.judge(nil, report).verdict.isHarnessError)
  }

  @Test func `a stress whose actor gave up early is no pass`() {
    var report = Trials.stress()
    report.actors.append(ActorReport(name: "reclaim", pid: 77, end: .returned(errno: 5)))
    #expect(Trials.judge(nil, report).verdict.isNotExercised)
  }

  @Test func `an upstream habit is a note and no failure`() {
    var report = Trials.interleaved()
    report.rest.append(
      RestMeasurement(name: "list_lru_node.nr_items nid=0", expected: 0, observed: -3))
    let judgement = Trials.judge(Trials.unlocked, report)
    #expect(judgement.verdict == .pass)
    #expect(judgement.findings.count == 1)
    #expect(judgement.findings.allSatisfy { $0.known != nil })
  }

  @Test func `the result of another task or slot is not that of the held writeback`() {
    for spoil in [
      { (event: inout HookEvent) in event.pid = 70 },
      { (event: inout HookEvent) in event.slot = Slot(type: 0, offset: 18) },
    ] {
      var report = Trials.interleaved()
      spoil(&report.events[5])
      #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
    }
    var early = Trials.interleaved()
    early.events.removeLast()
    #expect(Trials.judge(Trials.unlocked, early).verdict.isNotExercised)
  }

  @Test func `a schedule without a rule is judged by what went wrong, and its order told`() throws {
    let custom = try Schedule(parsing: "writeback@claimed > swapoff@trees-freed fail=pin")
    var report = Trials.excluded()
    report.hold?.schedule = custom
    for index in [0, 1, 3] { report.events[index].point = custom.hold }
    let judgement = Trials.judge(custom, report)
    #expect(judgement.verdict == .pass)
    #expect(judgement.checks.map(\.claim) == [.s7])
    #expect(judgement.notes.contains { $0.contains("no rule") })
    #expect(Trials.judge(custom, report, splats: [Trials.splat()]).verdict.exitCode == 1)
    // That nothing came within the hold's time shows no order, rule or not.
    report.hold?.blocked = nil
    report.hold?.state = .timeout
    #expect(
      Trials.judge(custom, report).verdict
        == .notExercised(["swapoff@trees-freed was excluded by timeout only"]))
  }

  // MARK: - Other actors

  @Test func `an actor that returned by another way was excluded, if the rule says so`() {
    let judgement = Trials.judge(Trials.avoided, Trials.avoids())
    #expect(judgement.verdict == .pass)
    #expect(judgement.outcome == .excluded(.returned(actor: "invalidate")))
    #expect(judgement.checks.map(\.claim) == [.s4, .s7])
  }

  @Test func `an actor that did not say that it had returned excludes nothing`() {
    var report = Trials.avoids()
    report.events.removeAll { $0.point.rawValue == "invalidate@end" }
    for (index, _) in report.events.enumerated() { report.events[index].sequence = UInt64(index) }
    #expect(Trials.judge(Trials.avoided, report).verdict.isNotExercised)
  }

  @Test func `a point that is passed though the kernel goes round it is a finding`() {
    var report = Trials.avoids()
    report.hold?.state = .reached
    report.events[3].point = .known("invalidate@erased")
    report.events[3].slot = Trials.slot
    #expect(
      Trials.judge(Trials.avoided, report).verdict.titles
        == ["invalidate@erased passed while writeback@pinned was held"])
  }

  @Test func `an actor that goes round a point which it should come to is a finding`() {
    let schedule = Schedule.known("writeback@unlocked > invalidate@freed")
    var report = Trials.avoids()
    report.hold?.schedule = schedule
    for index in [0, 1, 4] { report.events[index].point = .writebackUnlocked }
    #expect(
      Trials.judge(schedule, report).verdict.titles
        == ["invalidate returns without invalidate@freed"])
  }

  @Test func `pages of an exit may be freed by whoever had a last look at it`() {
    let schedule = Schedule.known("writeback@unlocked > invalidate@freed free=exit")
    var report = Trials.avoids()
    report.hold = HoldReport(schedule: schedule, state: .reached, blocked: nil)
    for index in [0, 1, 4] { report.events[index].point = .writebackUnlocked }
    report.events[3] = Trials.event(3, 99, .known("invalidate@freed"))
    report.events[5].result = -12
    #expect(Trials.judge(schedule, report).outcome == .interleaved)
    #expect(Trials.judge(schedule, report).verdict == .pass)
  }

  @Test func `a second reclaimer that meets the held entry first violates S6`() {
    #expect(Trials.judge(Trials.second, Trials.rotated()).verdict == .pass)
    var report = Trials.rotated()
    report.events[3].slot = Trials.slot
    // Alone on its list it is the first and the last.
    #expect(Trials.judge(Trials.second, report).verdict.isNotExercised)
    report.events[4].slot = Slot(type: 0, offset: 18)
    let judgement = Trials.judge(Trials.second, report)
    #expect(
      judgement.verdict.titles
        == ["a second reclaimer meets the entry that is being written back first"])
    #expect(judgement.checks.filter { $0.result == .violated }.map(\.claim) == [.s6])
  }

  @Test func `a second writeback of a pinned slot that does not back off violates S4`() {
    let schedule = Schedule.known("writeback@pinned > shrinker@done")
    var report = Trials.rotated()
    report.hold?.schedule = schedule
    for index in [0, 1] { report.events[index].point = .writebackPinned }
    report.events[5] = Trials.event(
      5, Trials.swapoffPid, .known("shrinker@done"), result: -17)
    report.events[6] = Trials.event(6, Trials.writebackPid, .writebackPinned, .release)
    report.events[7].result = 0
    #expect(Trials.judge(schedule, report).verdict == .pass)
    report.events[5].result = 0
    let judgement = Trials.judge(schedule, report)
    #expect(
      judgement.verdict.titles == ["shrinker beside writeback@pinned returns 0"])
    #expect(judgement.checks.contains { $0.claim == .s4 && $0.result == .violated })
  }

  @Test func `a trial that the guest has not got what it takes for is told, and no pass`() {
    var report = TrialReport(index: 0)
    report.restSkipped = "this kernel has no brd"
    let judgement = Trials.judge(Schedule.known("writeback@pinned > load@end swap=brd"), report)
    #expect(judgement.verdict == .notExercised(["this kernel has no brd"]))
  }

  @Test func `pages need not be read back only where their owner is gone`() {
    var report = Trials.avoids()
    report.pages = PageAudit()
    #expect(Trials.judge(Trials.avoided, report).verdict.isNotExercised)
    let exit = Schedule.known("writeback@pinned > invalidate@erased free=exit")
    report.hold?.schedule = exit
    #expect(Trials.judge(exit, report).verdict == .pass)
  }

  // MARK: - Splats

  @Test func `a splat fails the trial and violates what its rule serves`() {
    let judgement = Trials.judge(
      Trials.unlocked, Trials.interleaved(), splats: [Trials.splat(), Trials.splat()])
    #expect(judgement.verdict.titles == ["KASAN: slab-use-after-free in shrink_memcg_cb"])
    #expect(judgement.checks.filter { $0.result == .violated }.map(\.claim) == [.s1, .s2])
    #expect(judgement.findings.first?.schedule == Trials.unlocked)
  }

  @Test func `a splat in our own module is our failure, not the kernel's`() {
    let judgement = Trials.judge(
      Trials.unlocked, Trials.interleaved(), splats: [Trials.splat(inHarnessModule: true)])
    #expect(judgement.verdict.isHarnessError)
  }

  @Test func `a hung-task report of the actor that had to wait is none, and of others is one`() {
    let wait = Trials.splat(
      "INFO: task hung in unuse_pte_range", kind: .hungTask, seconds: 2.5, pid: Trials.swapoffPid)
    #expect(Trials.judge(Trials.pinned, Trials.excluded(), splats: [wait]).verdict == .pass)
    var later = wait
    later.seconds = 9
    #expect(Trials.judge(Trials.pinned, Trials.excluded(), splats: [later]).verdict.exitCode == 1)
    var other = wait
    other.pid = Trials.writebackPid
    #expect(Trials.judge(Trials.pinned, Trials.excluded(), splats: [other]).verdict.exitCode == 1)
    // Of the one that waits, too, any other report is one; and where nobody had to wait, this.
    let kasan = Trials.splat(seconds: 2.5, pid: Trials.swapoffPid)
    #expect(Trials.judge(Trials.pinned, Trials.excluded(), splats: [kasan]).verdict.exitCode == 1)
    #expect(
      Trials.judge(Trials.unlocked, Trials.interleaved(), splats: [wait]).verdict.exitCode == 1)
  }

  // MARK: - Data

  @Test func `a bad page is a finding of its own kind`() {
    let fields: [(WritableKeyPath<PageAudit, UInt64>, Finding.Kind)] = [
      (\.stale, .staleData), (\.foreign, .foreignData), (\.lost, .lostData),
      (\.corrupt, .corruptData),
    ]
    for (field, kind) in fields {
      var report = Trials.interleaved()
      report.pages.intact -= 1
      report.pages[keyPath: field] += 1
      let judgement = Trials.judge(Trials.unlocked, report)
      #expect(judgement.findings.map(\.kind) == [kind])
      #expect(judgement.verdict.exitCode == 1)
    }
  }

  @Test func `an audit that read nothing, or too little, is no pass`() {
    var report = Trials.interleaved()
    report.pages = PageAudit()
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
    report.pages.checked = 63
    report.pages.intact = 63
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
    var stress = Trials.stress()
    stress.pages = PageAudit()
    #expect(Trials.judge(nil, stress).verdict.isNotExercised)
  }

  @Test func `what a trial leaves in doubt holds no claim`() {
    var report = Trials.interleaved()
    report.pages.checked = 63
    report.pages.intact = 63
    let judgement = Trials.judge(Trials.unlocked, report)
    #expect(judgement.checks.map(\.claim) == [.s2, .s7])
    #expect(judgement.checks.allSatisfy { $0.result == .notExercised })
  }

  @Test func `an audit that does not add up is an error`() {
    var report = Trials.interleaved()
    report.pages.intact = 60
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
    report.pages.intact = report.pages.checked - 1
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
    report.actors.append(
      ActorReport(name: "page-holder", pid: 70, end: .stalled(wchan: "exit_mm", stack: [])))
    // It died of one: that is the kernel's.
    #expect(Trials.judge(Trials.unlocked, report).verdict.exitCode == 1)
    #expect(!Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
    report.pages.intact = .max
    report.pages.stale = 2
    #expect(Trials.judge(Trials.unlocked, report).verdict.exitCode == 1)
  }

  // MARK: - Rest

  @Test func `a broken invariant is a finding against S7 with a stable title`() {
    var report = Trials.interleaved()
    report.rest[1].observed = 1
    let judgement = Trials.judge(Trials.unlocked, report)
    #expect(judgement.verdict.titles == ["invariant: list_lru_count_one memcg=N nid=N"])
    #expect(judgement.checks.filter { $0.result == .violated }.map(\.claim) == [.s7])
  }

  @Test func `a figure that tells nothing of unlinking accuses no claim`() {
    var report = Trials.interleaved()
    report.rest.append(
      RestMeasurement(name: RestFigure.secondChance, expected: 8, observed: 0))
    let judgement = Trials.judge(Trials.unlocked, report)
    #expect(judgement.verdict.titles == ["invariant: \(RestFigure.secondChance)"])
    #expect(!judgement.checks.contains { $0.result == .violated })
  }

  @Test func `a rest that was not measured is no pass`() {
    var report = Trials.interleaved()
    report.rest = []
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
    report.restSkipped = "swapoff never came back"
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
    #expect(
      Trials.judge(Trials.unlocked, report, splats: [Trials.splat()]).verdict.exitCode == 1)
  }

  // MARK: - Actors

  @Test func `an actor that did not come back is a finding, named after where it sleeps`() {
    var report = Trials.excluded()
    report.events.removeLast()
    report.actors[1].end = .stalled(
      wchan: "folio_wait_bit_common", stack: ["[<0>] folio_wait_bit_common+0x13f/0x340"])
    report.restSkipped = "swapoff never came back"
    let judgement = Trials.judge(Trials.pinned, report)
    #expect(judgement.verdict.titles == ["swapoff stalled in folio_wait_bit_common"])
    #expect(judgement.checks.filter { $0.result == .violated }.map(\.claim) == [.s2, .s5])
  }

  @Test func `an actor that our module keeps is our failure`() {
    var report = Trials.interleaved()
    report.actors[0].end = .stalled(
      wchan: "zh_sleep", stack: ["[<0>] zh_sleep+0x1/0x2 [zswap_hooks]"])
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
  }

  @Test func `an actor that was killed is a finding, unless the OOM killer did it`() {
    var report = Trials.interleaved()
    report.actors[0].end = .signalled(9)
    #expect(Trials.judge(Trials.unlocked, report).verdict.titles == ["writeback killed"])
    let kill = ConsoleNotice(kind: .oomKill, text: "Out of memory: Killed process 61 (writeback)")
    #expect(Trials.judge(Trials.unlocked, report, notices: [kill]).verdict.isNotExercised)
    let judgement = Trials.judge(Trials.unlocked, report, splats: [Trials.splat()])
    #expect(judgement.findings.map(\.kind) == [.splat])
  }

  @Test func `a swapoff that fails is no pass, whatever its errno`() {
    let exitCodes: [Int32: Int32] = [12: 4, 4: 4, 1: 2, 2: 2, 22: 2, 5: 1, 117: 1]
    for (errno, exitCode) in exitCodes {
      var report = Trials.interleaved()
      report.actors[1].end = .returned(errno: errno)
      #expect(Trials.judge(Trials.unlocked, report).verdict.exitCode == exitCode, "\(errno)")
    }
  }

  @Test func `a report that leaves out an actor is an error`() {
    var report = Trials.interleaved()
    report.actors.removeLast()
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
    report.actors = []
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
  }

  // MARK: - Stress

  @Test(arguments: ["swapoffs", "writebacks"])
  func `a stress that did nothing is no pass`(count: String) {
    var report = Trials.stress()
    #expect(Trials.judge(nil, report).verdict == .pass)
    report.counts[count] = 0
    #expect(Trials.judge(nil, report).verdict.isNotExercised)
    report.counts[count] = nil
    #expect(Trials.judge(nil, report).verdict.isNotExercised)
  }

  @Test func `a trial without a report is no pass`() {
    let lost = TrialJudgement.unreported(
      Trials.spec(Trials.unlocked), splats: [], why: "the guest was lost")
    #expect(lost.verdict.isNotExercised)
    let crashed = TrialJudgement.unreported(
      Trials.spec(Trials.unlocked), splats: [Trials.splat()], why: "the guest was lost")
    #expect(crashed.verdict.exitCode == 1)
    #expect(crashed.checks.filter { $0.result == .violated }.map(\.claim) == [.s1, .s2])
  }

  // MARK: - Stresses

  @Test func `a stress in which its adversary never came to act shows nothing`() {
    var spec = Trials.spec(nil)
    spec.work = .stress(.cpu, seconds: 3)
    var report = Trials.stress()
    report.counts = ["CPUs taken away": 0, "rounds": 7]
    let idle = Judge.judge(spec: spec, report: report, splats: [])
    #expect(idle.reasons == ["the stress made no CPUs taken away"])
    report.counts["CPUs taken away"] = 12
    #expect(Judge.judge(spec: spec, report: report, splats: []).reasons.isEmpty)
  }

  // MARK: - A second writeback of the slot

  /// Reclaim goes on when the fault is through: it may store the page again and write
  /// that back, which is no answer to the held fault.
  @Test func `only the first writeback beside a held load has to back off`() {
    let schedule = Schedule.known("load@enter > writeback@done via=shrinker")
    var report = Trials.interleaved()
    report.actors[1].name = "load"
    report.hold = HoldReport(schedule: schedule, state: .reached, blocked: nil)
    func events(first: Int) -> [HookEvent] {
      [
        Trials.event(0, Trials.swapoffPid, .known("load@begin"), slot: nil),
        Trials.event(1, Trials.swapoffPid, .known("load@enter")),
        Trials.event(2, Trials.swapoffPid, .known("load@enter"), .hold),
        Trials.event(3, Trials.writebackPid, .writebackDone, result: first),
        Trials.event(4, Trials.swapoffPid, .known("load@enter"), .release),
        Trials.event(5, Trials.writebackPid, .writebackDone, result: 0),
      ]
    }
    report.events = events(first: -17)
    #expect(Trials.judge(schedule, report).findings.isEmpty)
    report.events = events(first: 0)
    #expect(
      Trials.judge(schedule, report).verdict.titles == ["writeback beside load@enter returns 0"])
  }

  // MARK: - A page stored twice

  @Test func `a page that left its slot was not stored twice there`() {
    let schedule = Schedule.known("store@done > load@end again=disabled")
    var report = Trials.excluded()
    report.actors[0].name = "store"
    report.actors[1].name = "load"
    report.hold = HoldReport(
      schedule: schedule, state: .released,
      blocked: BlockedEvidence(
        actor: "load", wchan: "folio_wait_bit_common", samples: 5, stack: []))
    func events(second: Slot) -> [HookEvent] {
      [
        Trials.event(0, Trials.writebackPid, .known("store@enter")),
        Trials.event(1, Trials.writebackPid, .known("store@done"), .hold),
        Trials.event(2, Trials.swapoffPid, .known("load@begin"), slot: nil),
        Trials.event(3, Trials.writebackPid, .known("store@done"), .release),
        Trials.event(4, Trials.swapoffPid, .known("load@end"), slot: nil),
        Trials.event(5, Trials.swapoffPid, .known("store@enter"), slot: second),
      ]
    }
    let why = "the page was not stored a second time at its slot"
    report.events = events(second: Trials.slot)
    #expect(!Trials.judge(schedule, report).reasons.contains(why))
    report.events = events(second: Slot(type: 0, offset: 99))
    #expect(Trials.judge(schedule, report).reasons.contains(why))
  }

  @Test func `what a splat in our own module does to the actors is no finding either`() {
    let own = Trials.splat(
      "BUG: kernel NULL pointer dereference in zh_hold", kind: .nullDereference,
      inHarnessModule: true)
    var killed = Trials.interleaved()
    killed.actors[0].end = .signalled(9)
    killed.rest = []
    killed.restSkipped = "an actor was killed in the kernel"
    #expect(Trials.judge(Trials.unlocked, killed, splats: [own]).verdict.isHarnessError)
    var stuck = Trials.interleaved()
    stuck.actors[1].end = .stalled(wchan: "rwsem_down_write_slowpath", stack: [])
    stuck.rest = []
    stuck.restSkipped = "an actor makes no progress"
    #expect(Trials.judge(Trials.unlocked, stuck, splats: [own]).verdict.isHarnessError)
    var tainted = Trials.interleaved()
    tainted.rest = [RestMeasurement(name: RestFigure.taint, expected: 4096, observed: 4608)]
    tainted.restSkipped = "the kernel has become tainted"
    #expect(Trials.judge(Trials.unlocked, tainted, splats: [own]).verdict.isHarnessError)
  }

  @Test func `the agent's own last swapoff is read like any other`() {
    var report = Trials.interleaved()
    report.rest = []
    report.restSkipped = "the last swapoff fails"
    report.actors.append(ActorReport(name: "swapoff-last", pid: 63, end: .returned(errno: 12)))
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
    report.actors[2].end = .returned(errno: 5)
    #expect(Trials.judge(Trials.unlocked, report).verdict.exitCode == 1)
  }

  @Test func `a record whose numbers span everything is not exercised, and no trap`() {
    var report = Trials.excluded()
    report.events.removeFirst()
    report.events[0].sequence = 0
    report.events[report.events.count - 1].sequence = .max
    #expect(Trials.judge(Trials.pinned, report).verdict.isNotExercised)
  }

  @Test func `an actor that could not act is our failure, and a writeback's errno is a note`() {
    var report = Trials.avoids()
    report.actors[1].end = .returned(errno: 22)
    #expect(Trials.judge(Trials.avoided, report).verdict.isHarnessError)
    report = Trials.interleaved()
    report.actors[0].end = .returned(errno: 22)
    let judgement = Trials.judge(Trials.unlocked, report)
    #expect(judgement.verdict == .pass)
    #expect(judgement.notes.contains { $0.hasPrefix("writeback returned ") })
  }

  @Test func `a walk that was refused shows nothing of what it would have met`() {
    let schedule = Schedule.known("swapoff@begin > writeback@isolated")
    var report = Trials.atRest(0)
    report.hold = HoldReport(schedule: schedule, state: .released, blocked: nil)
    let begin = HookPoint.known("swapoff@begin")
    report.events = [
      Trials.event(0, Trials.swapoffPid, begin, slot: nil),
      Trials.event(1, Trials.swapoffPid, begin, .hold, slot: nil),
      Trials.event(2, Trials.writebackPid, .known("writeback@begin"), slot: nil),
      Trials.event(3, Trials.writebackPid, .known("writeback@end"), result: -2, slot: nil),
      Trials.event(4, Trials.swapoffPid, begin, .release, slot: nil),
      Trials.event(5, Trials.swapoffPid, .known("swapoff@end"), slot: nil),
    ]
    report.actors[0].end = .returned(errno: 2)
    #expect(Trials.judge(schedule, report).verdict.isNotExercised)
    // One that says that all went well has met nothing where it was to meet something.
    report.actors[0].end = .returned(errno: 0)
    #expect(
      Trials.judge(schedule, report).verdict.titles
        == ["writeback returns without writeback@isolated"])
  }

  @Test func `an actor that stands still after the kernel's report is that report's`() {
    var report = Trials.interleaved()
    report.actors[0].end = .stalled(wchan: "rwsem_down_read_slowpath", stack: [])
    let judgement = Trials.judge(Trials.unlocked, report, splats: [Trials.splat()])
    #expect(judgement.findings.map(\.kind) == [.splat])
  }

  @Test func `a point said to have been missed has to be in the record`() {
    var report = Trials.interleaved()
    report.hold?.state = .missed
    report.events = []
    #expect(Trials.judge(Trials.unlocked, report).verdict.isHarnessError)
    report.eventsDropped = 1
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
  }

  @Test func `a hold without an end shows nothing, though nothing was dropped`() {
    var report = Trials.interleaved()
    report.events.removeAll { $0.kind == .release }
    let judgement = Trials.judge(Trials.unlocked, report)
    #expect(judgement.reasons == ["the hold never ended"])
    #expect(judgement.verdict.isNotExercised)
  }

  @Test func `a second reclaimer that met nothing shows nothing of S6`() {
    var report = Trials.rotated()
    report.events.removeAll { $0.point == .known("shrinker@isolated") }
    let judgement = Trials.judge(Trials.second, report)
    #expect(judgement.reasons == ["the second reclaimer met no entry"])
    #expect(!judgement.checks.contains { $0.claim == .s6 && $0.result == .held })
  }

  @Test func `a stress of CPUs whose pages were never gone through shows nothing`() {
    var spec = Trials.spec(nil)
    spec.work = .stress(.cpu, seconds: 3)
    var report = Trials.stress()
    report.counts = ["CPUs taken away": 12, "rounds": 0]
    #expect(
      Judge.judge(spec: spec, report: report, splats: []).reasons == ["the stress made no rounds"])
  }

  @Test func `a process that was killed before the race is a finding, and no error of ours`() {
    var report = TrialReport(index: 0)
    report.restSkipped = "command page-holder: no such process"
    report.actors = [ActorReport(name: "page-holder", pid: 61, end: .signalled(9))]
    let judgement = Trials.judge(Trials.unlocked, report)
    #expect(judgement.verdict.titles == ["page-holder killed"])
    #expect(judgement.failures.isEmpty)
    // Without anybody who was killed, nothing is known.
    report.actors = []
    #expect(Trials.judge(Trials.unlocked, report).verdict.isNotExercised)
  }
}
