import Foundation
import GuestWire
import Synchronization

/// Runs trials in one booted guest, and gathers what it and its console say.
///
/// Decides nothing about the kernel but where the guest itself is lost: that
/// leaves no report that anybody else could judge.
public struct GuestRun: Sendable {
  /// One trial's evidence.
  public struct Evidence: Sendable {
    /// As the guest was told it.
    public var spec: TrialSpec
    /// Nil where the guest was lost before it could report.
    public var report: TrialReport?
    /// What the console reported from its beginning to the next trial's; kmemleak's are not there.
    public var splats: [Splat]
    /// From the same stretch of the console.
    public var notices: [ConsoleNotice]
    /// How the guest was lost in this trial, or behind it, where that is no splat.
    public var loss: Finding?
    /// The console's end of this trial was not seen: something may be missing from it.
    public var isCut = false
    /// From the guest being ready for its trials until this one was over.
    public var secondsFromReady: Double?
  }

  /// What one boot gave.
  public struct Result: Sendable {
    /// Of the trials that began, in order.
    public var trials: [Evidence] = []
    /// The guest's last word of each provider that it had loaded; empty where it came to none.
    public var points: [ProviderPoints] = []
    /// What gcov counted, where the kernel was built for that.
    public var coverage: [CoverageData] = []
    /// Before the first trial.
    public var bootSplats: [Splat] = []
    /// What kmemleak had to report after the last one; nil where it was not asked.
    public var leaks: LeakReport?
    /// A report of the boot's that is TCG's doing, where nothing was run for it.
    public var spoiledBoot: Splat?
    /// Trials whose reports are TCG's doing, by index; they are among the others.
    public var spoiledTrials: [Int: Splat] = [:]
    /// Reports on the console beyond those that were kept.
    public var omittedSplats = 0
    /// What broke that is not the kernel's doing, or keeps it from being used.
    public var failure: HarnessFailure?
    /// `uname -r`; nil where the guest was never ready.
    public var release: String?
    /// From the start of QEMU until the guest was ready for its trials.
    public var readySeconds: Double?
    /// Why the saved guest could not be started from: nothing was run, and
    /// nothing is said about the kernel.
    public var restoreFailure: String?
  }

  /// How the guest comes up.
  public enum Start: Hashable, Sendable {
    /// Its agent has to repeat this token.
    case boot(token: String)
    /// Its agent has to say this again.
    case restore(Hello)
  }

  /// Ticks of one second without a word from the guest, counted only while this
  /// process was itself running: a host that sleeps or stalls does not count.
  /// Longer than the agent's own watchdog takes to report a stalled actor.
  public static let silenceLimit = 90
  /// Ticks in which a restored guest has to say something: a hundred times what
  /// it takes. If it was merely slow, a boot is all that it costs.
  static let restoreSilenceLimit = 20
  /// More than this on the console is a flood, in bytes: two hundred KASAN
  /// reports take less.
  static let floodLimit = 4 << 20
  /// How many of the console's last lines explain a failure.
  static let tailLength = 12
  /// How many are looked at for the cause of a boot that failed.
  static let bootLinesLimit = 2000
  /// What a boot may use up of a CPU without a word, in seconds: many times as much as a
  /// kernel is silent for.
  static let bootSeconds = 60.0

  /// What the guest is told to do, in this order.
  public var specs: [TrialSpec]
  /// In ticks; the tests of lost guests cannot wait as long.
  public var silenceLimit: Int
  /// By how much this kernel is slower than others, which limits that follow its CPU time
  /// are multiplied by.
  var slowness = 1
  /// No trial is waited for after this, but the one that is under way.
  public var deadline: Date?
  /// No trial is waited for after one that this is true of.
  var isLast: (@Sendable (Evidence) -> Bool)?
  var progress: TrialProgress
  /// On TCG.
  var isEmulated = false

  init(
    specs: [TrialSpec], silenceLimit: Int = GuestRun.silenceLimit, progress: TrialProgress
  ) {
    self.specs = specs
    self.silenceLimit = silenceLimit
    self.progress = progress
  }

