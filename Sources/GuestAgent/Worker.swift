import Glibc
import GuestWire
import Kmod
import LibMount
import SystemPackage

/// Does what the host asks for, and tells it what came of it.
///
/// One thread, no concurrency runtime: it forks its actors, and every wait is a
/// loop that reports progress.
enum Worker {
  static func run(identity: GuestIdentity) -> Never {
    Supervisor.keepPagesInMemory()
    // What a child that was killed is told is an error of that write, and no end of ours.
    signal(SIGPIPE, SIG_IGN)
    // Before the channel: its driver may be one of them.
    let problem = loadModules()
    do {
      let channel = try HostChannel()
      do {
        try serve(identity, channel, problem)
      } catch {
        try? channel.send(.failed("\(error)"))
      }
    } catch {
      print("guest-agent: \(error)")
    }
    exit(0)
  }

  private static let disk = Mount(source: "/dev/\(Disk.name)", target: "/mnt", type: "ext4")

  private static func serve(
    _ identity: GuestIdentity, _ channel: HostChannel, _ problem: String?
  ) throws {
    var name = utsname()
    uname(&name)
    let release = withUnsafePointer(to: &name.release) {
      $0.withMemoryRebound(to: CChar.self, capacity: 65) { String(cString: $0) }
    }
    // Before the hello, at which the host may save this guest to start others from.
    let reason = try problem ?? prepare(channel)
    let crew = reason == nil ? try Crew(swaps: try SwapAreas.make(in: disk.target)) : nil
    let hello = GuestMessage.hello(
      Hello(
        protocolVersion: Hello.currentProtocol, token: identity.token, release: release,
        cpus: sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    try mark(.ready)
    try channel.send(hello)

    while true {
      switch try channel.receive() {
      case .powerOff: return
      case .greet: try channel.send(hello)
      case .run(let specs):
        guard let crew else {
          try channel.send(.unusable(reason ?? "it could not be prepared"))
          continue
        }
        let fault = identity.options["fault"].flatMap(GuestFault.init(rawValue:))
        try run(specs, crew, fault, channel)
        try channel.send(.finished)
      }
    }
  }

  /// Loads what channel and disk need; what went wrong, or nil.
  private static func loadModules() -> String? {
    guard KernelFile.exists("/proc/modules") else {
      return "this kernel has no modules: CONFIG_MODULES=y"
    }
    for path in (try? KernelFile.read("/modules/order"))?.split(separator: "\n") ?? [] {
      do throws(KmodError) {
        let context = try KmodContext()
        try KmodModule(path: String(path), in: context).insert()
      } catch {
        // One that another needed too.
        if error.errno != .fileExists { return "\(error)" }
      }
    }
    return nil
  }

  /// Mounts the disk and looks whether zswap is there; the reason why this kernel
  /// cannot be used, or nil.
  private static func prepare(_ channel: HostChannel) throws -> String? {
    channel.progress("preparing the guest")
    if let missing = Zswap.missing() { return missing }
    guard KernelFile.exists("\(ControlGroup.root)/cgroup.controllers"),
      let controllers = try? KernelFile.read("\(ControlGroup.root)/cgroup.controllers"),
      controllers.split(whereSeparator: \.isWhitespace).contains("memory")
    else { return "there is no memory controller in cgroup v2: CONFIG_MEMCG=y" }
    // The disk's node comes a moment after its driver.
    for _ in 0..<500 where !KernelFile.exists(disk.source) {
      MonotonicClock.sleep(milliseconds: 10)
    }
    do {
      try disk.mount()
    } catch {
      return "\(error)"
    }
    do {
      // A fault reads its own page only, so that the record is about that slot;
      // grace periods do not wait for a tick, and swapoff has two.
      try KernelFile.write("0", to: "/proc/sys/vm/page-cluster")
      try? KernelFile.write("1", to: "/sys/kernel/rcu_expedited")
      LeakScan.begin()
    } catch {
      return "\(error)"
    }
    return nil
  }

  private static func run(
    _ specs: [TrialSpec], _ crew: Crew, _ fault: GuestFault?, _ channel: HostChannel
  ) throws {
    var hooks: HooksModule?
    var guest: TrialGuest?
    for (position, spec) in specs.enumerated() {
      if case .workload(let workload, let seconds) = spec.work {
        try mark(.trialBegins(spec.index))
        try channel.send(.trialStarted(spec.index))
        channel.progress("\(workload.rawValue) for \(seconds) s")
        let report = try WorkloadTrial(
          workload: workload, seconds: seconds, spec: spec, crew: crew, channel: channel
        ).run()
        try mark(.trialEnds(spec.index))
        try channel.send(.trial(report))
        // It leaves what it likes: another guest goes on.
        break
      }
      if hooks?.provider != spec.provider {
        if let hooks {
          try channel.send(.points(try hooks.points()))
          try hooks.unload()
        }
        do {
          let loaded = try HooksModule.load(spec.provider)
          // A guest that dies in its first trial has said what it reaches.
          try channel.send(.points(try loaded.points()))
          hooks = loaded
        } catch {
          try channel.send(.unusable("\(error)"))
          return
        }
      }
      guard let hooks else { continue }
      try mark(.trialBegins(spec.index))
      try channel.send(.trialStarted(spec.index))
      if let fault { try fault.commit(channel) }
      // The module stays loaded, and the set-up with it, for those to come.
      // One that this guest cannot make takes no set-up, and ends none.
      let next = specs.dropFirst(position + 1).first {
        $0.provider != spec.provider || (try? kind(of: $0, crew, hooks)) != nil
      }
      let following = next.flatMap { next -> TrialGuest.Next? in
        guard next.provider == spec.provider else { return nil }
        return goesOn(from: spec, to: next, crew, hooks) ? .sameSetup : .otherSetup
      }
      let report = try trial(spec, &guest, next: following, hooks, crew, channel)
      try mark(.trialEnds(spec.index))
      try channel.send(.trial(report))
      // What a stuck or dead task still holds, and what has leaked, would be held
      // against the next trial: the host goes on in a fresh guest. A trial without
      // a set-up was not begun.
      if let guest, !guest.isAtRest, !report.phases.isEmpty { break }
    }
    if let hooks { try channel.send(.points(try hooks.points())) }
    for data in KernelCoverage.collect() { try channel.send(.coverage(data)) }
    // What a trial that did not come to rest has left is that trial's own.
    if LeakScan.isThere, guest?.isAtRest != false {
      channel.progress("looking for leaks")
      try channel.send(.leaks(LeakScan.leaks { channel.beat() }))
    }
  }

  private static func mark(_ mark: ConsoleMark) throws(SystemError) {
    try KernelFile.write(mark.line + "\n", to: "/dev/kmsg")
  }

  /// Whether the second trial can use the first one's set-up.
  private static func goesOn(
    from spec: TrialSpec, to next: TrialSpec, _ crew: Crew, _ hooks: HooksModule
  ) -> Bool {
    (try? kind(of: spec, crew, hooks)) == (try? kind(of: next, crew, hooks))
  }

  private static func kind(
    of spec: TrialSpec, _ crew: Crew, _ hooks: HooksModule
  ) throws(ScheduleTrial.Unsupported) -> TrialGuest.Kind {
    switch spec.work {
    case .schedule(let schedule):
      try ScheduleTrial(schedule: schedule, hooks: hooks, crew: crew).kind(pages: spec.pages)
    case .stress(let stress, _): try StressTrial.kind(stress, crew.swaps, pages: spec.pages)
    case .workload: throw ScheduleTrial.Unsupported("a workload has no set-up")
    }
  }

  private static func trial(
    _ spec: TrialSpec, _ guest: inout TrialGuest?, next: TrialGuest.Next?, _ hooks: HooksModule,
    _ crew: Crew, _ channel: HostChannel
  ) throws -> TrialReport {
    let began = MonotonicClock.milliseconds
    let clock = PhaseClock()
    let kind: TrialGuest.Kind
    do throws(ScheduleTrial.Unsupported) {
      kind = try self.kind(of: spec, crew, hooks)
    } catch {
      var report = TrialReport(index: spec.index)
      report.restSkipped = error.why
      return report
    }
    let current: TrialGuest
    if let guest, guest.canTake(kind) {
      current = guest
    } else {
      current = try TrialGuest(
        kind, spec: spec, crew: crew, channel: channel)
    }
    guest = current
    current.clock = clock
    try current.begin(next: next)
    current.clock.lap("set up")
    var report = TrialReport(index: spec.index)
    do {
      switch spec.work {
      case .schedule(let schedule):
        let trial = ScheduleTrial(schedule: schedule, hooks: hooks, crew: crew)
        let record: String
        (report, record) = try trial.run(current, spec: spec)
        // A longer one is no message: what is cut off counts as dropped.
        let text = EventRecord.cut(record, toBytes: Frame.maximumPayload / 2)
        try channel.send(.record(trial: spec.index, text: text))
      case .stress(let stress, let seconds):
        report = try StressTrial(stress: stress, seconds: seconds).run(current, spec: spec)
      case .workload: break
      }
    } catch {
      // A kernel that kills or holds up who was to make the trial is what there is to tell.
      report.actors = current.badReports
      guard !report.actors.isEmpty else { throw error }
      report.restSkipped = "\(error)"
    }
    current.clock.lap("send the record")
    report.phases = current.clock.phases
    report.milliseconds = MonotonicClock.milliseconds - began
    return report
  }
}
