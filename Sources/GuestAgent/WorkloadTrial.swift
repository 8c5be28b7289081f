import Glibc
import GuestWire
import SystemPackage

/// Runs what others would run, for a time or until the kernel has spoken up.
///
/// It has no set-up of trials and measures no rest: what it finds is what its user
/// would see, a report on the console, a task that dies or hangs, a test that fails,
/// a page that comes back wrong.
struct WorkloadTrial {
  let workload: Workload
  let seconds: Int
  let spec: TrialSpec
  let crew: Crew
  let channel: HostChannel

  /// Lines of a program's that a report keeps.
  private static let outputLimit = 60
  /// What a program may take beyond its time: nobody's fault, on an emulated CPU.
  private static let graceMilliseconds: UInt64 = 240_000
  /// What the stressors have before they are reclaimed from.
  private static let memory = 32 << 20

  func run() throws -> TrialReport {
    var report = TrialReport(index: spec.index)
    let began = MonotonicClock.milliseconds
    let end = began + UInt64(seconds) * 1000
    let alarm = try KernelAlarm()
    let before = try Zswap.counter("written_back_pages")
    // Else only a full pool or a memcg's limit writes anything back.
    _ = try? Zswap.set("shrinker_enabled", "Y")
    switch workload {
    case .kselftest: try kselftest(until: end, alarm, began, &report)
    case .stressNG: try stressNG(until: end, alarm, &report)
    case .reclaim: try reclaim(until: end, alarm, &report)
    }
    report.counts["writebacks"] = UInt64(
      max(0, try Zswap.counter("written_back_pages") - before))
    if report.actors.isEmpty {
      report.actors = [ActorReport(name: workload.rawValue, pid: 0, end: .returned(errno: 0))]
    }
    report.milliseconds = MonotonicClock.milliseconds - began
    report.phases = [
      TrialPhase(name: workload.rawValue, microseconds: report.milliseconds * 1000)
    ]
    return report
  }

  // MARK: - Programs

  private func kselftest(
    until end: UInt64, _ alarm: KernelAlarm, _ began: UInt64, _ report: inout TrialReport
  ) throws {
    guard let path = workload.program else { return }
    // It swaps 32 MiB out.
    try Swapfile.make(at: "/mnt/swapfile-kselftest", pages: 16384).swapOn()
    while MonotonicClock.milliseconds < end, !alarm.rings {
      let program = try Program([path])
      let isOver = try watch(program, limit: end + Self.graceMilliseconds, alarm, &report) {
        report, line in
        // TAP: "ok 3 test_swapin", "not ok 4 …", "ok 5 # SKIP test_…".
        let words = line.split(separator: " ")
        guard let number = words.firstIndex(where: { Int($0) != nil }), number < 3,
          words[..<number].last == "ok", let name = words.last
        else { return }
        let isOK = words.first == "ok"
        let result = line.contains("# SKIP") ? "skip" : isOK ? "ok" : "not ok"
        report.counts["\(result) \(name)", default: 0] += 1
        let key = "ms to not ok \(name)"
        if result == "not ok", report.counts[key] == nil {
          report.counts[key] = MonotonicClock.milliseconds - began
        }
      }
      report.counts["rounds", default: 0] += 1
      if isOver { break }
    }
  }

  private func stressNG(
    until end: UInt64, _ alarm: KernelAlarm, _ report: inout TrialReport
  ) throws {
    guard let path = workload.program else { return }
    try crew.swaps.all[crew.swaps.large].swapOn()
    let group = try ControlGroup.make(Int64(spec.index))
    // Reclaim without the OOM killer, which is nobody's bug.
    try group.set("memory.high", "\(Self.memory)")
    try group.set("memory.zswap.max", "\(Self.memory / 16)")
    let program = try Program(
      [
        path, "--swap", "2", "--vm", "1", "--vm-bytes", "\(Self.memory)", "--verify",
        "--timeout", "\(seconds)s", "--temp-path", "/mnt", "--metrics-brief", "--oomable",
      ], in: group)
    let isOver = try watch(program, limit: end + Self.graceMilliseconds, alarm, &report) {
      report, line in
      if line.contains("fail:") { report.counts["failures", default: 0] += 1 }
    }
    if !isOver, case .exited(let status) = program.ending {
      report.counts["exit status"] = UInt64(status)
    }
  }