  /// Starts the guest and runs the trials. Throws only where QEMU cannot be
  /// started at all.
  ///
  /// - Parameter whenReady: Called with a guest that waits for its trials, has
  ///   been booted, and has reported nothing on its console; before it is told.
  func run(
    _ configuration: GuestSession.Configuration, start: Start,
    whenReady: (@Sendable (GuestSession, Hello) async -> Void)? = nil
  ) async throws -> Result {
    let began = Date()
    let readyLimit =
      if case .restore = start {
        min(silenceLimit, Self.restoreSilenceLimit)
      } else {
        silenceLimit
      }
    return try await GuestSession.withGuest(configuration) { session in
      let boots = if case .boot = start { true } else { false }
      let patience = Patience(
        limit: readyLimit, bootSeconds: boots ? Self.bootSeconds * Double(slowness) : nil)
      let watch = SilenceWatch(
        patience, cpu: { [pid = session.pid] in Patience.CPUTime(of: pid) },
        bite: { session.kill() })
      defer { watch.cancel() }
      var state = State(specs: specs, start: start, silenceLimit: silenceLimit, began: began)
      state.deadline = deadline
      state.isLast = isLast
      state.isEmulated = isEmulated
      if case .restore = start {
        // It waits in the socket until the guest is there to read it.
        try? await session.send(.greet)
      }
      for await event in session.events {
        watch.pet()
        if session.consoleBytes > Self.floodLimit, !state.isFlooded {
          state.isFlooded = true
          session.kill()
        }
        for action in state.take(event) {
          switch action {
          case .despair: watch.despair()
          case .send(let message):
            // A guest that is gone shows as an event; the write may just fail.
            try? await session.send(message)
          case .ready(let hello):
            watch.booted(limit: silenceLimit)
            if let hello { await watch.unwatched { await whenReady?(session, hello) } }
          case .show(let text): progress.show(text)
          case .trialDone(let index): progress.trialDone(index)
          case .stop: await session.stop()
          }
        }
      }
      return state.conclude(watch.loss)
    }
  }
}

extension GuestRun {
  /// What the host does in answer to an event.
  enum Action: Hashable, Sendable {
    case send(HostMessage)
    case show(String)
    /// The guest waits for its trials; `save` where it may be saved before.
    case ready(save: Hello?)
    case trialDone(Int)
    /// Whatever it still does is no progress.
    case despair
    case stop
  }

  /// The course of one boot, as a value: events in, actions out.
  struct State {
    let specs: [TrialSpec]
    let start: Start
    let silenceLimit: Int
    let began: Date
    var isFlooded = false
    var deadline: Date?
    var isLast: (@Sendable (Evidence) -> Bool)?
    var isEmulated = false

    private var result = Result()
    private var classifier = SplatClassifier()
    private var noticesTaken = 0
    /// Trials that have begun and are not concluded, in order. The guest does not
    /// wait for us: it may be in one of them, and the console in another.
    private var open: [Evidence] = []
    private var record: (trial: Int, text: String)?
    /// The trial that the console is in, or has last been in.
    private var consoleTrial: Int?
    private var endMarks: Set<Int> = []
    private var saidInTrial: [Int: (splats: [Splat], notices: [ConsoleNotice])] = [:]
    private var hasFinished = false
    private var hasStopped = false
    private var shutdown: ShutdownReason?
    private var exit: TetheredProcess.ExitStatus?
    private var lastWords = "booting"
    private var readyAt: Date?
    private var hello: Hello?
    private var hasReadyMark: Bool
    private var tail: [String] = []
    /// Until it is ready.
    private var bootLines: [String] = []
    private var qemuLines: [String] = []

    init(specs: [TrialSpec], start: Start, silenceLimit: Int, began: Date) {
      self.specs = specs
      self.start = start
      self.silenceLimit = silenceLimit
      self.began = began
      // A restored guest wrote its mark before it was saved.
      hasReadyMark = if case .restore = start { true } else { false }
    }

    mutating func take(_ event: SessionEvent) -> [Action] {
      switch event {
      case .consoleLine(let line): return take(line: line)
      case .consoleLinesDropped(let count):
        // A splat may have been among them.
        fail(.harness, "\(count) console lines came faster than they could be read")
        return stop()
      case .qemuLine(let line):
        qemuLines.append(line)
        return []
      case .message(let message): return take(message)
      case .channelBroken(let error):
        fail(.harness, "the guest broke the protocol: \(error)")
        return stop()
      case .diskFailed(let reason):
        fail(.harness, "the host could not read or write the guest's disk: \(reason)")
        return stop()
      case .shutdown(let reason):
        shutdown = reason
        return []
      case .exited(let status):
        exit = status
        return []
      }
    }

