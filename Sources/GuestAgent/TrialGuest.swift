import Glibc
import GuestWire
import SystemPackage

/// What trials set up and take down: swap on, a memcg, a process whose stamped
/// pages go into zswap. One trial after another goes on with it, each from an
/// empty zswap to an empty zswap, until one needs another set-up or has used
/// this one up.
final class TrialGuest {
  /// What has to be the same for a trial to go on with the set-up of the last.
  struct Kind: Equatable {
    var swap: Int
    var pages: Int
    var filler: Int
    var memory: TrialSetup.Pages
  }

  let kind: Kind
  let swapfile: Swapfile
  let group: ControlGroup
  let holder: PageHolder
  let firstTrial: Int
  /// The memcg has been removed by an actor.
  var groupIsGone = false
  /// No trial follows: the one that is under way ends with everything taken down.
  var isUsedUp = false
  /// No trial follows at all, in this guest and under this provider.
  private var isLastSetup = false
  /// The last trial left everything as a sound kernel leaves it.
  private(set) var isAtRest = false
  /// Of the trial under way.
  var clock = PhaseClock()
  private var rest: RestProbe
  private let channel: HostChannel
  /// Who swaps off at the end: what it meets may hang or kill it.
  private let hand: Hand
  private let bystander: Bystander
  private let helpers: [ChildProcess]
  private let pools: [[Zswap.PoolChange]]
  private var lastSwapoff: ActorReport?
  private var trials = 0

  /// Trials that share one set-up at the most: after exit and swapoff the rest is
  /// everybody's, and a leak has to be looked for among so many.
  private static let trialsLimit = 24

  init(
    _ kind: Kind, spec: TrialSpec, crew: Crew, channel: HostChannel
  ) throws {
    self.kind = kind
    swapfile = crew.swaps.all[kind.swap]
    hand = crew.hands[1]
    bystander = crew.bystander
    helpers = crew.hands.map(\.child) + [crew.bystander.child]
    pools = crew.pools
    self.channel = channel
    firstTrial = spec.index
    rest = try RestProbe { channel.beat() }
    try swapfile.swapOn()
    group = try ControlGroup.make(Int64(spec.index))
    holder = try PageHolder(
      pages: kind.pages, filler: kind.filler, kind: kind.memory, seed: spec.seed
    ) { channel.beat() }
    try group.add(holder.pid)
  }

  /// A trial that follows.
  enum Next {
    case sameSetup, otherSetup
  }

  func canTake(_ kind: Kind) -> Bool {
    self.kind == kind && !isUsedUp
  }

  /// From here on the trial's figures are compared.
  ///
  /// - Parameter next: what goes on afterwards; nil for nothing.
  func begin(next: Next?) throws(SystemError) {
    trials += 1
    isLastSetup = next == nil
    if next != .sameSetup || trials == Self.trialsLimit { isUsedUp = true }
    if try Swapfile.areasInUse() == 0 { try swapfile.swapOn() }
    try rest.begin()
  }

  func note(_ text: String) { channel.progress(text) }
  func beat() { channel.beat() }

  /// Gets every stamped page into zswap: by the owner itself, and what that
  /// leaves, by reclaim of the memcg.
  func pushOut() throws {
    defer { clock.lap("page out") }
    try holder.fill()
    for attempt in 0..<16 {
      if attempt > 0 { try RestProbe.drain() }
      // Reclaim takes other pages of the holder's too, and the pool would evict those
      // first.
      if attempt < 8 || !KernelTrait.has(.memcgLRU) {
        try holder.pageOut()
      } else {
        group.reclaim(bytes: kind.pages * PageStamp.size)
      }
      if try Zswap.counter("stored_pages") >= kind.pages { return }
    }
    let stored = try Zswap.counter("stored_pages")
    throw TrialError.notPushedOut(stored: stored, wanted: kind.pages)
  }

  /// Gets every stamped page into memory again.
  func bringBack() throws {
    try holder.bringBack()
    clock.lap("bring back")
  }

  /// Rewrites the pages and pages them out: those that the swap cache still has, to the
  /// slots that they have been stored at.
  func storeAgain(_ how: TrialSetup.Again) throws {
    defer { clock.lap("store again") }
    switch how {
    case .no: break
    case .stored: try holder.rewriteAndPageOut()
    case .rejected:
      try group.set("memory.zswap.max", "0")
      try holder.rewriteAndPageOut()
      try group.set("memory.zswap.max", "max")
    case .disabled:
      try Zswap.set("enabled", "0")
      try holder.rewriteAndPageOut()
      try Zswap.set("enabled", "1")
    }
  }