  /// Waits for a program's end.
  ///
  /// - Returns: whether the workload is over with it: the kernel has spoken up, or the
  ///   program was killed, hangs, or has had all its time.
  private func watch(
    _ program: Program, limit: UInt64, _ alarm: KernelAlarm, _ report: inout TrialReport,
    take: (inout TrialReport, String) -> Void
  ) throws -> Bool {
    func takeLines(_ report: inout TrialReport) {
      for line in program.readLines() {
        take(&report, line)
        report.output = ((report.output ?? []) + [line]).suffix(Self.outputLimit)
      }
    }
    var watchdog = Watchdog(limit: .max)
    while program.ending == nil {
      if MonotonicClock.milliseconds > limit {
        report.counts["cut off", default: 0] += 1
        program.kill()
        return true
      }
      MonotonicClock.sleep(milliseconds: 50)
      channel.beat()
      takeLines(&report)
      if alarm.rings {
        program.kill()
        return true
      }
      let family = ProcessProbe.descendants(of: program.pid)
      if watchdog.isStalled([program.pid] + family) {
        let stuck = family.first { ProcessProbe($0)?.state == "D" } ?? program.pid
        report.actors = [
          ActorReport(
            name: workload.rawValue, pid: Int(stuck),
            end: .stalled(
              wchan: ProcessProbe(stuck)?.wchan ?? "?", stack: ProcessProbe.stack(stuck)))
        ]
        program.kill()
        return true
      }
    }
    takeLines(&report)
    guard case .signalled(let signal) = program.ending else {
      if case .exited(let status) = program.ending, status == 126 || status == 127 {
        throw SystemError(
          operation: "start", object: workload.program ?? "", errno: .noSuchFileOrDirectory)
      }
      return false
    }
    // By an oops, or by the OOM killer, which test_no_kmem_bypass invites: another
    // round may do better.
    report.counts["killed by signal \(signal)", default: 0] += 1
    return alarm.rings
  }

  // MARK: - The agent's own

  private func reclaim(
    until end: UInt64, _ alarm: KernelAlarm, _ report: inout TrialReport
  ) throws {
    let swapfile = crew.swaps.all[crew.swaps.large]
    try swapfile.swapOn()
    let group = try ControlGroup.make(Int64(spec.index))
    let holder = try PageHolder(pages: spec.pages, filler: 0, kind: .anon, seed: spec.seed) {
      channel.beat()
    }
    try group.add(holder.pid)
    try holder.fill()
    let bytes = spec.pages * PageStamp.size
    try group.set("memory.zswap.max", "\(bytes / 32)")
    // Long enough for pages to come into zswap, and to be written back: nothing else does
    // that here.
    let race = try FreeRace(
      [.reclaim, .swapoff], group, bytes: bytes, swapfile: swapfile, swapMilliseconds: 50)
    try holder.startChurning()
    try race.start()
    while MonotonicClock.milliseconds < end, !alarm.rings, race.isRunning,
      holder.child.ending == nil, holder.audit.samples.isEmpty
    {
      MonotonicClock.sleep(milliseconds: 50)
      channel.beat()
    }
    race.tally.stop()
    _ = race.actors.waitForAll(beat: channel.beat)
    report.actors = race.reports
    report.counts = race.counts
    report.counts["rounds"] = holder.rounds
    // A dead task holds what it held: pages may never be had again.
    guard !KernelTaint.hasOopsed, report.actors.allSatisfy({ $0.end == .returned(errno: 0) }) else {
      report.pages = holder.audit
      if let bad = holder.child.badReport { report.actors.append(bad) }
      return
    }
    do {
      try holder.stopChurning()
      report.pages = try holder.verifyAfterChurning()
    } catch {
      report.pages = holder.audit
      if let bad = holder.child.badReport { report.actors.append(bad) }
    }
  }
}

/// Tells that the kernel has reported something about itself: it is tainted as it was
/// not before, or lockdep has switched itself off.
struct KernelAlarm {
  private let before: Int64

  init() throws(SystemError) { before = try KernelTaint.read() }

  var rings: Bool {
    if let now = try? KernelTaint.read(), now != before { return true }
    guard let text = try? KernelFile.read("/proc/lockdep_stats") else { return false }
    return text.split(separator: "\n").contains {
      $0.contains("debug_locks:") && $0.trimmed.hasSuffix(" 0")
    }
  }
}
