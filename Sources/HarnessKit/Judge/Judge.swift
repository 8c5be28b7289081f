import GuestWire

/// Decides what a trial's facts mean. Pure: the same facts, the same judgement.
///
/// It is built to doubt. A trial passes only if everything that it was to show
/// is there to be seen; an absent measurement, an audit of no page, an event
/// that was dropped are reasons against a pass, never for one.
struct Judge {
  private let spec: TrialSpec
  private let report: TrialReport
  private let splats: [Splat]
  private let notices: [ConsoleNotice]
  private let rule: ScheduleRule?
  /// Nil for a stress.
  private let ordering: Ordering?
  private var judgement: TrialJudgement
  /// The rule was seen to hold, in each part.
  private var ruleHeld = false
  private var restMeasured = false

  /// - Parameters:
  ///   - splats: what the console said from the trial's start to the next one's.
  ///   - notices: likewise; they explain, and accuse nobody.
  ///   - isCut: the console ends before the trial does.
  static func judge(
    spec: TrialSpec, report: TrialReport, splats: [Splat], notices: [ConsoleNotice] = [],
    isCut: Bool = false
  ) -> TrialJudgement {
    var judge = Judge(spec: spec, report: report, splats: splats, notices: notices)
    if isCut {
      judge.doubt("the console ends before the trial does: a report may be missing from it")
    }
    judge.run()
    return judge.judgement
  }

  /// What a trial's notes say whose order nobody has foretold.
  static let noRule = "no rule says how this schedule has to come out"

  /// A trial without a report.
  static func unreported(spec: TrialSpec, splats: [Splat], why: String) -> TrialJudgement {
    let outcome = TrialOutcome.notExercised(why)
    var judge = Judge(
      spec: spec, report: TrialReport(index: spec.index), splats: splats, notices: [])
    judge.judgement.outcome = outcome
    judge.judgeSplats()
    judge.judgement.reasons.append(why)
    judge.check()
    return judge.judgement
  }

  /// Reports that belong to no trial: of the boot, of the shutdown.
  ///
  /// - Parameter isEmulated: on TCG; see `Splat.emulationError`.
  static func stray(
    _ splats: [Splat], isEmulated: Bool = false
  ) -> (findings: [Finding], failures: [HarnessFailure]) {
    var findings: [Finding] = []
    var failures: [HarnessFailure] = []
    for splat in splats {
      if splat.inHarnessModule {
        failures.append(ourFault(splat))
      } else if isEmulated, let why = splat.emulationError {
        failures.append(
          HarnessFailure(
            .harness,
            "“\(splat.title)” outside of trials, \(why)\nRun it again, or with "
              + "--accelerator kvm: a kernel that really does this does it again."))
      } else {
        findings.append(finding(splat, claims: [], schedule: nil, trial: nil))
      }
    }
    return (findings.unique, failures)
  }

  private init(
    spec: TrialSpec, report: TrialReport, splats: [Splat], notices: [ConsoleNotice]
  ) {
    self.spec = spec
    self.report = report
    self.splats = splats
    self.notices = notices
    rule = spec.schedule.flatMap { ScheduleRule.rule(for: $0, on: spec.lru) }
    ordering = spec.schedule.map { Ordering(of: $0, in: report) }
    judgement = TrialJudgement(spec: spec, outcome: .ran)
  }

  private mutating func run() {
    guard report.index == spec.index else {
      let why = "the report is about trial \(report.index), not \(spec.index)"
      judgement.outcome = .notExercised(why)
      fail(why)
      judgeSplats()
      check()
      return
    }
    if report.hold == nil, spec.schedule != nil || report.actors.isEmpty,
      let why = report.restSkipped
    {
      // It was not begun: this guest cannot make it, or who was to was killed or stands still.
      judgement.outcome = .notExercised(why)
      doubt(why)
      judgeSplats()
      for actor in report.actors { judgeEnd(of: actor) }
      judgeNotices()
      check()
      return
    }
    judgeSplats()
    judgeActors()
    judgeOrdering()
    judgeWalks()
    judgeLimit()
    judgeSecondStore()
    judgePages()
    judgeRest()
    judgeCounts()
    judgeNotices()
    judgement.findings = judgement.findings.unique
    check()
  }

  // MARK: - Splats