  /// Clears the referenced bits, zswap's second chance, by a walk of all entries:
  /// of all, and of no more, as those that it has rotated come again at the tail.
  /// There may be more than the stamped pages: reclaim pushes out what else the
  /// holder has.
  ///
  /// Nothing where entries have no such bit.
  ///
  /// - Returns: how many there were, and how many are left: a walk that writes back
  ///   an entry with its bit set has not given it its second chance.
  func clearReferenced() throws -> (before: Int, after: Int) {
    defer { clock.lap("clear referenced bits") }
    guard KernelTrait.has(.memcgLRU) else {
      // The pool gives no second chance.
      let count = Int(try Zswap.counter("stored_pages"))
      return (count, count)
    }
    let count = try lruLength()
    // Without that bit the walk would write all of them back.
    guard KernelTrait.has(.secondChance) else { return (count, count) }
    let isolated = count > 0 ? HooksModule.walk(group, count: count) : 0
    guard isolated >= 0 else {
      throw SystemError(
        operation: "walk the LRU of", object: group.name, errno: .init(rawValue: -isolated))
    }
    return (count, try lruLength())
  }

  private func lruLength() throws -> Int {
    Int(try HooksModule.lru()?.itemsOfMemcg[try group.inode] ?? 0)
  }

  /// Reads the pages back and measures what a trial leaves; takes everything down
  /// where the trial is the last with this set-up.
  ///
  /// What cannot be taken down is evidence too: the kernel may hang, or kill, the
  /// process that a leaked lock or a lost page is met by.
  func conclude(
    _ report: inout TrialReport, isStalled: Bool, tolerance: RestProbe.Tolerance,
    verify: () throws -> PageAudit?
  ) {
    isAtRest = false
    if isStalled {
      report.restSkipped = "an actor makes no progress"
      return
    }
    if report.actors.contains(where: \.wasKilled) {
      report.restSkipped = "an actor was killed in the kernel"
      return
    }
    report.restAbsent = KernelTrait.absentFigures
    if rest.hasOopsed {
      // The next fault may wait for a folio that the dead task has locked.
      report.restSkipped = "a task has oopsed: what it held stays held"
      return
    }
    var measured: [RestMeasurement] = []
    do {
      if let audit = try verify() { report.pages = audit }
      if holder.child.ending == nil { try holder.drop() }
      clock.lap("verify and drop pages")
      var result = try rest.settleTrial(groupIsGone ? nil : group, tolerance) {
        try swapOff()
      }
      clock.lap("rest")
      measured = result.measurements
      if isUsedUp, result.skipped == nil {
        report.restSince = firstTrial
        let end = try takeDown()
        result.measurements += end.measurements
        result.skipped = end.skipped
        result.isSettled = result.isSettled && end.isSettled
        clock.lap("take down")
      }
      isAtRest = result.isSettled
      report.rest = result.measurements
      report.restSkipped = result.skipped
    } catch {
      report.pages = holder.audit
      // What was measured before is so, whatever could not be done after it.
      report.rest = measured
      report.restSkipped = "\(error)"
      report.actors += badReports.filter { $0.pid != lastSwapoff?.pid }
      if let lastSwapoff { report.actors.append(lastSwapoff) }
    }
  }

  /// Those of its processes, beside the actors, that were killed or stand still.
  var badReports: [ActorReport] {
    ([holder.child] + helpers).compactMap(\.badReport)
  }

  /// Ends what the trials had.
  private func takeDown() throws -> RestProbe.Result {
    try holder.quit()
    let forbidden = isLastSetup ? try bystander.forbiddenWritebacks(swapfile, beat: beat) : nil
    let wrong =
      isLastSetup
      ? try bystander.roundTrips(through: pools, swapfile, beat: beat) : nil
    try swapOff()
    if forbidden != nil { try bystander.forgetForbidden(beat: beat) }
    var memcg: [RestMeasurement] = []
    if !groupIsGone {
      memcg = try RestProbe.settle(group, beat: beat)
      try group.remove()
    }
    var result = try rest.settle(memcg) { try bystander.charge(beat: beat) }
    for look in [forbidden, wrong].compactMap(\.self) {
      let measurement = look.measurement
      result.measurements.append(measurement)
      if look.isVacuous {
        result.skipped = result.skipped ?? "no page came into zswap for “\(measurement.name)”"
      } else {
        result.isSettled = result.isSettled && measurement.observed == measurement.expected
      }
    }
    // A pool that is never given up is so for all that follow: once is enough.
    if isLastSetup, result.isSettled, let pools = try RestProbe.settlePools(pools, beat: beat) {
      result.measurements.append(pools)
      result.isSettled = pools.observed == pools.expected
    }
    return result
  }

  private func swapOff() throws {
    guard try Swapfile.areasInUse() > 0 else { return }
    do {
      guard try hand.child.order(Hand.swapOff(kind.swap), beat: beat) == 0 else {
        throw TrialError.swapoffFails
      }
    } catch {
      lastSwapoff = hand.child.report(as: "swapoff-last")
      throw error
    }
  }
}

/// What keeps a trial from being run at all.
enum TrialError: Error, CustomStringConvertible {
  case notPushedOut(stored: Int64, wanted: Int)
  case swapoffFails

  var description: String {
    switch self {
    case .notPushedOut(let stored, let wanted):
      "only \(stored) of \(wanted) pages went into zswap"
    case .swapoffFails:
      "the last swapoff fails"
    }
  }
}

extension ActorReport {
  var wasKilled: Bool {
    if case .signalled = end { true } else { false }
  }
}
