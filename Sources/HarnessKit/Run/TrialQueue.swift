import GuestWire

/// The trials that no guest has had yet, handed out in blocks: one for each
/// guest, in the order of the run.
struct TrialQueue: Sendable {
  /// A guest ages: what its trials leave behind, and no check sees, is gone with
  /// it after as many.
  static let freshGuestAfter = 500

  private let total: Int
  private let jobs: Int
  /// Whether a guest costs next to nothing to start.
  private let isStartCheap: Bool
  /// By index.
  private var waiting: [TrialSpec]

  init(_ specs: [TrialSpec], jobs: Int, isStartCheap: Bool) {
    waiting = specs
    total = specs.count
    self.jobs = jobs
    self.isStartCheap = isStartCheap
  }

  /// The next guest's trials; nil when there are none.
  mutating func next() -> [TrialSpec]? {
    guard let first = waiting.first else { return nil }
    var size = waiting.count
    if jobs > 1 {
      // Where guests start at once, blocks become shorter towards the end, so that
      // all jobs end together. Where they boot, each job has one.
      size =
        isStartCheap
        ? (waiting.count + 2 * jobs - 1) / (2 * jobs) : (total + jobs - 1) / jobs
      // To load the module anew takes as long as a fresh guest.
      size = min(size, waiting.prefix { $0.provider == first.provider }.count)
    }
    let block = Array(waiting.prefix(min(size, Self.freshGuestAfter)))
    waiting.removeFirst(block.count)
    return block
  }

  /// Takes back what a guest did not come to.
  mutating func putBack(_ specs: [TrialSpec]) {
    waiting = (waiting + specs).sorted { $0.index < $1.index }
  }
}