  private mutating func judgeSplats() {
    for splat in splats {
      if splat.inHarnessModule {
        judgement.failures.append(Judge.ourFault(splat))
      } else if isWaitForOurHold(splat) {
        judgement.notes.append("\(splat.title): it waited for the held task, as it was to")
      } else {
        judgement.findings.append(
          Judge.finding(
            splat, claims: rule?.claims ?? [], schedule: spec.schedule, trial: spec.index))
      }
    }
  }

  /// The hung-task detector, set to less than the hold's time, also reports the
  /// actor that a sound kernel makes wait.
  private func isWaitForOurHold(_ splat: Splat) -> Bool {
    guard splat.kind == .hungTask, let seconds = splat.seconds, let ordering,
      case .excluded = ordering.outcome, let hold = ordering.hold, let release = ordering.release,
      report.actors.contains(where: {
        $0.name != ordering.constraint.hold.actor && $0.pid == splat.pid
      })
    else { return false }
    let margin = 0.5
    return Double(hold.nanoseconds) / 1e9 - margin <= seconds
      && seconds <= Double(release.nanoseconds) / 1e9 + margin
  }

  private static func ourFault(_ splat: Splat) -> HarnessFailure {
    HarnessFailure(.harness, "the harness's own module: \(splat.title)")
  }

  private static func finding(
    _ splat: Splat, claims: [Claim], schedule: Schedule?, trial: Int?
  ) -> Finding {
    let task = splat.task.map { "task \($0)" } ?? "an unknown task"
    let time = splat.seconds.map { " at \($0) s" } ?? ""
    return Finding(
      kind: .splat, title: splat.title, fingerprint: splat.fingerprint,
      details: "\(splat.kind.rawValue) report by \(task)\(time)", excerpt: splat.excerpt,
      frames: splat.meaningfulFrames, claims: splat.isRaceElsewhere ? [] : claims,
      schedule: schedule, trial: trial, known: splat.isRaceElsewhere ? .raceElsewhere : nil)
  }

  // MARK: - Actors

  private mutating func judgeActors() {
    if report.actors.isEmpty { fail("the report names no actor") }
    if let schedule = spec.schedule {
      for name in schedule.actors
      where !report.actors.contains(where: { $0.name == name }) {
        fail("the report does not say what became of \(name)")
      }
    }
    for actor in report.actors { judgeEnd(of: actor) }
  }

  private mutating func judgeEnd(of actor: ActorReport) {
    switch actor.end {
    case .returned(let errno): returned(actor, errno)
    case .signalled(let signal): signalled(actor, signal)
    case .stalled(let wchan, let stack): stalled(actor, wchan, stack)
    }
  }

  private mutating func returned(_ actor: ActorReport, _ number: Int32) {
    guard number != 0 else { return }
    let name = GuestErrno.name(of: number)
    guard ["swapoff", "swapoff-last"].contains(actor.name) else {
      if spec.schedule == nil {
        doubt("\(actor.name) ended the stress early: \(name)")
      } else if ["writeback", "shrinker"].contains(actor.name) {
        // What the write to the module's file returns says less than
        // writeback@done does.
        judgement.notes.append("\(actor.name) returned \(name)")
      } else {
        fail("\(actor.name) could not do what it was to: \(name)")
      }
      return
    }
    switch GuestErrno(rawValue: number) {
    case .noMemory:
      doubt("swapoff found no memory to bring the pages back (ENOMEM)")
    case .interrupted:
      doubt("swapoff was interrupted (EINTR)")
    case .notPermitted, .noEntry, .accessDenied, .badAddress, .busy, .noDevice, .invalid,
      .noSystemCall:
      // The answers to a call that was wrong: not this file, not root, not active.
      fail("swapoff was called wrongly: \(name)")
    case .inputOutput, .exists, nil:
      add(
        .claim, "swapoff fails with \(name)", "swapoff of a sound device returned \(name)")
    }
  }

  private mutating func signalled(_ actor: ActorReport, _ signal: Int32) {
    let title = "\(actor.name) killed by signal \(signal)"
    if hasOwnSplat {
      judgement.notes.append("\(title), after our own module's report")
    } else if hasKernelSplat {
      judgement.notes.append("\(title), after the kernel's report")
    } else if notices.contains(where: { $0.kind == .oomKill }) {
      doubt("\(title), with the OOM killer at work")
    } else {
      add(.killed, "\(actor.name) killed", "\(title); nothing on the console says why")
    }
  }

