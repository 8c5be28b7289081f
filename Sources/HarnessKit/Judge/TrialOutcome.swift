import GuestWire

/// How a trial's ordering came out. Read from the module's record alone.
public enum TrialOutcome: Hashable, Sendable {
  /// The awaited point was passed while the first actor was held.
  case interleaved
  /// It was passed only after the first actor had been let go.
  case excluded(ExclusionEvidence)
  /// The window was not entered, or nothing shows that it was.
  case notExercised(String)
  /// A stress: no ordering was asked for.
  case ran
}

/// What shows that the other actor could not go on, and did not merely dawdle.
public enum ExclusionEvidence: Hashable, Sendable {
  /// It was found in one sleep, sample after sample.
  case blocked(BlockedEvidence)
  /// It came to its end during the hold, by a way that does not pass the point.
  case returned(actor: String)
  /// Weaker: it was under way, and the hold's time ran out without it.
  case timeout

  /// What reports have behind "excluded": who slept where, who returned, or the timeout.
  public var description: String {
    switch self {
    case .blocked(let evidence): "\(evidence.actor) asleep in \(evidence.wchan)"
    case .returned(let actor): "\(actor) returned without it"
    case .timeout: "by timeout only"
    }
  }
}

extension TrialOutcome: CustomStringConvertible {
  public var description: String {
    switch self {
    case .interleaved: "interleaved"
    case .excluded(let evidence): "excluded (\(evidence.description))"
    case .notExercised(let reason): "not exercised: \(reason)"
    case .ran: "ran"
    }
  }
}

extension TrialOutcome: Codable {
  private enum State: String, Codable {
    case interleaved
    case excluded
    case notExercised = "not exercised"
    case ran
  }
  private enum CodingKeys: String, CodingKey { case state, evidence, blocked, actor, reason }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .interleaved: try container.encode(State.interleaved, forKey: .state)
    case .ran: try container.encode(State.ran, forKey: .state)
    case .notExercised(let reason):
      try container.encode(State.notExercised, forKey: .state)
      try container.encode(reason, forKey: .reason)
    case .excluded(.timeout):
      try container.encode(State.excluded, forKey: .state)
      try container.encode("timeout", forKey: .evidence)
    case .excluded(.returned(let actor)):
      try container.encode(State.excluded, forKey: .state)
      try container.encode("returned", forKey: .evidence)
      try container.encode(actor, forKey: .actor)
    case .excluded(.blocked(let evidence)):
      try container.encode(State.excluded, forKey: .state)
      try container.encode("blocked", forKey: .evidence)
      try container.encode(evidence, forKey: .blocked)
    }
  }

  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    switch try container.decode(State.self, forKey: .state) {
    case .interleaved: self = .interleaved
    case .ran: self = .ran
    case .notExercised: self = .notExercised(try container.decode(String.self, forKey: .reason))
    case .excluded:
      let evidence = try container.decodeIfPresent(BlockedEvidence.self, forKey: .blocked)
      let actor = try container.decodeIfPresent(String.self, forKey: .actor)
      self = .excluded(
        evidence.map { .blocked($0) } ?? actor.map { .returned(actor: $0) } ?? .timeout)
    }
  }
}

/// The ordering of one schedule trial, worked out from its events: of one constraint
/// after the other, until one did not come to pass.
struct Ordering {
  /// A constraint as the record shows it.
  struct Link {
    let constraint: Schedule.Constraint
    var hold: HookEvent?
    var release: HookEvent?
  }

  var outcome: TrialOutcome
  /// The report contradicts itself: the guest, or our agent in it, is not to
  /// be believed.
  var contradiction: String?
  /// Those that were looked at. The outcome is the last one's: all before it are
  /// interleaved.
  var links: [Link]

  var constraint: Schedule.Constraint { links[links.count - 1].constraint }
  var hold: HookEvent? { links[links.count - 1].hold }
  var release: HookEvent? { links[links.count - 1].release }

  init(of schedule: Schedule, in report: TrialReport) {
    outcome = .notExercised("")
    links = [Link(constraint: schedule.constraints[0])]
    guard let state = report.hold else {
      contradict("the report has no state of the hold")
      return
    }
    guard state.schedule == schedule else {
      contradict("the report is about the schedule “\(state.schedule)”")
      return
    }
    guard state.states.count == schedule.constraints.count else {
      contradict("\(state.states.count) states of \(schedule.constraints.count) constraints")
      return
    }
    let events = report.events
    if zip(events, events.dropFirst()).contains(where: { $0.sequence >= $1.sequence }) {
      contradict("the events are out of order")
      return
    }
    for (index, constraint) in schedule.constraints.enumerated() {
      if index > 0 { links.append(Link(constraint: constraint)) }
      let holds = events.filter { $0.kind == .hold && $0.point == constraint.hold }
      guard holds.count <= 1 else {
        contradict("\(holds.count) tasks were held by one constraint")
        return
      }
      decide(schedule, state, index, holds.first, report)
      guard outcome == .interleaved else { return }
    }
  }

  private mutating func contradict(_ what: String) {
    contradiction = what
    outcome = .notExercised("the report contradicts itself: \(what)")
  }

