import Foundation
import GuestWire
import Testing

@testable import HarnessKit

/// The host's side of a boot: events in, evidence out. No guest here tells the
/// truth unless the test says so.
@Suite struct GuestRunTests {
  private static let token = String(repeating: "a", count: 32)
  private static let specs = [
    Trials.spec(Trials.unlocked, index: 0), Trials.spec(Trials.pinned, index: 1),
  ]

  private var state = GuestRun.State(
    specs: GuestRunTests.specs, start: .boot(token: GuestRunTests.token), silenceLimit: 90,
    began: Date())

  private static func hello(_ token: String = token) -> Hello {
    Hello(protocolVersion: Hello.currentProtocol, token: token, release: "6.12.117", cpus: 2)
  }

  private static func greeting(_ token: String = token) -> SessionEvent {
    .message(.hello(hello(token)))
  }

  /// A guest that has been told its trials.
  private mutating func ready() { _ = take(Self.mark(.ready), Self.greeting()) }

  private static func mark(_ mark: ConsoleMark) -> SessionEvent {
    .consoleLine("[    5.000000] \(mark.line)")
  }

  private static func report(_ index: Int) -> SessionEvent {
    .message(.trial(TrialReport(index: index)))
  }

  private mutating func take(_ events: SessionEvent...) -> [GuestRun.Action] {
    var actions: [GuestRun.Action] = []
    for event in events { actions += state.take(event) }
    return actions
  }

  private static let warning: [SessionEvent] = [
    "------------[ cut here ]------------",
    "WARNING: CPU: 0 PID: 61 at mm/zswap.c:1687 zswap_swapoff+0x10/0x20",
    "RIP: 0010:zswap_swapoff+0x10/0x20",
    "Call Trace:",
    " <TASK>",
    " __do_sys_swapoff+0x1/0x2",
    " </TASK>",
    "---[ end trace 0000000000000000 ]---",
  ].map { .consoleLine("[    4.000000] \($0)") }