  private mutating func stalled(_ actor: ActorReport, _ wchan: String, _ stack: [String]) {
    let frames = stack.compactMap(StackFrame.init(stackLine:))
    let place = StackFrame(function: wchan)
    let details =
      "\(actor.name) (pid \(actor.pid)) asleep in \(wchan)"
      + (stack.isEmpty ? "" : ": " + stack.joined(separator: ", "))
    if let innermost = frames.first(where: { !$0.isGeneric }) ?? (frames.isEmpty ? place : nil),
      innermost.isHarness
    {
      fail("\(details): held by the harness's module, which never let go")
    } else if hasOwnSplat {
      judgement.notes.append("\(details), after our own module's report")
    } else if report.hold?.states.contains(.held) == true {
      fail("\(details), with a task that the harness's module still holds")
    } else if hasKernelSplat {
      judgement.notes.append("\(details), after the kernel's report")
    } else {
      let telling = frames.filter { !$0.isGeneric && !$0.isHarness }.prefix(3).map(\.function)
      var finding = newFinding(.stall, "\(actor.name) stalled in \(wchan.stable)", details)
      finding.fingerprint = Fingerprint.of(["stall", actor.name, wchan] + telling)
      finding.frames = frames
      judgement.findings.append(finding)
    }
  }

  /// The failure of ours that it is stands by itself; what comes of it accuses nobody else.
  private var hasOwnSplat: Bool { splats.contains(where: \.inHarnessModule) }

  private var hasKernelSplat: Bool {
    splats.contains { !$0.inHarnessModule && !$0.isRaceElsewhere && !isWaitForOurHold($0) }
  }

  // MARK: - Ordering

  private mutating func judgeOrdering() {
    guard let ordering else { return }
    judgement.outcome = ordering.outcome
    if let contradiction = ordering.contradiction {
      fail("the report contradicts itself: \(contradiction)")
      return
    }
    if case .notExercised(let reason) = ordering.outcome {
      doubt(reason)
      return
    }
    guard let rule else {
      if case .excluded(.timeout) = ordering.outcome {
        doubt("\(ordering.constraint.until) was excluded by timeout only")
      }
      judgement.notes.append(Judge.noRule)
      return
    }
    if let hold = ordering.hold, ordering.release != nil { apply(rule, to: ordering, hold) }
  }

  private mutating func apply(_ rule: ScheduleRule, to ordering: Ordering, _ hold: HookEvent) {
    let order = ordering.constraint
    // What leads up to the rule's constraint has to come to pass.
    var expected = order == rule.schedule.lastConstraint ? rule.ordering : .possible
    if rule.isOfContext, report.keepsContext == true { expected = .possible }
    if case .waits = expected, rule.isOfContext, hold.cpu != HookEvent.hotplugCPU {
      doubt("\(order.hold) was held on CPU \(hold.cpu), which stays: it is in nobody's way")
      return
    }
    switch (expected, ordering.outcome) {
    case (_, .notExercised), (_, .ran): return
    case (_, .excluded(.timeout)):
      doubt(
        expected == .possible
          ? "\(order.until) did not come within the hold's time, which may be too short"
          : "\(order.until) was excluded by timeout only: nothing shows what it waited for")
      return
    case (.possible, .interleaved), (.either, .interleaved),
      (.avoids, .excluded(.returned)), (.either, .excluded(.returned)):
      break
    case (.waits(let places), .excluded(.blocked(let evidence))):
      guard waitIsTheRules(order, places, evidence) else { return }
    case (.waits, .interleaved), (.avoids, .interleaved):
      // Where ftrace has it, it is passed on the way back as well: kmod/provider_ftrace.c.
      let unused = HookPoint.known("swapoff@unused")
      if spec.provider == .ftrace, order.hold == unused || order.until == unused,
        let why = whyGivenUp("swapoff")
      {
        doubt("swapoff gave up with \(why), and passed \(unused) on its way back")
        return
      }
      add(
        .claim, "\(order.until) passed while \(order.hold) was held",
        "a sound kernel excludes it: \(rule.reason)")
      return
    case (_, .excluded(.blocked(let evidence))):
      // Our own hold may be what it waits for, in a grace period.
      if evidence.isInGracePeriod {
        fail("the hold itself closes the window: \(evidence.actor) waits in \(evidence.wchan)")
      } else {
        add(
          .claim, "\(order.until) waits for \(order.hold)",
          "\(evidence.actor) was asleep in \(evidence.wchan); \(rule.reason)")
      }
      return
    case (.possible, .excluded(.returned(let actor))), (.waits, .excluded(.returned(let actor))):
      // Who gave up for a reason of its own may never have come so far.
      if let why = whyGivenUp(actor) {
        doubt("\(actor) gave up with \(why), and never came to \(order.until)")
        return
      }
      add(
        .claim, "\(actor) returns without \(order.until)",
        "with \(order.hold) held: \(rule.reason)")
      return
    }
    let isSound = resultIsSound(rule, hold)
    let areOthersSound = otherResultsAreSound(rule, hold)
    ruleHeld =
      isSound && areOthersSound && isRotated(rule, hold) && firstIsWhereItBelongs(rule, ordering)
  }