  private mutating func decide(
    _ schedule: Schedule, _ report: HoldReport, _ index: Int, _ held: HookEvent?,
    _ trial: TrialReport
  ) {
    let state = report.states[index]
    let until = constraint.until
    let awaited = trial.hits(of: until, inAnyTask: schedule.freesByExit(at: until))
    guard let held else {
      withoutHold(state, awaited, trial)
      return
    }
    if index > 0, let before = links[index - 1].hold {
      // It is the awaited point of the hold before it.
      guard held.sequence > before.sequence else {
        contradict("\(constraint.hold) was held before \(links[index - 1].constraint.hold)")
        return
      }
      guard held.concerns(before) else {
        outcome = .notExercised("\(constraint.hold) was held on another slot")
        return
      }
    }
    let passes = awaited.filter { $0.sequence > held.sequence && $0.concerns(held) }
    let release = trial.events.first {
      $0.kind == .release && $0.point == constraint.hold && $0.pid == held.pid
        && $0.sequence > held.sequence
    }
    links[index].hold = held
    links[index].release = release
    if state == .armed || state == .missed {
      contradict("a task was held, and the hold's state is \(state.rawValue)")
      return
    }
    guard let release else {
      outcome = .notExercised(
        trial.eventsDropped > 0
          ? "\(trial.eventsDropped) events were dropped, the end of the hold among them"
          : "the hold never ended")
      return
    }
    let during = passes.first { $0.sequence < release.sequence }
    let after = passes.first { $0.sequence > release.sequence }
    if (during != nil) != (state == .reached) {
      contradict(
        "\(until) was \(during == nil ? "not " : "")passed during the hold, whose state "
          + "is \(state.rawValue)")
      return
    }
    if during != nil {
      outcome = .interleaved
    } else {
      excluded(report, state, held, release, after, trial)
    }
  }

  private mutating func withoutHold(
    _ state: HoldReport.State, _ awaited: [HookEvent], _ report: TrialReport
  ) {
    switch state {
    case .armed, .released:
      let passed = report.events.first { $0.kind == .hit && $0.point == constraint.hold }
      outcome = .notExercised(
        passed.map {
          // The module holds nobody who has a lock, nor another process or slot than asked for.
          "\(constraint.hold) was passed by \($0.task), and nobody was held there: with a lock "
            + "held, by another process, or on another slot"
        } ?? "no task came to \(constraint.hold)")
    case .missed:
      guard !awaited.isEmpty || report.eventsDropped > 0 else {
        contradict("\(constraint.until) is said to have been passed, and no event shows it")
        return
      }
      outcome = .notExercised("\(constraint.until) was passed before any task could be held")
    case .held, .reached, .timeout:
      guard report.eventsDropped > 0 else {
        contradict("the hold's state is \(state.rawValue), and no event shows a held task")
        return
      }
      outcome = .notExercised(
        "\(report.eventsDropped) events were dropped, the hold among them")
    }
  }

  /// No hit of the awaited point between hold and release: what was it?
  private mutating func excluded(
    _ hold: HoldReport, _ state: HoldReport.State, _ held: HookEvent, _ release: HookEvent,
    _ after: HookEvent?, _ report: TrialReport
  ) {
    let other = constraint.until.actor
    let end = report.events.first {
      $0.kind == .hit && $0.point.rawValue == "\(other)@end" && $0.sequence > held.sequence
    }
    // Let go, it passes the point, or returns by a way on which that does not lie.
    guard let last = after ?? end else {
      outcome = .notExercised(
        report.eventsDropped > 0
          ? "\(report.eventsDropped) events were dropped, and none shows \(constraint.until)"
          : "\(constraint.until) was not passed, not even after the release")
      return
    }
    // "It did not happen" needs a record without gaps.
    let span = report.events.filter { (held.sequence...last.sequence).contains($0.sequence) }
    guard UInt64(span.count) == (last.sequence - held.sequence).addingSaturated(1) else {
      outcome = .notExercised("events are missing between the hold and \(last.point)")
      return
    }
    if let end, end.sequence < release.sequence {
      outcome = .excluded(.returned(actor: other))
      return
    }
    if let blocked = hold.blocked {
      guard blocked.actor == other else {
        contradict("the evidence is about \(blocked.actor), not about \(other)")
        return
      }
      guard blocked.samples >= 2 else {
        outcome = .notExercised("one look at \(other) does not show that it was blocked")
        return
      }
      outcome = .excluded(.blocked(blocked))
      return
    }
    guard state == .timeout else {
      outcome = .notExercised("\(held.task) was let go before anything showed \(other) blocked")
      return
    }
    let isUnderWay = report.events.contains {
      $0.kind == .hit && $0.pid == last.pid && $0.point.actor == other
        && $0.sequence < release.sequence
    }
    guard isUnderWay else {
      outcome = .notExercised("nothing shows that \(other) was under way during the hold")
      return
    }
    outcome = .excluded(.timeout)
  }
}

extension HookEvent {
  /// Whether a pass of another actor's point is on the slot of a held task:
  /// swapoff knows the type only, and sometimes not even that.
  fileprivate func concerns(_ held: HookEvent) -> Bool {
    guard let slot, let other = held.slot else { return true }
    return [point.actor, held.point.actor].contains("swapoff")
      ? slot.type == other.type : slot == other
  }
}

extension TrialReport {
  /// Hits of a point by the actor of that name. The agent's own swapoff, in
  /// tidying up, is not the one that a schedule awaits.
  func hits(of point: HookPoint, inAnyTask: Bool) -> [HookEvent] {
    let pids = Set(actors.filter { $0.name == point.actor }.map(\.pid))
    return events.filter {
      $0.kind == .hit && $0.point == point
        && (inAnyTask || pids.isEmpty || pids.contains($0.pid))
    }
  }
}

extension Schedule {
  /// The pages are freed by whoever drops the last reference on the mm of the task
  /// that exits: that may be somebody who was looking at it in /proc.
  fileprivate func freesByExit(at point: HookPoint) -> Bool {
    setup.free == .exit && point.actor == "invalidate"
  }
}
