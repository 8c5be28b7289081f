import Glibc
import GuestWire
import SystemPackage

/// Steers two actors against each other.
struct ScheduleTrial {
  let schedule: Schedule
  let hooks: HooksModule
  let crew: Crew

  /// Pages beside the stamped ones: more than the small swap areas have slots.
  private static let filler = 2 * SwapAreas.smallPages

  private var setup: TrialSetup { schedule.setup }

  /// One actor of the trial: who does it, and what it is told.
  private struct Actor {
    let name: String
    let child: ChildProcess
    let command: ChildProcess.Command

    func start() throws(SystemError) { try child.send(command) }
    func poll(milliseconds: Int32 = 0) -> ActorReport.End? {
      child.poll(milliseconds: milliseconds)
    }
  }

  /// The set-up that the trial needs, or why this guest cannot make it.
  func kind(pages: Int) throws(Unsupported) -> TrialGuest.Kind {
    if schedule.involves("pool"), crew.pool.isEmpty {
      throw Unsupported("this kernel has one compressor and one zpool: nothing to change to")
    }
    if schedule.involves("cpu"), !SecondCPU.canChange {
      throw Unsupported("CPU 1 cannot go offline: CONFIG_HOTPLUG_CPU=y, and two CPUs")
    }
    var swap = setup.via == .walk ? crew.swaps.small : crew.swaps.large
    if setup.swap == .brd {
      guard let brd = crew.swaps.brd else {
        throw Unsupported("this kernel has no brd: CONFIG_BLK_DEV_RAM")
      }
      swap = brd
    }
    return TrialGuest.Kind(
      swap: swap, pages: pages, filler: Self.filler, memory: setup.pages)
  }

  /// A trial that this guest has not got what it takes for.
  struct Unsupported: Error {
    let why: String
    init(_ why: String) { self.why = why }
  }

  /// - Returns: the report, and the module's record of events.
  func run(_ guest: TrialGuest, spec: TrialSpec) throws -> (TrialReport, record: String) {
    var report = TrialReport(index: spec.index)
    if usesUp { guest.isUsedUp = true }
    try guest.pushOut()
    let (entries, left) = try guest.clearReferenced()
    let first = try makeActor(schedule.hold.actor, isFirst: true, entries, guest)
    let second = try makeActor(schedule.until.actor, isFirst: false, entries, guest)
    if setup.failsPin { try HooksModule.failPin(of: first.child.pid) }
    // The global shrink worker is a kernel thread, and nobody's actor.
    let isWorker = setup.via == .pool && schedule.hold.actor == "writeback"
    try hooks.arm(
      schedule, pid: isWorker ? nil : first.child.pid,
      other: setup.free == .exit ? nil : second.child.pid,
      timeoutMilliseconds: spec.holdTimeoutMilliseconds)

    guest.clock.lap("arm")
    try first.start()
    try waitUntilHeld(first, isWorker: isWorker, guest)
    guest.clock.lap("until held")
    try second.start()
    let blocked = try race(second, guest)
    guest.clock.lap("race")
    let isStalled = !awaitAll([first, second], guest)
    if isWorker { try awaitWorker(guest) }
    guest.clock.lap("returns")

    let hold = try hooks.hold()
    report.hold = HoldReport(schedule: schedule, state: hold.state, blocked: blocked)
    report.actors = [first, second].map { $0.child.report(as: $0.name) }
    let record = try HooksModule.read("events")
    if let slot = hold.slot, !isStalled, !guest.groupIsGone {
      report.place = try LRUListing(HooksModule.read("lru"))
        .place(of: slot, in: try guest.group.inode)
    }
    if !isStalled { try undo(guest) }
    guest.clock.lap("read the record")

    guest.conclude(&report, isStalled: isStalled, tolerance: tolerance) { () throws -> PageAudit? in
      if guest.holder.child.ending != nil { return nil }
      return try guest.holder.verify()
    }
    // Each page's entry is on the list of the memcg that is charged for it, beside
    // those of what else reclaim may have pushed out.
    report.rest.append(
      RestMeasurement(
        name: "LRU entries of the memcg when its pages are stored",
        expected: Int64(spec.pages), observed: Int64(min(entries, spec.pages))))
    if left != entries {
      report.rest.append(
        RestMeasurement(
          name: "LRU entries left by a walk that clears their referenced bits",
          expected: Int64(entries), observed: Int64(left)))
    }
    return (report, record)
  }

  /// The memcg, the pages' owner or zswap's settings are not as they were after it.
  private var usesUp: Bool {
    schedule.involves("memcg") || setup.free == .exit || setup.via != .walk
  }

  /// Two writers of an unlocked counter lose some.
  private var tolerance: RestProbe.Tolerance {
    schedule.involves("shrinker") || setup.via != .walk ? .lostIncrements : .none
  }

  // MARK: - Actors

  private func makeActor(
    _ name: String, isFirst: Bool, _ entries: Int, _ guest: TrialGuest
  ) throws -> Actor {
    let hand = isFirst ? crew.first : crew.second
    func byHand(_ command: ChildProcess.Command) -> Actor {
      Actor(name: name, child: hand.child, command: command)
    }
    func byHolder(_ command: ChildProcess.Command) -> Actor {
      Actor(name: name, child: guest.holder.child, command: command)
    }
    switch name {
    case "writeback": return try writeback(isFirst: isFirst, entries, guest, byHand, byHolder)
    // The first writeback has put its entry at the tail: all come before it.
    case "shrinker": return byHand(Hand.walk(guest.group, max(1, entries), as: name))
    case "swapoff": return byHand(Hand.swapOff(guest.kind.swap, as: name))
    case "invalidate": return byHolder(PageHolder.free(setup.free, as: name))
    case "load": return byHolder(PageHolder.touch(setup.fault, as: name))
    case "store": return byHolder(PageHolder.recycle(as: name))
    case "fork": return byHolder(PageHolder.fork(as: name))
    case "pool": return byHand(Hand.setPool(1, as: name))
    case "cpu": return byHand(Hand.offlineCPU(as: name))
    case "memcg":
      let inode = try guest.group.inode
      try ControlGroup.addToRoot(guest.holder.pid)
      guest.groupIsGone = true
      return byHand(Hand.offlineMemcg(guest.group, inode: inode, as: name))
    default:
      throw SystemError(operation: "make actor", object: name, errno: .notSupported)
    }
  }