  /// The error by which an actor ended that says nothing of what it is steered against:
  /// swapoff's want of memory, and what a walk is refused with.
  private func whyGivenUp(_ name: String) -> String? {
    guard let actor = report.actors.first(where: { $0.name == name }),
      case .returned(let errno) = actor.end, errno != 0
    else { return nil }
    let reasons: Set<GuestErrno> =
      switch name {
      case "swapoff": [.noMemory, .interrupted]
      case "writeback", "shrinker": [.noMemory, .interrupted, .noEntry, .invalid]
      default: []
      }
    return GuestErrno(rawValue: errno).flatMap { reasons.contains($0) ? $0.symbol : nil }
  }

  /// Of three actors: the first, let go, has come to its end before the last one
  /// begins, or sleeps until the second goes on. Otherwise the window that the rule is
  /// about was not the one that was open.
  private mutating func firstIsWhereItBelongs(_ rule: ScheduleRule, _ ordering: Ordering) -> Bool {
    guard rule.first != .either, let release = ordering.release else { return true }
    let first = rule.schedule.hold.actor
    let last = ordering.constraint.until.actor
    func mark(_ actor: String, _ place: String) -> HookEvent? {
      let pids = report.actors.filter { $0.name == actor }.map(\.pid)
      return report.events.first {
        $0.kind == .hit && $0.point.rawValue == "\(actor)@\(place)" && pids.contains($0.pid)
      }
    }
    let end = mark(first, "end")
    if rule.first == .sleeps {
      guard let end, end.sequence < release.sequence else { return true }
      doubt("\(first) did not wait for \(ordering.constraint.hold)")
      return false
    }
    guard let end, let begin = mark(last, "begin"), end.sequence < begin.sequence else {
      doubt("\(first) had not come to its end when \(last) began")
      return false
    }
    return true
  }

  /// It has to wait for what the rule says: a swapoff that waits for anything
  /// else shows nothing about the folio.
  private mutating func waitIsTheRules(
    _ order: Schedule.Constraint, _ expected: [String], _ blocked: BlockedEvidence
  ) -> Bool {
    let places = ([blocked.wchan] + blocked.stack).map(\.trimmed)
      .filter { !$0.isEmpty && $0 != "0" && $0 != "-" }
    if places.isEmpty {
      judgement.notes.append("this kernel does not tell where \(blocked.actor) waited")
      return true
    }
    // It sleeps in the same function for a page's I/O as for its lock.
    let isForIO = places.contains { $0.contains("folio_wait_writeback") }
    if !isForIO, places.contains(where: { place in expected.contains { place.contains($0) } }) {
      return true
    }
    doubt(
      "\(blocked.actor) waited in \(blocked.wchan), which is not the wait that keeps it from "
        + "\(order.until)")
    return false
  }

  /// The result that the held writeback came back with.
  private mutating func resultIsSound(_ rule: ScheduleRule, _ hold: HookEvent) -> Bool {
    guard let results = rule.results else { return true }
    let actor = hold.point.actor
    let done = report.events.last {
      $0.kind == .hit && $0.point.rawValue == "\(actor)@done" && $0.pid == hold.pid
        && $0.slot == hold.slot
    }
    guard let done else {
      doubt(
        report.eventsDropped > 0
          ? "\(report.eventsDropped) events were dropped, \(actor)@done of the held slot "
            + "perhaps among them"
          : "the held \(actor) has no \(actor)@done")
      return false
    }
    return isSound(done, "\(actor) held at \(hold.point)", results, rule)
  }