  @Test mutating func `a run that is to end with the first finding begins no other trial`() {
    state.isLast = { $0.report?.index == 0 }
    ready()
    #expect(
      take(
        .message(.trialStarted(0)), Self.report(0), Self.mark(.trialBegins(0)),
        Self.mark(.trialEnds(0))
      ).suffix(2) == [.trialDone(0), .stop])
    // What it says after that is not taken.
    #expect(take(.message(.trialStarted(1))).isEmpty)
  }

  @Test
  mutating func
    `the points of a guest that dies in its first trial are known, and hits count once`()
  {
    func points(_ provider: Provider, hits: UInt64) -> SessionEvent {
      .message(
        .points(
          ProviderPoints(
            provider: provider,
            points: [
              PointStatus(
                point: .writebackUnlocked, provider: provider, hits: hits, available: [provider])
            ])))
    }
    ready()
    _ = take(points(.patch, hits: 0))
    let died = state.conclude(nil)
    #expect(died.points.map(\.provider) == [.patch])
    _ = take(points(.patch, hits: 7), points(.ftrace, hits: 0))
    let ended = state.conclude(nil)
    #expect(ended.points.map(\.provider) == [.patch, .ftrace])
    #expect(ended.points.map { $0.points[0].hits } == [7, 0])
  }

  @Test mutating func `the guest that was booted is told its trials`() {
    let actions: [GuestRun.Action] = [
      .ready(save: Self.hello()), .send(.run(Self.specs)),
    ]
    #expect(take(Self.mark(.ready), Self.greeting()) == actions)
  }

  @Test mutating func `a guest is ready when its console has come as far as its hello`() {
    #expect(take(Self.greeting()).isEmpty)
    #expect(take(Self.mark(.ready)).count == 2)
    #expect(take(Self.mark(.ready)).isEmpty, "a mark of its own doing")
  }

  @Test mutating func `a guest whose boot left a report gets its trials, and is not saved`() {
    for line in Self.warning { _ = take(line) }
    _ = take(Self.mark(.ready))
    #expect(take(Self.greeting()) == [.ready(save: nil), .send(.run(Self.specs))])
    #expect(state.conclude(.still).bootSplats.count == 1)
  }

  @Test mutating func `a restored guest has no mark to wait for, and is not saved again`() {
    state = restored()
    #expect(take(Self.greeting()) == [.ready(save: nil), .send(.run(Self.specs))])
    _ = take(.message(.trialStarted(0)))
    let result = state.conclude(.still)
    #expect(result.restoreFailure == nil)
    #expect(result.trials.first?.loss?.kind == .stall)
  }

  @Test mutating func `a guest that is not the saved one was not restored`() {
    state = restored()
    #expect(take(Self.greeting(String(repeating: "b", count: 32))) == [.stop])
    let result = state.conclude(nil)
    #expect(result.restoreFailure?.contains("not the one") == true)
    #expect(result.failure == nil)
  }

  @Test mutating func `a saved guest that QEMU cannot load says nothing about the kernel`() {
    state = restored()
    _ = take(.qemuLine("load of migration failed"), .exited(.exited(1)))
    let result = state.conclude(nil)
    #expect(result.restoreFailure == "QEMU exited with 1; load of migration failed")
    #expect(result.failure == nil)
    #expect(result.trials.isEmpty)
  }

  private func restored() -> GuestRun.State {
    GuestRun.State(
      specs: Self.specs, start: .restore(Self.hello()), silenceLimit: 90, began: Date())
  }

  @Test mutating func `another guest's token ends the session`() {
    #expect(take(Self.greeting(String(repeating: "b", count: 32))) == [.stop])
    #expect(state.conclude(nil).failure?.kind == .harness)
  }

  @Test mutating func `a trial ends when both its report and its mark have come`() {
    ready()
    _ = take(.message(.trialStarted(0)), Self.report(0))
    // Splats of the trial are still on their way.
    for line in Self.warning { _ = take(line) }
    #expect(take(Self.mark(.trialEnds(0))) == [.trialDone(0), .stop])
    let result = state.conclude(nil)
    #expect(result.trials.map(\.spec.index) == [0])
    #expect(result.trials.first?.report != nil)
    #expect(result.trials.first?.splats.map(\.title) == ["WARNING in zswap_swapoff"])
  }

  @Test mutating func `a clean trial does not end the guest`() {
    ready()
    _ = take(.message(.trialStarted(0)), Self.mark(.trialEnds(0)))
    #expect(take(Self.report(0)) == [.trialDone(0)])
    _ = take(.message(.trialStarted(1)))
    #expect(state.conclude(nil).trials.map(\.spec.index) == [0, 1])
  }

  @Test mutating func `nothing that a guest says while it is stopped begins a trial`() {
    ready()
    _ = take(.message(.trialStarted(0)), Self.report(0))
    for line in Self.warning { _ = take(line) }
    _ = take(Self.mark(.trialEnds(0)), .message(.trialStarted(1)))
    #expect(state.conclude(nil).trials.map(\.spec.index) == [0])
  }

  @Test mutating func `a report of a trial that is not under way is a lie`() {
    ready()
    _ = take(.message(.trialStarted(0)))
    #expect(take(Self.report(1)) == [.stop])
    #expect(state.conclude(nil).failure?.message.contains("trial 1") == true)
  }

  @Test mutating func `a trial that the guest was not told to run is a lie`() {
    ready()
    #expect(take(.message(.trialStarted(7))) == [.stop])
  }

  @Test mutating func `lines that could not be read may have held a splat`() {
    ready()
    _ = take(.message(.trialStarted(0)))
    #expect(take(.consoleLinesDropped(3)) == [.stop])
    #expect(state.conclude(nil).failure?.kind == .harness)
  }

  @Test mutating func `silence in a trial is a stall, and before it an unusable kernel`() {
    ready()
    _ = take(.message(.trialStarted(0)))
    let result = state.conclude(.still)
    #expect(result.trials.first?.loss?.kind == .stall)
    #expect(result.failure == nil)

    state = GuestRun.State(
      specs: Self.specs, start: .boot(token: Self.token), silenceLimit: 90, began: Date())
    _ = take(.consoleLine("VFS: waiting"))
    let boot = state.conclude(.still)
    #expect(boot.failure?.kind == .kernelUnusable)
    #expect(boot.failure?.message.contains("VFS: waiting") == true)
  }

  @Test mutating func `a boot's panic is why it cannot be used, and what it reported is a finding`()
  {
    for line in Self.warning { _ = take(line) }
    _ = take(
      .consoleLine("[    5.0] Kernel panic - not syncing: VFS: Unable to mount root fs on x"),
      .shutdown(.guestReset))
    let result = state.conclude(nil)
    #expect(result.failure?.kind == .kernelUnusable)
    #expect(result.failure?.message.contains("looks for a root file system") == true)
    #expect(result.bootSplats.map(\.title) == ["WARNING in zswap_swapoff"])
  }

  @Test mutating func `a boot that says that it waits for ever is given up`() {
    #expect(take(.consoleLine("[    2.1] Waiting for root device /dev/sda1...")) == [.despair])
    ready()
    #expect(take(.consoleLine("[    9.1] Waiting for root device /dev/sda1...")).isEmpty)
  }

  @Test mutating func `a reset that a panic explains is that panic's finding alone`() {
    ready()
    _ = take(.message(.trialStarted(0)))
    _ = take(
      .consoleLine("[    5.000000] Kernel panic - not syncing: sysrq triggered crash"),
      .shutdown(.guestReset))
    let result = state.conclude(nil)
    #expect(result.trials.first?.splats.map(\.kind) == [.panic])
    #expect(result.trials.first?.loss == nil)
  }

  @Test mutating func `a flood makes the kernel unusable, and its findings stand`() {
    ready()
    _ = take(.message(.trialStarted(0)))
    for line in Self.warning { _ = take(line) }
    state.isFlooded = true
    let result = state.conclude(nil)
    #expect(result.failure?.kind == .kernelUnusable)
    #expect(result.trials.first?.splats.count == 1)
  }

  private static let breakpoint: [SessionEvent] = [
    "Oops: int3: 0000 [#1] PREEMPT SMP NOPTI",
    "CPU: 1 UID: 0 PID: 9 Comm: kworker/1:0 Not tainted 6.12.117 #1",
    "RIP: 0010:sched_clock_cpu+0x1/0x20",
    "Call Trace:",
    " <TASK>",
    " update_rq_clock+0x1/0x2",
    " </TASK>",
    "---[ end trace 0000000000000000 ]---",
  ].map { .consoleLine("[    0.400000] \($0)") }

  @Test mutating func `a boot that emulation broke has no trial run on it, and is told apart`() {
    state.isEmulated = true
    for event in Self.breakpoint { _ = take(event) }
    #expect(take(Self.mark(.ready), Self.greeting()) == [.stop])
    let result = state.conclude(nil)
    #expect(result.spoiledBoot?.title == "Oops: int3 in sched_clock_cpu")
    #expect(result.trials.isEmpty)
  }

  @Test mutating func `without emulation a stray breakpoint is the kernel's own`() {
    for event in Self.breakpoint { _ = take(event) }
    #expect(take(Self.mark(.ready), Self.greeting()).contains(.send(.run(Self.specs))))
    #expect(state.conclude(nil).spoiledBoot == nil)
  }

  /// What QEMU 7.2 did once to Debian's 6.12.117: the flags are the lower half of RDI.
  private static let flags: [SessionEvent] = [
    "------------[ cut here ]------------",
    "WARNING: CPU: 1 PID: 24 at arch/x86/kernel/traps.c:1120 exc_debug_kernel+0xca/0x160",
    "CPU: 1 UID: 0 PID: 24 Comm: cpuhp/1 Tainted: G           OE      6.12.117 #1",
    "RIP: 0010:exc_debug_kernel+0xca/0x160",
    "RSP: 0000:fffffe000004bf28 EFLAGS: 1fdc1002",
    "Call Trace:",
    " <TASK>",
    " build_sched_domains+0x1cd/0x12d0",
    " </TASK>",
    "---[ end trace 0000000000000000 ]---",
  ].map { .consoleLine("[   15.600000] \($0)") }

  @Test mutating func `a boot whose registers emulation broke has no trial run on it`() {
    state.isEmulated = true
    for event in Self.flags { _ = take(event) }
    #expect(take(Self.mark(.ready), Self.greeting()) == [.stop])
    #expect(state.conclude(nil).spoiledBoot?.title == "WARNING in build_sched_domains")
  }

  private mutating func runWithFlags() -> GuestRun.Result {
    ready()
    _ = take(.message(.trialStarted(0)))
    for event in Self.flags { _ = take(event) }
    _ = take(Self.report(0))
    _ = take(Self.mark(.trialEnds(0)))
    return state.conclude(nil)
  }

  @Test mutating func `a trial whose registers emulation broke is told apart`() {
    state.isEmulated = true
    let result = runWithFlags()
    #expect(result.trials.first?.splats.count == 1)
    #expect(result.spoiledTrials[0]?.title == "WARNING in build_sched_domains")
  }

  @Test mutating func `without emulation flags that no CPU has are the kernel's own`() {
    #expect(runWithFlags().spoiledTrials.isEmpty)
  }

  @Test func `flags that a CPU can have are no sign of a broken emulation`() {
    for flags in ["00000246", "00010202", "00200a97"] {
      var splat = Trials.splat()
      splat.excerpt = "RSP: 0018:ffffc90000203e30 EFLAGS: \(flags)"
      #expect(!splat.hasImpossibleFlags, "\(flags)")
    }
    for flags in ["00000000", "80000002", "0000000a", "00008002", "1fdc1782"] {
      var splat = Trials.splat()
      splat.excerpt = "RSP: 0018:ffffc90000203e30 EFLAGS: \(flags)\nRAX: 0"
      #expect(splat.hasImpossibleFlags, "\(flags)")
    }
  }

  @Test mutating func `a disk that the host cannot write is the host's error, and no stall`() {
    ready()
    _ = take(.message(.trialStarted(0)))
    #expect(take(.diskFailed("No space left on device")) == [.stop])
    let result = state.conclude(.still)
    #expect(result.failure?.kind == .harness)
    #expect(result.trials.first?.loss == nil)
  }

  @Test mutating func `a guest that is lost between report and mark is told with that trial`() {
    ready()
    _ = take(.message(.trialStarted(0)), Self.report(0))
    let trial = state.conclude(.still).trials.first
    #expect(trial?.report != nil)
    #expect(trial?.loss?.title == "guest hangs")
    #expect(trial?.isCut == true)
  }

  @Test func `a trial whose console was cut is no pass, whatever its report says`() {
    var evidence = GuestRun.Evidence(
      spec: Self.specs[0], report: Trials.interleaved(), splats: [], notices: [], loss: nil)
    #expect(HarnessRun.judge(evidence).verdict == .pass)
    evidence.isCut = true
    #expect(HarnessRun.judge(evidence).verdict.isNotExercised)
  }

  @Test mutating func `a trial that was not begun is no pass`() {
    func verdict(_ results: [GuestRun.Result]) -> Verdict {
      let trials = HarnessRun.judge(
        Self.specs,
        GuestFleet.Outcome(results: results, guests: [], notes: [], failures: []),
        RunRequest(scenarios: [], seed: 1, commandLine: []))
      #expect(trials.count == Self.specs.count)
      return RunJudgement.conclude(trials.map(\.judgement)).verdict
    }
    let trials = [(0, Trials.interleaved()), (1, Trials.excluded(index: 1))].map { index, report in
      GuestRun.Evidence(
        spec: Self.specs[index], report: report, splats: [], notices: [], loss: nil)
    }
    var result = state.conclude(nil)
    result.trials = trials
    #expect(verdict([result]) == .pass)
    result.trials.removeLast()
    #expect(verdict([result]).isNotExercised)
    #expect(verdict([]).isNotExercised)
  }

  @Test mutating func `no trial is begun after the run's time is up`() {
    state.deadline = .distantPast
    ready()
    #expect(
      take(
        .message(.trialStarted(0)), Self.report(0), Self.mark(.trialBegins(0)),
        Self.mark(.trialEnds(0))
      ).suffix(2) == [.trialDone(0), .stop])
  }

  @Test(arguments: [[1], [0], []])
  mutating func `a trial that is told of twice, or beside another, spoils the guest's word`(
    more: [Int]
  ) {
    ready()
    _ = take(.message(.trialStarted(0)))
    // Another one while it is open; the same one again; its report again.
    if more != [1] { _ = take(Self.report(0)) }
    let last = more.first.map { SessionEvent.message(.trialStarted($0)) } ?? Self.report(0)
    #expect(take(last).last == .stop)
    #expect(state.conclude(nil).failure?.kind == .harness)
  }

  @Test mutating func `a data race elsewhere explains no guest that hangs`() throws {
    let lines = [
      "==================================================================",
      "BUG: KCSAN: data-race in ktime_get_mono_fast_ns / timekeeping_update", "",
      "write to 0xffffffff81ca5d08 of 8 bytes by interrupt on cpu 1:",
      " timekeeping_update+0x1/0x20", " timekeeping_advance+0x1/0x20", "",
      "read to 0xffffffff81ca5d08 of 8 bytes by task 56 on cpu 0:",
      " ktime_get_mono_fast_ns+0x1/0x20", " zh_record+0x1/0x20", "",
      "Reported by Kernel Concurrency Sanitizer on:",
      "==================================================================",
    ]
    ready()
    _ = take(.message(.trialStarted(0)), Self.mark(.trialBegins(0)))
    for line in lines { _ = take(.consoleLine("[  264.835255] \(line)")) }
    _ = take(Self.report(0))
    let trial = try #require(state.conclude(.still).trials.first)
    #expect(trial.splats.map(\.isRaceElsewhere) == [true])
    #expect(trial.loss?.title == "guest hangs")
  }

  @Test mutating func `a guest that is lost between two trials did come up`() {
    ready()
    _ = take(
      .message(.trialStarted(0)), Self.mark(.trialBegins(0)), Self.report(0),
      Self.mark(.trialEnds(0)))
    let result = state.conclude(.still)
    #expect(result.failure?.kind != .kernelUnusable)
    #expect(result.trials.first?.loss?.kind == .stall)
  }

  @Test mutating func `a guest that has dropped more events than a number holds is no trap`() {
    ready()
    var report = TrialReport(index: 0)
    report.eventsDropped = 1
    _ = take(
      .message(.trialStarted(0)), .message(.record(trial: 0, text: "dropped \(UInt64.max)\n")),
      .message(.trial(report)), Self.mark(.trialEnds(0)))
    #expect(state.conclude(nil).trials.first?.report?.eventsDropped == .max)
  }

  @Test func `hits that add up to more than a number holds are the most there is`() {
    let points = ProviderPoints(
      provider: .patch,
      points: [
        PointStatus(
          point: .writebackUnlocked, provider: .patch, hits: .max, available: [.patch])
      ])
    #expect(HarnessRun.sum([points, points]).first?.points.first?.hits == .max)
  }

  @Test mutating func `an agent that gives up is an error of ours, and its trial has no stall`() {
    ready()
    #expect(take(.message(.trialStarted(0)), .message(.failed("fork: EAGAIN"))).last == .stop)
    let result = state.conclude(nil)
    #expect(result.failure?.kind == .harness)
    #expect(result.failure?.message.contains("fork: EAGAIN") == true)
    #expect(result.trials.first?.report == nil)
    #expect(result.trials.first?.loss == nil)
  }

  @Test
  mutating func `a kernel that lacks what a trial takes is unusable, and is no error of ours`() {
    ready()
    #expect(take(.message(.unusable("there is no zswap"))) == [.stop])
    #expect(state.conclude(nil).failure == HarnessFailure(.kernelUnusable, "there is no zswap"))
  }

  @Test mutating func `a guest that breaks the protocol spoils its own run`() {
    ready()
    #expect(take(.channelBroken(.flooded(pending: 5000))) == [.stop])
    #expect(state.conclude(nil).failure?.kind == .harness)
  }

  @Test mutating func `a second hello, or one of another protocol, is not taken`() {
    ready()
    #expect(take(Self.greeting()) == [.stop])
    #expect(state.conclude(nil).failure?.kind == .harness)
    state = GuestRun.State(
      specs: Self.specs, start: .boot(token: Self.token), silenceLimit: 90, began: Date())
    let other = Hello(
      protocolVersion: Hello.currentProtocol + 1, token: Self.token, release: "6.12.117", cpus: 2)
    #expect(take(Self.mark(.ready), .message(.hello(other))) == [.stop])
    #expect(state.conclude(nil).failure?.kind == .harness)
  }

  private static func line(_ sequence: Int) -> String {
    "\(sequence) 1000 0 61 writeback writeback@unlocked hit - - 0"
  }

  @Test mutating func `a record that cannot be read is an error, not a trial without events`() {
    ready()
    #expect(
      take(
        .message(.trialStarted(0)), .message(.record(trial: 0, text: "0 1000 1")),
        Self.report(0)
      ).last == .stop)
    #expect(state.conclude(nil).failure?.message.contains("record of trial 0") == true)
  }

  @Test mutating func `a record of another trial is not taken for this one's`() {
    ready()
    _ = take(
      .message(.trialStarted(0)), .message(.record(trial: 1, text: Self.line(0))),
      Self.report(0), Self.mark(.trialEnds(0)))
    #expect(state.conclude(nil).trials.first?.report?.events == [])
  }

  @Test mutating func `events beyond those that are kept count as dropped`() {
    ready()
    let text = (0..<TrialReport.eventsLimit + 2).map(Self.line).joined(separator: "\n")
    _ = take(
      .message(.trialStarted(0)), .message(.record(trial: 0, text: text)), Self.report(0),
      Self.mark(.trialEnds(0)))
    let report = state.conclude(nil).trials.first?.report
    #expect(report?.events.count == TrialReport.eventsLimit)
    #expect(report?.eventsDropped == 2)
  }

  @Test mutating func `a reset that nothing explains is a finding in a trial`() {
    ready()
    _ = take(.message(.trialStarted(0)), .shutdown(.guestReset))
    let result = state.conclude(nil)
    #expect(result.trials.first?.loss?.title == "guest reset")
    #expect(result.failure == nil)
  }

  @Test mutating func `a guest or a QEMU that ends by itself says nothing about the kernel`() {
    ready()
    _ = take(.message(.trialStarted(0)), .shutdown(.guestShutdown))
    var result = state.conclude(nil)
    #expect(result.failure?.kind == .harness)
    #expect(result.trials.first?.loss == nil)
    state = GuestRun.State(
      specs: Self.specs, start: .boot(token: Self.token), silenceLimit: 90, began: Date())
    ready()
    _ = take(.message(.trialStarted(0)), .qemuLine("out of memory"), .exited(.exited(1)))
    result = state.conclude(nil)
    #expect(result.failure?.message.contains("out of memory") == true)
    #expect(result.trials.first?.loss == nil)
  }
}