  private func writeback(
    isFirst: Bool, _ entries: Int, _ guest: TrialGuest,
    _ byHand: (ChildProcess.Command) -> Actor, _ byHolder: (ChildProcess.Command) -> Actor
  ) throws -> Actor {
    let name = "writeback"
    switch setup.via {
    // The one that is held is the only one that is looked at; a writeback that is
    // to come upon the other actor's slot looks at all.
    case .walk:
      return byHand(Hand.walk(guest.group, isFirst ? 1 : max(1, entries), as: name))
    case .shrinker:
      try Zswap.set("shrinker_enabled", "Y")
      return byHand(
        Hand.reclaim(guest.group, bytes: guest.kind.pages * PageStamp.size, as: name))
    case .limit:
      try guest.group.set("memory.zswap.max", "\(PageStamp.size)")
      return byHolder(PageHolder.overflow(as: name))
    case .pool:
      try Zswap.set("max_pool_percent", "0")
      return byHolder(PageHolder.overflow(as: name))
    }
  }

  /// Puts back what the actors have changed.
  private func undo(_ guest: TrialGuest) throws {
    if setup.failsPin { try HooksModule.failPin(of: nil) }
    if schedule.involves("cpu") { try SecondCPU.setOnline(true) }
    if schedule.involves("pool") { try crew.pool.first?.apply() }
    switch setup.via {
    case .walk: break
    case .shrinker: try Zswap.set("shrinker_enabled", "N")
    case .limit: try guest.group.set("memory.zswap.max", "max")
    case .pool: try Zswap.set("max_pool_percent", "20")
    }
  }

  // MARK: - Course

  /// Waits for the hold; ends also when the actor has returned without it.
  private func waitUntilHeld(_ actor: Actor, isWorker: Bool, _ guest: TrialGuest) throws {
    var watchdog = Watchdog()
    let began = MonotonicClock.milliseconds
    while try hooks.hold().state == .armed {
      let hasReturned = actor.poll(milliseconds: 1) != nil
      if hasReturned, !isWorker || MonotonicClock.milliseconds - began > 5000 { return }
      if watchdog.isStalled([actor.child.pid]) { return }
      if hasReturned { MonotonicClock.sleep(milliseconds: 1) }
      guest.beat()
    }
  }

  /// Until the hold has ended by what the second actor did, or that actor is
  /// known to wait, or has returned: then it is released, as nothing more would
  /// come.
  private func race(_ second: Actor, _ guest: TrialGuest) throws -> BlockedEvidence? {
    var detector = BlockedDetector()
    // It mostly comes through at once.
    for _ in 0..<4 {
      guard try hooks.hold().state == .held, second.poll(milliseconds: 1) == nil else { break }
    }
    while try hooks.hold().state == .held {
      if second.poll() != nil {
        if try hooks.hold().state == .held { try hooks.release() }
        return nil
      }
      if detector.observe(ProcessProbe(second.child.pid), diskIsBusy: Disk.isBusy) {
        let evidence = BlockedEvidence(
          actor: second.name, wchan: ProcessProbe(second.child.pid)?.wchan ?? "?",
          samples: detector.samples, stack: ProcessProbe.stack(second.child.pid))
        try hooks.release()
        return evidence
      }
      guest.beat()
      _ = second.poll(milliseconds: Int32(BlockedDetector.interval))
    }
    return nil
  }

  /// False if one of them stands still.
  private func awaitAll(_ actors: [Actor], _ guest: TrialGuest) -> Bool {
    var watchdog = Watchdog()
    while let running = actors.first(where: { $0.poll() == nil }) {
      if watchdog.isStalled(actors.filter { $0.poll() == nil }.map(\.child.pid)) { return false }
      guest.beat()
      _ = running.poll(milliseconds: 20)
    }
    return true
  }

  /// The shrink worker belongs to no actor: its writeback is over when the record
  /// says so.
  private func awaitWorker(_ guest: TrialGuest) throws {
    for _ in 0..<2500 {
      let events = try EventRecord(parsing: HooksModule.read("events")).events
      guard let release = events.last(where: { $0.kind == .release }) else { return }
      if events.contains(where: {
        $0.pid == release.pid && $0.point == .writebackDone && $0.sequence > release.sequence
      }) {
        return
      }
      guest.beat()
      MonotonicClock.sleep(milliseconds: 2)
    }
  }
}

/// The processes and choices that all trials of a guest share.
struct Crew {
  let first: Hand
  let second: Hand
  let swaps: SwapAreas
  /// The present pool and another; empty where there is no other.
  let pool: [Zswap.PoolChange]

  init(swaps: SwapAreas) throws(SystemError) {
    let pool = Zswap.poolChange() ?? []
    self.pool = pool
    self.swaps = swaps
    first = try Hand("actor-1", swaps: swaps.all, pool: pool)
    second = try Hand("actor-2", swaps: swaps.all, pool: pool)
  }
}
