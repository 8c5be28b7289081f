import Glibc
import GuestWire
import SystemPackage

/// Steers a schedule's actors against each other.
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
    if let absent = whyAbsent { throw Unsupported("absent on this kernel: \(absent)") }
    if schedule.involves("pool"), crew.pool.isEmpty {
      throw Unsupported("this kernel has one compressor and one zpool: nothing to change to")
    }
    if schedule.involves("cpu"), !SecondCPU.canChange {
      throw Unsupported(SecondCPU.whyFixed)
    }
    let isFew = setup.via == .walk || pages <= SwapAreas.smallPages / 4
    var swap = isFew ? crew.swaps.small : crew.swaps.large
    if setup.swap == .brd {
      guard let brd = crew.swaps.brd else {
        throw Unsupported("this kernel has no brd: CONFIG_BLK_DEV_RAM")
      }
      swap = brd
    }
    return TrialGuest.Kind(
      swap: swap, pages: pages, filler: Self.filler, memory: setup.pages)
  }

  /// What the schedule needs that this kernel's zswap is made without.
  private var whyAbsent: String? {
    for point in schedule.points {
      if let why = hooks.absent[point.modulePoint] { return "\(point), as \(why)" }
    }
    guard !KernelTrait.has(.memcgLRU) else { return nil }
    guard Zswap.poolEvicts else { return "a zpool that evicts: CONFIG_ZBUD or CONFIG_Z3FOLD" }
    guard schedule.adapted(to: .pool) != schedule else { return nil }
    return schedule.involves("shrinker")
      ? "a second writeback, as one work item shrinks the pool"
      : "writeback of a memcg's own, as the zpool has the LRU: via=pool provokes one there"
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
    if setup.again != .no { try guest.bringBack() }
    var course = Course(trial: self, guest: guest, spec: spec)
    for name in schedule.actors { course.actors.append(try makeActor(name, entries, guest)) }
    if setup.failsPin {
      let failing = course.actors.first { $0.name == "writeback" } ?? course.actors[0]
      try HooksModule.failPin(of: failing.child.pid)
    }
    let blocked = try course.run()
    let isStalled = try !course.awaitAll()

    guest.clock.lap("returns")

    let holds = try hooks.holds()
    report.hold = HoldReport(
      schedule: schedule, state: holds.first?.state ?? .armed,
      later: schedule.points.count > 2
        ? schedule.constraints.indices.dropFirst().map {
          holds.indices.contains($0) ? holds[$0].state : .released
        } : nil,
      blocked: blocked)
    if schedule.involves("cpu") { report.keepsContext = HooksModule.keepsContext }
    report.actors = course.actors.map { $0.child.report(as: $0.name) }
    // What a dead task held stays held.
    let isWell = !isStalled && !report.actors.contains(where: \.wasKilled)
    if setup.again != .no, isWell { try guest.storeAgain(setup.again) }
    let record = try HooksModule.read("events")
    if let slot = holds.lazy.compactMap(\.slot).first, !isStalled, !guest.groupIsGone {
      report.place = try HooksModule.lru()?.place(of: slot, in: try guest.group.inode)
    }
    if isWell { try undo(guest) }
    guest.clock.lap("read the record")

    guest.conclude(&report, isStalled: isStalled, tolerance: tolerance) { () throws -> PageAudit? in
      // It has exited where that is how its pages are freed.
      if case .returned = guest.holder.child.ending { return nil }
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
          name: RestFigure.secondChance,
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
    _ name: String, _ entries: Int, _ guest: TrialGuest
  ) throws -> Actor {
    let position = schedule.actors.firstIndex(of: name) ?? 0
    let hand = crew.hands[position]
    func byHand(_ command: ChildProcess.Command) -> Actor {
      Actor(name: name, child: hand.child, command: command)
    }
    func byHolder(_ command: ChildProcess.Command) -> Actor {
      Actor(name: name, child: guest.holder.child, command: command)
    }
    switch name {
    case "writeback": return try writeback(entries, guest, byHand, byHolder)
    // The first writeback has put its entry at the tail: all come before it.
    case "shrinker": return byHand(Hand.walk(guest.group, max(1, entries), as: name))
    case "swapoff": return byHand(Hand.swapOff(guest.kind.swap, as: name))
    case "invalidate": return byHolder(PageHolder.free(setup.free, as: name))
    case "load": return byHolder(PageHolder.touch(setup.fault, as: name))
    case "store" where setup.again != .no:
      return byHand(Hand.pageOut(of: guest.holder, as: name))
    case "store":
      // What it compresses with is its CPU's.
      let cpu = schedule.involves("cpu") ? SecondCPU.number : nil
      return byHolder(PageHolder.recycle(onCPU: cpu, as: name))
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

  /// Whether the writeback is held before a point of another actor has told of a
  /// slot: then the first entry that it comes to is the one that the trial is about.
  private var writebackChoosesSlot: Bool {
    for point in schedule.points.dropLast() {
      if point.actor == "writeback" { return true }
      if !point.isMark, point.actor != "swapoff" { return false }
    }
    return false
  }

  private func writeback(
    _ entries: Int, _ guest: TrialGuest,
    _ byHand: (ChildProcess.Command) -> Actor, _ byHolder: (ChildProcess.Command) -> Actor
  ) throws -> Actor {
    let name = "writeback"
    switch setup.via {
    // A writeback that is to come upon another actor's slot looks at all.
    case .walk:
      return byHand(Hand.walk(guest.group, writebackChoosesSlot ? 1 : max(1, entries), as: name))
    case .shrinker:
      try Zswap.set("shrinker_enabled", "Y")
      return byHand(
        Hand.reclaim(guest.group, bytes: guest.kind.pages * PageStamp.size, as: name))
    case .limit:
      try guest.group.set("memory.zswap.max", "\(PageStamp.size)")
      return byHolder(PageHolder.overflow(as: name))
    case .pool:
      try Zswap.set("max_pool_percent", "0")
      return byHand(Hand.overflow(as: name))
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
    case .pool: try Zswap.set("max_pool_percent", Zswap.maxPoolPercent)
    }
  }

  /// The actors' course, from the first one's start to the last one's end.
  private struct Course {
    let trial: ScheduleTrial
    let guest: TrialGuest
    let spec: TrialSpec
    /// As in `schedule.actors`.
    var actors: [Actor] = []
    private var started = 0

    init(trial: ScheduleTrial, guest: TrialGuest, spec: TrialSpec) {
      self.trial = trial
      self.guest = guest
      self.spec = spec
    }

    private var schedule: Schedule { trial.schedule }
    private var hooks: HooksModule { trial.hooks }

    /// The global shrink worker is a kernel thread, and nobody's actor.
    private func isWorker(_ actor: String) -> Bool {
      trial.setup.via == .pool && actor == "writeback"
    }

    private func order(_ constraint: Schedule.Constraint) -> HooksModule.Order {
      // Who exits may have its pages freed by whoever was looking at it in /proc.
      let byAnybody =
        isWorker(constraint.until.actor)
        || trial.setup.free == .exit && constraint.until.actor == "invalidate"
      return HooksModule.Order(
        constraint: constraint,
        pid: isWorker(constraint.hold.actor) ? nil : actor(constraint.hold).child.pid,
        other: byAnybody ? nil : actor(constraint.until).child.pid)
    }

    private func actor(_ point: HookPoint) -> Actor {
      actors[schedule.actors.firstIndex(of: point.actor) ?? 0]
    }

    /// Runs them along the chain; as soon as one constraint does not come to pass, all
    /// holds end, and the others run freely.
    ///
    /// - Returns: what shows that an awaited actor could not go on.
    mutating func run() throws -> BlockedEvidence? {
      let orders = schedule.constraints.map(order)
      try hooks.clear()
      try arm(orders.prefix(1))
      guest.clock.lap("arm")
      try startNext()
      try waitUntilHeld(0, actors[0])
      if isWorker(actors[0].name) {
        // Else what the other actor stores would not be taken.
        try Zswap.set("max_pool_percent", Zswap.maxPoolPercent)
      }
      guest.clock.lap("until held")
      var blocked: BlockedEvidence?
      for index in orders.indices {
        let held = try hooks.holds()[index]
        guard held.state == .held else { break }
        // Only now is it known which slot the others are to meet; none of those has
        // started, or gone on, that could come to their points before.
        if index == 0 {
          // A swapoff has no slot to hand on, but that of its type's first page.
          let slot = orders[0].constraint.hold.actor == "swapoff" ? nil : held.slot
          try arm(
            orders.dropFirst().map { order in
              var order = order
              order.slot = slot
              return order
            })
        }
        let next = actor(schedule.points[index + 1])
        let isNew = schedule.actors.firstIndex(of: next.name) == started
        if isNew {
          try settle(except: index)
          try startNext()
        }
        blocked = try race(next, index)
        if orders.indices.contains(index + 1) { try waitForNext(index + 1, next) }
      }
      // Also where all have started: one may be on its way to a later hold still, which nobody
      // would end.
      if orders.count > 1 { try hooks.release() }
      while started < actors.count { try startNext() }
      guest.clock.lap("race")
      return blocked
    }

    private func arm(_ orders: some Sequence<HooksModule.Order>) throws(SystemError) {
      try hooks.arm(Array(orders), timeoutMilliseconds: spec.holdTimeoutMilliseconds)
    }

    private mutating func startNext() throws(SystemError) {
      try actors[started].start()
      started += 1
    }

    private func state(_ index: Int) throws -> HoldReport.State {
      let holds = try hooks.holds()
      return holds.indices.contains(index) ? holds[index].state : .armed
    }

    /// The shrink worker belongs to nobody who could be seen to go on: it has the hold's
    /// time to come to its point, which is longer on a slower kernel.
    private var workerLimit: UInt64 { UInt64(spec.holdTimeoutMilliseconds) }

    /// Waits for a hold; ends also when the actor has returned without it.
    private func waitUntilHeld(_ index: Int, _ actor: Actor) throws {
      var watchdog = Watchdog()
      let began = MonotonicClock.milliseconds
      while try state(index) == .armed {
        let hasReturned = actor.poll(milliseconds: 1) != nil
        if hasReturned,
          !isWorker(actor.name) || MonotonicClock.milliseconds - began > workerLimit
        {
          return
        }
        if watchdog.isStalled([actor.child.pid]) { return }
        if hasReturned { MonotonicClock.sleep(milliseconds: 1) }
        guest.beat()
      }
    }

    /// The awaited point and the next hold's are one: who has passed it is about to
    /// sleep there, unless it was the wrong slot.
    private func waitForNext(_ index: Int, _ actor: Actor) throws {
      guard try state(index - 1) == .reached else { return }
      try waitUntilHeld(index, actor)
    }

    /// Waits until whoever has been let go has come to its end, or to a sleep that
    /// another has to end: the next actor comes when nothing else moves.
    private func settle(except index: Int) throws {
      for actor in actors.prefix(started) where actor.name != schedule.points[index].actor {
        var detector = BlockedDetector()
        while try state(index) == .held, actor.poll(milliseconds: 1) == nil {
          if detector.observe(ProcessProbe(actor.child.pid), diskIsBusy: Disk.isBusy) { break }
          guest.beat()
          _ = actor.poll(milliseconds: Int32(BlockedDetector.interval))
        }
      }
    }

    /// Until the hold has ended by what the awaited actor did, or that actor is
    /// known to wait, or has returned: then all are released, as nothing more would
    /// come.
    private func race(_ awaited: Actor, _ index: Int) throws -> BlockedEvidence? {
      var detector = BlockedDetector()
      // It mostly comes through at once.
      for _ in 0..<4 {
        guard try state(index) == .held, awaited.poll(milliseconds: 1) == nil else { break }
      }
      while try state(index) == .held {
        // The worker's part goes on after what set it off has returned.
        if awaited.poll() != nil, !isWorker(awaited.name) {
          if try state(index) == .held { try hooks.release() }
          return nil
        }
        if detector.observe(ProcessProbe(awaited.child.pid), diskIsBusy: Disk.isBusy) {
          let evidence = BlockedEvidence(
            actor: awaited.name, wchan: ProcessProbe(awaited.child.pid)?.wchan ?? "?",
            samples: detector.samples, stack: ProcessProbe.stackOfWait(awaited.child.pid))
          try hooks.release()
          return evidence
        }
        guest.beat()
        _ = awaited.poll(milliseconds: Int32(BlockedDetector.interval))
      }
      return nil
    }

    /// False if one of them stands still.
    func awaitAll() throws -> Bool {
      var watchdog = Watchdog()
      while let running = actors.first(where: { $0.poll() == nil }) {
        if watchdog.isStalled(actors.filter { $0.poll() == nil }.map(\.child.pid)) { return false }
        guest.beat()
        _ = running.poll(milliseconds: 20)
      }
      if schedule.involves("writeback"), isWorker("writeback") { try awaitWorker() }
      return true
    }

    /// The shrink worker belongs to no actor: its writeback is over when the record
    /// says so.
    private func awaitWorker() throws {
      for _ in 0..<2500 {
        let events = try EventRecord(parsing: HooksModule.read("events")).events
        // It may not have got up yet, so that there is a hold and no release.
        guard
          let hold = events.last(where: { $0.kind == .hold && $0.point.actor == "writeback" })
        else { return }
        // An oops is the end of the task.
        guard ProcessProbe(pid_t(hold.pid)) != nil else { return }
        if events.contains(where: {
          $0.pid == hold.pid && $0.point == .writebackDone && $0.sequence > hold.sequence
        }) {
          return
        }
        guest.beat()
        MonotonicClock.sleep(milliseconds: 2)
      }
    }
  }
}

/// The processes and choices that all trials of a guest share.
struct Crew {
  /// As many as a schedule may have actors.
  let hands: [Hand]
  let bystander: Bystander
  let swaps: SwapAreas
  /// Ways to make another pool, each with the way back before it.
  let pools: [[Zswap.PoolChange]]
  /// The present pool and another; empty where there is no other.
  var pool: [Zswap.PoolChange] { pools.first ?? [] }

  init(swaps: SwapAreas) throws(SystemError) {
    pools = Zswap.poolChanges()
    let pool = pools.first ?? []
    self.swaps = swaps
    var hands: [Hand] = []
    for number in 1...Schedule.actorsLimit {
      hands.append(try Hand("actor-\(number)", swaps: swaps.all, pool: pool))
    }
    self.hands = hands
    bystander = try Bystander()
  }
}