  /// The other writeback's, where it came to the same slot.
  private mutating func otherResultsAreSound(_ rule: ScheduleRule, _ hold: HookEvent) -> Bool {
    guard let results = rule.otherResults else { return true }
    let others = rule.schedule.actors.filter {
      $0 != hold.point.actor && ["writeback", "shrinker"].contains($0)
    }
    // Of each the first: reclaim that goes on may store the page again, and write that back.
    let done = others.compactMap { actor in
      report.events.first { event in
        event.kind == .hit && event.slot == hold.slot && event.point.place == "done"
          && event.point.actor == actor && event.sequence > hold.sequence
      }
    }
    return done.allSatisfy {
      isSound($0, "\($0.point.actor) beside \(hold.point)", results, rule)
    }
  }

  private mutating func isSound(
    _ done: HookEvent, _ who: String, _ results: Set<Int>, _ rule: ScheduleRule
  ) -> Bool {
    if results.contains(done.result) { return true }
    let expected = results.sorted(by: >).map(GuestErrno.name(ofResult:)).joined(separator: " or ")
    add(
      .claim, "\(who) returns \(GuestErrno.name(ofResult: done.result))",
      "after \(rule.schedule.lastConstraint.until), \(expected) is sound: \(rule.reason)")
    return false
  }

  /// S6: a second reclaimer meets the held writeback's entry last, as that was
  /// rotated before the lock was dropped.
  private mutating func isRotated(_ rule: ScheduleRule, _ hold: HookEvent) -> Bool {
    // A third actor may have taken all other entries off the LRU.
    guard rule.schedule.points.count == 2, rule.schedule.hold.actor == "writeback",
      rule.schedule.until.actor == "shrinker"
    else { return true }
    let met = report.events.filter {
      $0.kind == .hit && $0.point.rawValue == "shrinker@isolated" && $0.sequence > hold.sequence
    }
    guard let first = met.first else {
      // The awaited point itself may be one before the first entry is met.
      guard rule.schedule.until.place != "begin" else { return true }
      doubt("the second reclaimer met no entry")
      return false
    }
    guard let slot = hold.slot else {
      doubt("nothing says which slot was held")
      return false
    }
    guard first.slot == slot else { return true }
    let others = Set(met.compactMap(\.slot)).count - 1
    guard others > 0 else {
      // Of one entry, the tail is the head.
      doubt("the second reclaimer met no other entry than the one that is being written back")
      return false
    }
    var finding = newFinding(
      .claim, "a second reclaimer meets the entry that is being written back first",
      "slot \(slot) of \(others + 1) that it met: the entry was not rotated before the lock was "
        + "dropped")
    finding.claims = [.s6]
    judgement.findings.append(finding)
    return false
  }

  // MARK: - Walks

  /// S8: of what the callback returns, the walk counts LRU_REMOVED_RETRY as isolated
  /// and LRU_RETRY not: __list_lru_walk_one(). So it counts exactly the writebacks
  /// that returned 0; shrink_memcg() tells the store that waits for room by it.
  private mutating func judgeWalks() {
    guard let schedule = spec.schedule, report.eventsDropped == 0 else { return }
    for name in ["writeback", "shrinker"] where schedule.involves(name) {
      // By another way it is not the actor that walks.
      guard name == "shrinker" || schedule.setup.via == .walk,
        let begin = report.events.first(where: { $0.point.rawValue == "\(name)@begin" }),
        let end = report.events.last(where: {
          // A release, of who was held at its end, has a result of its own.
          $0.kind == .hit && $0.point.rawValue == "\(name)@end" && $0.pid == begin.pid
        }), end.result >= 0
      else { continue }
      let done = report.events.filter {
        $0.kind == .hit && $0.point.rawValue == "\(name)@done" && $0.pid == begin.pid
          && (begin.sequence...max(begin.sequence, end.sequence)).contains($0.sequence)
      }
      let writtenBack = done.count { $0.result == 0 }
      guard end.result != writtenBack else { continue }
      if done.isEmpty {
        doubt("\(name) counted \(end.result) entries as isolated, and passed no \(name)@done")
        continue
      }
      var finding = newFinding(
        .claim, "\(name)'s walk miscounts what it has written back",
        "\(end.result) counted as isolated, \(writtenBack) of \(done.count) written back")
      finding.claims = [.s8]
      judgement.findings.append(finding)
    }
  }

