import Glibc
import GuestWire
import SystemPackage

/// Steers one writeback against one swapoff.
struct ScheduleTrial {
  let schedule: Schedule
  let hooks: HooksModule

  /// Entries that the walk may look at. The first is the one that is held.
  private static let walk = 4

  func run(_ guest: TrialGuest) throws -> TrialReport {
    var report = TrialReport(index: guest.spec.index)

    // The second chance: a first walk of all entries only clears their
    // referenced bits. Of all, and of no more: those that it has rotated come
    // again at the tail. There may be more than the stamped pages: reclaim has
    // pushed out what else the holder has.
    let entries =
      try LRUListing(HooksModule.read("lru")).itemsOfMemcg[guest.group.inode] ?? 0
    let cleared = HooksModule.walk(guest.group, count: Int(entries))
    guard cleared == 0 else {
      throw SystemError(
        operation: "walk the LRU of", object: guest.group.name, errno: .init(rawValue: cleared))
    }
    let actors = try makeActors(guest)
    try hooks.arm(
      schedule, pid: actors.first.pid, timeoutMilliseconds: guest.spec.holdTimeoutMilliseconds)

    actors.first.start()
    guest.note("\(schedule.hold.actor) runs to \(schedule.hold)")
    try waitUntil(actors.first, guest) { $0 != .armed }

    actors.second.start()
    guest.note("held; \(schedule.until.actor) runs to \(schedule.until)")
    let blocked = try race(actors.second, guest)

    guest.note("released")
    let stalled = guest.wait(for: [actors.first, actors.second])
    report.actors = [actors.first, actors.second].map(TrialGuest.report)
    report.hold = HoldReport(schedule: schedule, state: try hooks.state(), blocked: blocked)
    let record = try hooks.events()
    report.events = Array(record.events.prefix(TrialReport.eventsLimit))
    report.eventsDropped =
      record.dropped + UInt64(record.events.count - report.events.count)

    guest.conclude(&report, stalled: stalled)
    return report
  }

  private func makeActors(
    _ guest: TrialGuest
  ) throws -> (first: ActorProcess, second: ActorProcess) {
    (try makeActor(schedule.hold.actor, guest), try makeActor(schedule.until.actor, guest))
  }

  /// The actors that there are, by the name that their points have.
  private func makeActor(_ name: String, _ guest: TrialGuest) throws -> ActorProcess {
    let group = guest.group
    let swapfile = guest.swapfile
    switch name {
    case "writeback":
      return try ActorProcess(name) { HooksModule.walk(group, count: Self.walk) }
    case "swapoff":
      return try ActorProcess(name) { swapfile.swapOff() }
    default:
      throw SystemError(operation: "make actor", object: name, errno: .notSupported)
    }
  }

  /// Waits for the constraint's state; ends also when the actor has.
  private func waitUntil(
    _ actor: ActorProcess, _ guest: TrialGuest, _ isDone: (HoldReport.State) -> Bool
  ) throws {
    var watchdog = Watchdog()
    while !isDone(try hooks.state()), actor.poll() == nil, !watchdog.isStalled([actor.pid]) {
      guest.beat()
      MonotonicClock.sleep(milliseconds: 5)
    }
  }

  /// Until the hold has ended by what the second actor did, or that actor is
  /// known to wait: then it is released, as nothing more would come.
  private func race(_ second: ActorProcess, _ guest: TrialGuest) throws -> BlockedEvidence? {
    var detector = BlockedDetector()
    while try hooks.state() == .held {
      if detector.observe(ProcessProbe(second.pid), diskIsBusy: Disk.isBusy) {
        let evidence = BlockedEvidence(
          actor: second.name, wchan: ProcessProbe(second.pid)?.wchan ?? "?",
          samples: detector.samples, stack: ProcessProbe.stack(second.pid))
        try HooksModule.write("release", to: "schedule")
        return evidence
      }
      // Ended without passing the awaited point: nobody else will pass it.
      if second.poll() != nil, try hooks.state() == .held {
        try HooksModule.write("release", to: "schedule")
        return nil
      }
      guest.beat()
      MonotonicClock.sleep(milliseconds: BlockedDetector.interval)
    }
    return nil
  }
}