    private mutating func take(line: String) -> [Action] {
      tail.append(line)
      if tail.count > GuestRun.tailLength { tail.removeFirst() }
      if !hasReadyMark, bootLines.count < GuestRun.bootLinesLimit { bootLines.append(line) }
      record(classifier.feed(line))
      switch ConsoleMark(in: line) {
      case .ready:
        guard !hasReadyMark else { return [] }
        hasReadyMark = true
        return beginTrials()
      case .trialBegins(let index):
        record(classifier.finish())
        consoleTrial = index
      case .trialEnds(let index):
        record(classifier.finish())
        endMarks.insert(index)
      case nil:
        return !hasReadyMark && BootDiagnosis.isHopeless(line) ? [.despair] : []
      }
      return concludeTrials()
    }

    /// A late report, between two trials, is of the one that has just ended.
    private mutating func record(_ splats: [Splat]) {
      let notices = classifier.notices.dropFirst(noticesTaken)
      noticesTaken = classifier.notices.count
      guard !splats.isEmpty || !notices.isEmpty else { return }
      guard let index = consoleTrial ?? open.first?.spec.index else {
        result.bootSplats += splats
        return
      }
      saidInTrial[index, default: ([], [])].splats += splats
      saidInTrial[index, default: ([], [])].notices += notices
    }

    private mutating func take(_ message: GuestMessage) -> [Action] {
      // What a guest still says when it is being stopped belongs to no trial.
      guard !hasStopped else { return [] }
      switch message {
      case .hello(let hello):
        guard self.hello == nil, isOurs(hello) else {
          fail(.harness, "a guest answered that is not the one we started")
          return stop()
        }
        self.hello = hello
        return beginTrials()
      case .progress(let text):
        lastWords = text
        return [.show(text)]
      case .points(let points):
        if result.points.last?.provider == points.provider { result.points.removeLast() }
        result.points.append(points)
        return []
      case .trialStarted(let index):
        guard let spec = specs.first(where: { $0.index == index }),
          open.last?.report != nil || open.isEmpty,
          !(open + result.trials).contains(where: { $0.spec.index == index })
        else {
          fail(.harness, "the guest began trial \(index), which it was not told to")
          return stop()
        }
        open.append(Evidence(spec: spec, report: nil, splats: [], notices: [], loss: nil))
        lastWords = "\(spec.title) (\(spec.provider.rawValue))"
        return [.show(lastWords)]
      case .trial(let report):
        guard report.index == open.last?.spec.index, open.last?.report == nil else {
          fail(.harness, "the guest reported trial \(report.index), which is not under way")
          return stop()
        }
        do {
          open[open.count - 1].report = try withEvents(report)
        } catch {
          fail(.harness, "the guest's record of trial \(report.index): \(error)")
          return stop()
        }
        return concludeTrials()
      case .record(let trial, let text):
        record = (trial, text)
        return []
      case .coverage(let data):
        // One file is counted, or a few; a guest is not taken at its word for more.
        if result.coverage.count < 16 { result.coverage.append(data) }
        return []
      case .leaks(let report):
        result.leaks = report
        return []
      case .unusable(let reason):
        fail(.kernelUnusable, reason)
        return stop()
      case .failed(let text):
        fail(.harness, "the guest agent failed: \(text)")
        return stop()
      case .finished:
        hasFinished = true
        return open.isEmpty ? stop() : []
      }
    }

    private func isOurs(_ hello: Hello) -> Bool {
      switch start {
      case .boot(let token):
        hello.token == token && hello.protocolVersion == Hello.currentProtocol
      case .restore(let saved): hello == saved
      }
    }

    /// When the guest has said that it is ready, and its console all that the boot
    /// had to report.
    private mutating func beginTrials() -> [Action] {
      guard let hello, hasReadyMark, !hasStopped else { return [] }
      record(classifier.finish())
      result.release = hello.release
      let now = Date()
      readyAt = now
      result.readySeconds = now.timeIntervalSince(began)
      if spoiledBoot != nil { return stop() }
      lastWords = "getting its trials"
      // A kernel that has spoken up is not the one to start others from, and what
      // it said would be missing from their consoles.
      let mayBeSaved = if case .boot = start { result.bootSplats.isEmpty } else { false }
      return [.ready(save: mayBeSaved ? hello : nil), .send(.run(specs))]
    }

