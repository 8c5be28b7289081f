import GuestWire

/// Which trials a run has had and which are left, guest by guest.
struct TrialLedger: Sendable {
  private var queue: TrialQueue
  /// No further trial is begun after one that this is true of.
  private let isLast: (@Sendable (GuestRun.Evidence) -> Bool)?
  private(set) var results: [GuestRun.Result] = []
  /// In the order of their starts.
  private(set) var guests: [RunRecord.Guest] = []
  /// Of what was tried again, and why.
  private(set) var notes: [String] = []
  /// What broke on the host: no further guest is started, and what was had stays.
  private(set) var failures: [HarnessFailure] = []
  private var hasStopped = false
  /// Boots and trials that were tried again because emulation broke them.
  private var retries = 0

  /// A kernel that breaks each time does so itself.
  static let retryLimit = 3

  init(_ queue: TrialQueue, isLast: (@Sendable (GuestRun.Evidence) -> Bool)? = nil) {
    self.queue = queue
    self.isLast = isLast
  }

  /// The trials of the next guest; nil where no other is to be started.
  mutating func next() -> [TrialSpec]? { hasStopped ? nil : queue.next() }

  mutating func stop(because failure: HarnessFailure) {
    failures.append(failure)
    hasStopped = true
  }

  /// - Returns: its index among the guests.
  mutating func addGuest(_ start: RunRecord.Guest.Start, console: String) -> Int {
    guests.append(RunRecord.Guest(start: start, readySeconds: nil, console: console, trials: 0))
    return guests.count - 1
  }

  /// Takes over what came of a guest; what it has not had is for another.
  ///
  /// - Parameters:
  ///   - specs: what it was given.
  ///   - guest: its index.
  mutating func settle(_ result: GuestRun.Result, of specs: [TrialSpec], guest: Int) {
    guests[guest].readySeconds = result.readySeconds
    if let splat = result.spoiledBoot, mayRetry() {
      notes.append("booted again: “\(splat.title)” at boot\(Self.reason(splat))")
      return queue.putBack(specs)
    }
    var result = result
    var isRetried = false
    for (index, splat) in result.spoiledTrials.sorted(by: { $0.key < $1.key }) where mayRetry() {
      isRetried = true
      result.trials.removeAll { $0.spec.index == index }
      notes.append("trial \(index) tried again: “\(splat.title)”\(Self.reason(splat))")
    }
    let had = Set(result.trials.map(\.spec.index))
    guests[guest].trials = had.count
    queue.putBack(specs.filter { !had.contains($0.index) })
    guard result.restoreFailure == nil else { return }
    results.append(result)
    let isOver = isLast.map { result.trials.contains(where: $0) } ?? false
    if result.failure != nil || had.isEmpty && !isRetried || isOver { hasStopped = true }
  }

  private mutating func mayRetry() -> Bool {
    guard retries < Self.retryLimit else { return false }
    retries += 1
    return true
  }

  private static func reason(_ splat: Splat) -> String {
    splat.emulationError.map { ", \($0)" } ?? ""
  }
}