  // MARK: - Limit

  /// A store that its memcg has no room for makes some, in that memcg's own list:
  /// zswap_store() calls shrink_memcg() with it. The entries there have all had their
  /// second chance before.
  private mutating func judgeLimit() {
    guard let schedule = spec.schedule, schedule.setup.via == .limit, report.eventsDropped == 0,
      let actor = report.actors.first(where: { $0.name == "writeback" })
    else { return }
    let own = report.events.filter { $0.kind == .hit && $0.pid == actor.pid }
    guard let enter = own.first(where: { $0.point.rawValue == "store@enter" }),
      let done = own.first(where: {
        $0.point.rawValue == "store@done" && $0.sequence > enter.sequence
      }),
      !own.contains(where: {
        $0.point.rawValue == "writeback@isolated"
          && (enter.sequence...done.sequence).contains($0.sequence)
      })
    else { return }
    var finding = newFinding(
      .claim, "a store beyond memory.zswap.max writes nothing back",
      "zswap_store() returned \(done.result), and met no entry of its memcg")
    finding.claims = []
    judgement.findings.append(finding)
  }

  // MARK: - A second store

  /// A page that left its slot in between was not stored twice at one.
  private mutating func judgeSecondStore() {
    guard let schedule = spec.schedule, schedule.setup.again != .no,
      let hold = report.events.first(where: { $0.kind == .hold })
    else { return }
    let again = report.events.contains {
      $0.kind == .hit && $0.point == .known("store@enter") && $0.slot == hold.slot
        && $0.sequence > hold.sequence
    }
    if !again { doubt("the page was not stored a second time at its slot") }
  }

  // MARK: - Data

  private mutating func judgePages() {
    let pages = report.pages
    let classes: [(Finding.Kind, String, UInt64)] = [
      (.staleData, "an older generation of the page came back", pages.stale),
      (.foreignData, "another page's data came back", pages.foreign),
      (.lostData, "a page came back empty", pages.lost),
      (.corruptData, "a page came back corrupt", pages.corrupt),
    ]
    for (kind, title, count) in classes where count > 0 {
      add(
        kind, title,
        "\(count) of \(pages.checked) pages: " + pages.samples.prefix(8).joined(separator: "; "))
    }
    let sum = [pages.intact, pages.stale, pages.foreign, pages.lost, pages.corrupt]
      .reduce(UInt64(0)) { $0.addingReportingOverflow($1).partialValue }
    // Who dies of a page has not said what was in it.
    let diedOfOne = report.actors.contains { $0.name == "page-holder" }
    if sum != pages.checked, !(diedOfOne && sum &+ 1 == pages.checked) {
      fail("the page audit does not add up: \(sum) classified of \(pages.checked) checked")
    } else if pages.checked == 0, spec.workload.map({ $0 != .reclaim }) == true {
      judgement.notes.append("it has no pages of ours to read back")
    } else if pages.checked == 0, spec.schedule?.leavesNoPages == true {
      judgement.notes.append("the pages' owner has exited: there was nothing to read back")
    } else if pages.checked == 0 {
      doubt("no page was read back")
    } else if spec.schedule?.leavesNoPages == false, pages.checked < UInt64(max(0, spec.pages)) {
      doubt("only \(pages.checked) of \(spec.pages) pages were read back")
    }
  }

  // MARK: - Rest

  private mutating func judgeRest() {
    // It leaves what it likes.
    if spec.workload != nil { return }
    if let why = report.restSkipped {
      doubt("\(report.rest.isEmpty ? "nothing" : "not all") was measured at rest: \(why)")
    } else if report.rest.isEmpty {
      fail("the report has no measurement at rest, and no reason for that")
    } else {
      restMeasured = true
    }
    if let absent = report.restAbsent {
      judgement.notes.append(
        "not measured, as this kernel has none: \(absent.joined(separator: ", "))")
    }
    for measurement in report.rest where measurement.observed != measurement.expected {
      // The taint that a splat leaves is that splat's.
      if measurement.name == RestFigure.taint, hasKernelSplat || hasOwnSplat { continue }
      let name = measurement.name.stable
      var finding = newFinding(
        .invariant, "invariant: \(name)",
        "\(measurement.name) is \(measurement.observed) at rest, not \(measurement.expected)")
      finding.claims = RestFigure.beyondUnlinking.contains(measurement.name) ? [] : [.s7]
      if let since = report.restSince, since != spec.index {
        finding.details += "; trials \(since) to \(spec.index) came to this rest together"
      }
      finding.known = measurement.name.contains("nr_items") ? .nrItemsDrift : nil
      judgement.findings.append(finding)
    }
  }