    /// A kernel that emulation has broken as it booted is not the one to try anything on.
    private var spoiledBoot: Splat? {
      guard isEmulated, case .boot = start, result.trials.isEmpty, open.isEmpty else { return nil }
      return result.bootSplats.first { $0.emulationError != nil }
    }

    /// The report with the events of its record.
    private mutating func withEvents(
      _ report: TrialReport
    ) throws(EventRecord.FormatError) -> TrialReport {
      guard let text = record, text.trial == report.index else { return report }
      record = nil
      let shrinker = report.actors.first { $0.name == "shrinker" }?.pid
      let events = try EventRecord(parsing: text.text, shrinker: shrinker)
      var report = report
      report.events = Array(events.events.prefix(TrialReport.eventsLimit))
      for dropped in [events.dropped, UInt64(events.events.count - report.events.count)] {
        report.eventsDropped = report.eventsDropped.addingSaturated(dropped)
      }
      return report
    }

    /// Concludes those of which both the report and the mark in the console have
    /// come.
    private mutating func concludeTrials() -> [Action] {
      var actions: [Action] = []
      while var first = open.first, first.report != nil, endMarks.contains(first.spec.index) {
        open.removeFirst()
        first.secondsFromReady = readyAt.map { Date().timeIntervalSince($0) }
        result.trials.append(first)
        actions.append(.trialDone(first.spec.index))
        // A kernel that has spoken up is not the one to try the next thing on: what
        // has begun meanwhile is done again in a fresh guest.
        if saidInTrial[first.spec.index]?.splats.isEmpty == false {
          open = []
          return actions + stop()
        }
        if isLast?(first) == true || deadline.map({ Date() >= $0 }) == true {
          open = []
          return actions + stop()
        }
      }
      return actions + (hasFinished && open.isEmpty ? stop() : [])
    }

    private mutating func stop() -> [Action] {
      guard !hasStopped else { return [] }
      hasStopped = true
      return [.stop]
    }

    private mutating func fail(_ kind: HarnessFailure.Kind, _ message: String) {
      if result.failure == nil { result.failure = HarnessFailure(kind, message) }
    }

    /// The guest is gone: what does that mean?
    ///
    /// - Parameter loss: how it fell silent; nil where it did not.
    mutating func conclude(_ loss: Patience.Loss?) -> Result {
      record(classifier.finish())
      result.omittedSplats = classifier.omittedSplats
      result.spoiledBoot = spoiledBoot
      if case .restore = start, result.release == nil {
        return Result(restoreFailure: whyNotRestored(isSilent: loss != nil))
      }
      if isFlooded {
        explain(
          .kernelUnusable,
          "the guest flooded the console: more than \(GuestRun.floodLimit >> 20) MiB")
      } else if let loss, result.failure == nil {
        loseGuest(
          title: "guest hangs",
          details: "not a word from the guest for \(silenceLimit) s; last: \(lastWords)",
          boot: loss.end)
      } else if !hasStopped {
        concludeUnasked()
      }
      // The one in which the guest was lost; that took as long as it took to notice.
      for index in open.indices {
        open[index].isCut = true
        open[index].secondsFromReady = readyAt.map { Date().timeIntervalSince($0) }
      }
      result.trials += open
      for index in result.trials.indices {
        guard let said = saidInTrial[result.trials[index].spec.index] else { continue }
        result.trials[index].splats = said.splats
        result.trials[index].notices = said.notices
        if isEmulated, let splat = said.splats.first(where: \.hasImpossibleFlags) {
          result.spoiledTrials[result.trials[index].spec.index] = splat
        }
      }
      return result
    }

    private func whyNotRestored(isSilent: Bool) -> String {
      if let failure = result.failure { return failure.message }
      if isFlooded { return "it flooded the console" }
      if isSilent { return "not a word from it" }
      let end = exit.map { "QEMU \($0)" } ?? "QEMU ended"
      return ([end] + qemuLines).joined(separator: "; ")
    }

