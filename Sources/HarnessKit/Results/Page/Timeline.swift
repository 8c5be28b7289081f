import GuestWire

/// A trial's events, as its timeline shows them: who passed what when, who was held
/// and who slept meanwhile.
struct Timeline {
  struct Lane {
    /// Nil for tasks that are no actors of the trial.
    var pid: Int?
    var name: String
  }

  struct Entry {
    var event: HookEvent
    var lane: Int
    /// Since the trial's first event.
    var nanoseconds: UInt64
    /// It is about the schedule: its actors, and the held slot.
    var isNear: Bool
  }

  struct Hold {
    /// Positions in `entries`; the last one where the hold never ended.
    var begin: Int
    var end: Int
    var isReleased: Bool
  }

  private(set) var lanes: [Lane] = []
  private(set) var entries: [Entry] = []
  private(set) var holds: [Hold] = []
  /// The pass of the awaited point that decides, in `entries`.
  private(set) var awaited: Int?
  let blocked: BlockedEvidence?

  /// Lanes of tasks that are no actors; the rest of them shares one more.
  private static let otherLanes = 4
  private static let actorLanes = 12

  init(_ report: TrialReport, schedule: Schedule?) {
    blocked = report.hold?.blocked
    let events = report.events.sorted {
      ($0.nanoseconds, $0.sequence) < ($1.nanoseconds, $1.sequence)
    }
    guard let first = events.first else { return }
    for actor in report.actors.prefix(Self.actorLanes) {
      lanes.append(Lane(pid: actor.pid, name: actor.name))
    }
    // The first one that has a slot: a mark and swapoff's begin have none.
    let holdPoints = schedule?.constraints.map(\.hold) ?? []
    let held = events.first {
      $0.kind == .hold && $0.slot != nil && holdPoints.contains($0.point)
    }
    var otherByName: [String: Int] = [:]
    for event in events {
      let lane = lane(of: event, &otherByName)
      entries.append(
        Entry(
          event: event, lane: lane, nanoseconds: event.nanoseconds - first.nanoseconds,
          isNear: schedule.map { event.isNear($0, held) } ?? false))
    }
    findHolds()
    if let schedule { awaited = findAwaited(schedule, report) }
  }

  private mutating func lane(of event: HookEvent, _ others: inout [String: Int]) -> Int {
    if let lane = lanes.firstIndex(where: { $0.pid == event.pid }) { return lane }
    let name = others.count < Self.otherLanes ? event.task : "other tasks"
    if let lane = others[event.task] ?? others[name] { return lane }
    lanes.append(Lane(pid: nil, name: name))
    others[name] = lanes.count - 1
    return lanes.count - 1
  }

  private mutating func findHolds() {
    var open: [Int: Int] = [:]
    for (index, entry) in entries.enumerated() {
      if entry.event.kind == .hold {
        open[entry.event.pid] = index
      } else if entry.event.kind == .release, let begin = open.removeValue(forKey: entry.event.pid)
      {
        holds.append(Hold(begin: begin, end: index, isReleased: true))
      }
    }
    for begin in open.values {
      holds.append(Hold(begin: begin, end: entries.count - 1, isReleased: false))
    }
    holds.sort { $0.begin < $1.begin }
  }

  /// The first one after the hold began, by the actor that the schedule means; the
  /// first one of all where nothing was held.
  private func findAwaited(_ schedule: Schedule, _ report: TrialReport) -> Int? {
    let until = mainConstraint(schedule).until
    let pids = Set(report.actors.filter { $0.name == until.actor }.map(\.pid))
    let passes = entries.indices.filter { index in
      let event = entries[index].event
      return event.kind == .hit && event.point == until
        && (pids.isEmpty || pids.contains(event.pid))
    }
    guard let hold = mainHold(schedule) else { return passes.first }
    let after = passes.filter { $0 > hold.begin }
    return after.first { entries[$0].isNear } ?? after.first ?? passes.first
  }

  /// The last one of the chain that held anybody: the one that decides.
  private func mainConstraint(_ schedule: Schedule) -> Schedule.Constraint {
    schedule.constraints.last { constraint in
      holds.contains { entries[$0.begin].event.point == constraint.hold }
    } ?? schedule.lastConstraint
  }

  /// The hold that the schedule asks for.
  func mainHold(_ schedule: Schedule?) -> Hold? {
    let point = schedule.map { mainConstraint($0).hold }
    return holds.first { entries[$0.begin].event.point == point } ?? holds.first
  }

  /// The entries around the hold that are worth a drawing: what happened long before
  /// and long after is another slot's.
  func window(_ schedule: Schedule?) -> Range<Int> {
    let before = 24
    let after = 40
    guard let hold = mainHold(schedule) else { return 0..<min(entries.count, 120) }
    let begin = schedule?.points.count == 2 ? hold.begin : holds.map(\.begin).min() ?? hold.begin
    let start = max(0, min(begin, awaited ?? begin) - before)
    let done = entries.indices.first {
      $0 > hold.end && entries[$0].isNear && entries[$0].event.pid == entries[hold.begin].event.pid
    }
    let end = max(hold.end, awaited ?? 0, done ?? 0) + after
    return start..<min(entries.count, end)
  }
}

extension HookEvent {
  /// Whether it is about the schedule's actors and the held slot. swapoff knows a
  /// slot's type only.
  fileprivate func isNear(_ schedule: Schedule, _ held: HookEvent?) -> Bool {
    guard schedule.involves(point.actor) else {
      return kind != .hit && slot != nil && slot == held?.slot
    }
    return slot == nil || held?.slot == nil || slot == held?.slot || point.actor == "swapoff"
  }
}
