import Glibc
import GuestWire
import SystemPackage

/// What every trial sets up and takes down: swap on, a memcg, a process whose
/// stamped pages are in zswap.
final class TrialGuest {
  let spec: TrialSpec
  let swapfile: Swapfile
  let group: ControlGroup
  let holder: PageHolder
  private let rest: RestProbe
  private let channel: HostChannel
  private var lastSwapoff: ActorProcess?

  init(_ spec: TrialSpec, swapfile: Swapfile, channel: HostChannel) throws {
    self.spec = spec
    self.swapfile = swapfile
    self.channel = channel
    rest = try RestProbe(isStress: spec.isStress)
    try swapfile.swapOn()
    group = try ControlGroup.make("trial-\(spec.index)")
    holder = try PageHolder(pages: spec.pages, seed: spec.seed) { channel.beat() }
    try group.add(holder.pid)
    try holder.fill()
    try pushOut()
  }

  func note(_ text: String) { channel.progress("\(spec.scenario): \(text)") }
  func beat() { channel.beat() }

  /// Gets every stamped page into zswap: by reclaim of the memcg, and what that
  /// leaves, by the owner itself.
  private func pushOut() throws {
    for _ in 0..<8 {
      if try isPushedOut() { return }
      group.reclaim(bytes: spec.pages * PageStamp.size)
    }
    for _ in 0..<8 {
      if try isPushedOut() { return }
      try holder.pageOut()
    }
    guard try isPushedOut() else {
      let stored = try Zswap.counter("stored_pages")
      throw TrialError.notPushedOut(stored: stored, wanted: spec.pages)
    }
  }

  private func isPushedOut() throws -> Bool {
    try Zswap.counter("stored_pages") >= spec.pages
  }

  /// Reads the pages back, takes everything down, and measures what is left.
  ///
  /// What cannot be taken down is evidence too: the kernel may hang, or kill, the
  /// process that a leaked lock or a lost page is met by.
  func conclude(
    _ report: inout TrialReport, stalled: [ActorProcess]?, before: () throws -> Void = {}
  ) {
    if stalled != nil {
      report.restSkipped = "an actor makes no progress"
    } else if report.actors.contains(where: \.wasKilled) {
      report.restSkipped = "an actor was killed in the kernel"
    } else {
      do {
        try before()
        report.pages = try holder.verify()
        note("at rest")
        let result = try takeDown()
        report.rest = result.measurements
        report.restSkipped = result.skipped
      } catch {
        report.pages = holder.audit
        report.rest = []
        report.restSkipped = "\(error)"
        if let end = holder.badEnd {
          report.actors.append(
            ActorReport(name: "page-holder", pid: Int(holder.pid), end: end))
        }
        if let lastSwapoff { report.actors.append(Self.report(lastSwapoff)) }
      }
    }
  }

  private func takeDown() throws -> RestProbe.Result {
    try holder.quit()
    if try Swapfile.areasInUse() > 0 {
      let swapoff = try ActorProcess("swapoff-last") { [swapfile] in swapfile.swapOff() }
      lastSwapoff = swapoff
      swapoff.start()
      guard wait(for: [swapoff]) == nil else { throw TrialError.swapoffStalls }
      guard swapoff.poll() == .returned(errno: 0) else { throw TrialError.swapoffFails }
    }
    let memcg = try RestProbe.settle(group)
    // Busy while its last task is being taken apart.
    var attempts = 0
    while true {
      do {
        try group.remove()
        break
      } catch {
        attempts += 1
        guard error.errno == .resourceBusy, attempts < 200 else { throw error }
        MonotonicClock.sleep(milliseconds: 10)
      }
    }
    return try rest.settle(memcg)
  }

  /// Waits until all have ended; nil then, or those that stand still.
  func wait(for actors: [ActorProcess]) -> [ActorProcess]? {
    var watchdog = Watchdog()
    while true {
      let running = actors.filter { $0.poll() == nil }
      if running.isEmpty { return nil }
      if watchdog.isStalled(running.map(\.pid)) { return running }
      beat()
      MonotonicClock.sleep(milliseconds: 10)
    }
  }

  static func report(_ actor: ActorProcess) -> ActorReport {
    let end =
      actor.poll()
      ?? .stalled(
        wchan: ProcessProbe(actor.pid)?.wchan ?? "?", stack: ProcessProbe.stack(actor.pid))
    return actor.report(end)
  }
}

/// What keeps a trial from being run at all.
enum TrialError: Error, CustomStringConvertible {
  case notPushedOut(stored: Int64, wanted: Int)
  case swapoffStalls
  case swapoffFails

  var description: String {
    switch self {
    case .notPushedOut(let stored, let wanted):
      "only \(stored) of \(wanted) pages went into zswap"
    case .swapoffStalls:
      "the last swapoff makes no progress"
    case .swapoffFails:
      "the last swapoff fails"
    }
  }
}

extension ActorReport {
  fileprivate var wasKilled: Bool {
    if case .signalled = end { true } else { false }
  }
}

extension TrialSpec {
  fileprivate var isStress: Bool {
    if case .stress = work { true } else { false }
  }
}
