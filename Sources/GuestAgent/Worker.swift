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
  /// One zswap tree: the device's size is not what is under test.
  private static let swapPages = 4096

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
    let swapfile =
      reason == nil ? try Swapfile.make(at: "\(disk.target)/swapfile", pages: swapPages) : nil
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
        guard let swapfile else {
          try channel.send(.unusable(reason ?? "it could not be prepared"))
          continue
        }
        let fault = identity.options["fault"].flatMap(GuestFault.init(rawValue:))
        try run(specs, swapfile, fault, channel)
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
    return nil
  }

  private static func run(
    _ specs: [TrialSpec], _ swapfile: Swapfile, _ fault: GuestFault?,
    _ channel: HostChannel
  ) throws {
    var hooks: HooksModule?
    for spec in specs {
      if hooks?.provider != spec.provider {
        if let hooks {
          try channel.send(.points(try hooks.points()))
          try hooks.unload()
        }
        do {
          hooks = try HooksModule.load(spec.provider)
        } catch {
          try channel.send(.unusable("\(error)"))
          return
        }
      }
      try mark(.trialBegins(spec.index))
      try channel.send(.trialStarted(spec.index))
      if let fault { try fault.commit(channel) }
      guard let hooks else { continue }
      let report = try trial(spec, swapfile, hooks, channel)
      try mark(.trialEnds(spec.index))
      try channel.send(.trial(report))
      // What a stuck or dead task still holds would be held against the next
      // trial: the host goes on in a fresh guest.
      if report.restSkipped != nil { break }
    }
    if let hooks { try channel.send(.points(try hooks.points())) }
  }

  private static func mark(_ mark: ConsoleMark) throws(SystemError) {
    try KernelFile.write(mark.line + "\n", to: "/dev/kmsg")
  }

  private static func trial(
    _ spec: TrialSpec, _ swapfile: Swapfile, _ hooks: HooksModule,
    _ channel: HostChannel
  ) throws -> TrialReport {
    let began = MonotonicClock.milliseconds
    let guest = try TrialGuest(spec, swapfile: swapfile, channel: channel)
    var report =
      switch spec.work {
      case .schedule(let schedule): try ScheduleTrial(schedule: schedule, hooks: hooks).run(guest)
      case .stress(let seconds): try StressTrial(seconds: seconds).run(guest)
      }
    report.milliseconds = MonotonicClock.milliseconds - began
    return report
  }
}