    /// QEMU ended though nobody had asked for it.
    private mutating func concludeUnasked() {
      switch (shutdown, exit) {
      case (.guestReset, _), (.guestPanic, _):
        loseGuest(
          title: "guest reset", details: "the kernel reset the machine; last: \(lastWords)",
          boot: .reset)
      case (.guestShutdown, _) where hello == nil && result.failure == nil:
        explainBoot(.poweredOff)
      case (.guestShutdown, _):
        explain(.harness, "the guest powered off before it had reported all trials")
      case (_, .signalled(let signal)):
        explain(.harness, "QEMU was killed by signal \(signal)")
      default:
        let words = qemuLines.isEmpty ? "" : ": " + qemuLines.joined(separator: "; ")
        explain(.harness, "QEMU ended by itself\(words)")
      }
    }

    /// A kernel that is gone is a finding in a trial, where a splat does not say
    /// more; before, it is one that cannot be used.
    private mutating func loseGuest(title: String, details: String, boot: BootDiagnosis.End) {
      guard let trial = open.last ?? result.trials.last else {
        guard readyAt == nil else {
          return explain(.kernelUnusable, "the kernel does not come up: \(details)")
        }
        return explainBoot(boot)
      }
      // A data race elsewhere in the kernel ends no guest.
      guard saidInTrial[trial.spec.index]?.splats.allSatisfy(\.isRaceElsewhere) != false
      else { return }
      let finding = Finding(kind: .stall, title: title, details: details)
      if let last = open.indices.last {
        open[last].loss = finding
      } else {
        // As a late report is: of the trial that has just ended.
        result.trials[result.trials.count - 1].loss = finding
      }
    }

    /// It has never been ready.
    private mutating func explainBoot(_ end: BootDiagnosis.End) {
      let diagnosis = BootDiagnosis.of(bootLines, end: end, agentAnswered: hello != nil)
      // The panic is how it ended, and no finding beside that; what else it reported is.
      result.bootSplats.removeAll { $0.kind == .panic }
      fail(.kernelUnusable, diagnosis.message(lastLines: tail))
    }

    private mutating func explain(_ kind: HarnessFailure.Kind, _ message: String) {
      let splats = open.last.map { saidInTrial[$0.spec.index]?.splats ?? [] } ?? result.bootSplats
      var text = message
      if result.release == nil, !tail.isEmpty {
        text += "\nits last lines were:\n" + tail.map { "  \($0)" }.joined(separator: "\n")
      } else if splats.isEmpty, !open.isEmpty {
        text += " (during \(lastWords))"
      }
      fail(kind, text)
    }
  }
}

/// Bites when a guest has used up the patience with it.
private final class SilenceWatch: Sendable {
  private struct State {
    var patience: Patience
    var isOff = false
    var loss: Patience.Loss?
  }

  private let state: Mutex<State>
  private let task = Mutex<Task<Void, Never>?>(nil)

  init(
    _ patience: Patience, cpu: @escaping @Sendable () -> Patience.CPUTime?,
    bite: @escaping @Sendable () -> Void
  ) {
    state = Mutex(State(patience: patience))
    let ticker = Task { [weak self] in
      var last = ContinuousClock.now
      while (try? await Task.sleep(for: .seconds(1))) != nil, let self {
        let now = ContinuousClock.now
        // A tick that came late is one in which nobody on this host ran.
        let isLate = now - last > .seconds(3)
        last = now
        let isBooting = self.state.withLock { $0.patience.bootSeconds != nil }
        let time = isBooting ? cpu() : nil
        let bites = self.state.withLock { state -> Bool in
          guard !isLate, state.loss == nil, !state.isOff else { return false }
          state.loss = state.patience.tick(time)
          return state.loss != nil
        }
        if bites { bite() }
      }
    }
    task.withLock { $0 = ticker }
  }

  /// How the guest was lost; nil where it was not.
  var loss: Patience.Loss? { state.withLock { $0.loss } }

  func pet() { state.withLock { $0.patience.heard() } }

  func despair() { state.withLock { $0.patience.despair() } }

  func booted(limit: Int) { state.withLock { $0.patience.booted(limit: limit) } }

  /// A guest that is being saved stands still, and says nothing.
  func unwatched(_ body: () async -> Void) async {
    state.withLock { $0.isOff = true }
    await body()
    state.withLock {
      $0.isOff = false
      $0.patience.heard()
    }
  }

  func cancel() { task.withLock { $0?.cancel() } }
}

extension Patience.Loss {
  fileprivate var end: BootDiagnosis.End {
    switch self {
    case .still: .still
    case .busy: .busy
    case .endless: .endless
    }
  }
}