  // MARK: - Stress and notices

  private mutating func judgeCounts() {
    guard spec.schedule == nil else { return }
    let needed =
      switch spec.stress {
      case .swapoff: ["swapoffs", "writebacks"]
      case .cpu: ["CPUs taken away", "rounds"]
      case nil: ["writebacks"]
      }
    for name in needed where report.counts[name, default: 0] == 0 {
      doubt("the \(spec.workload?.rawValue ?? "stress") made no \(name)")
    }
  }

  private mutating func judgeNotices() {
    for notice in notices { judgement.notes.append("console: \(notice.text)") }
  }

  // MARK: - Claims

  /// What the trial says about the claims that its rule serves, and about S7.
  private mutating func check() {
    let violated = Set(
      judgement.findings.filter { $0.known == nil }.flatMap(\.claims))
    let isSound = judgement.failures.isEmpty && judgement.reasons.isEmpty
    for claim in Claim.allCases {
      let result: ClaimCheck.Result?
      if violated.contains(claim) {
        result = .violated
      } else if claim == .s7 {
        // A stress shows what it breaks. That it broke nothing shows little.
        let isServed = rule?.serves.contains(claim) != true || ruleHeld
        result =
          spec.schedule != nil && restMeasured && isSound && isServed ? .held : .notExercised
      } else if rule?.serves.contains(claim) == true {
        result = ruleHeld && isSound ? .held : .notExercised
      } else {
        result = nil
      }
      if let result {
        judgement.checks.append(
          ClaimCheck(
            claim: claim, schedule: spec.schedule, provider: spec.provider, result: result))
      }
    }
  }

  // MARK: - Small change

  private func newFinding(_ kind: Finding.Kind, _ title: String, _ details: String) -> Finding {
    Finding(
      kind: kind, title: title, details: details, claims: rule?.claims ?? [],
      schedule: spec.schedule, trial: spec.index)
  }

  private mutating func add(_ kind: Finding.Kind, _ title: String, _ details: String) {
    judgement.findings.append(newFinding(kind, title, details))
  }

  private mutating func doubt(_ reason: String) {
    if !judgement.reasons.contains(reason) { judgement.reasons.append(reason) }
  }

  private mutating func fail(_ message: String) {
    judgement.failures.append(HarnessFailure(.harness, "trial \(spec.index): \(message)"))
  }
}

extension Schedule {
  fileprivate var leavesNoPages: Bool { setup.free == .exit && involves("invalidate") }
}

extension [Finding] {
  /// The first of each fingerprint.
  var unique: [Finding] {
    var seen: Set<String> = []
    return filter { seen.insert($0.fingerprint).inserted }
  }
}

extension StackFrame {
  /// A line of /proc/PID/stack: `[<0>] folio_wait_bit_common+0x1/0x2`, or a name.
  init?(stackLine text: String) {
    let words = text.splitAll(" ").drop { $0.isEmpty || $0.hasPrefix("[<") }
    let symbol = words.joined(separator: " ")
    guard !symbol.isEmpty else { return nil }
    if let frame = StackFrame(symbol: symbol) {
      self = frame
    } else {
      let module = words.dropFirst().first?.trimmed
      self.init(
        function: String(symbol.prefix { $0 != " " && $0 != "+" }),
        module: module.flatMap { $0.hasPrefix("[") ? String($0.dropFirst().dropLast()) : nil })
    }
  }
}

extension BlockedEvidence {
  /// In synchronize_rcu(), or a relative of it.
  fileprivate var isInGracePeriod: Bool {
    ([wchan] + stack).contains {
      $0.contains("rcu_gp") || $0.contains("synchronize_rcu") || $0.contains("wait_rcu")
    }
  }
}
