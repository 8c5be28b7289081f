/// Says on standard error how a long job goes: one line that changes on a
/// terminal, a line now and then elsewhere.
public final class Progress {
  private let title: String
  private let start = ContinuousClock.now
  private var lastShown: ContinuousClock.Instant
  private var steps = 0

  /// Begins to count the time; off a terminal, the title is shown at once.
  public init(_ title: String) {
    self.title = title
    lastShown = start
    if !StandardError.isTerminal { StandardError.note("\(title) ...") }
  }

  /// One more step done, such as a line of make's.
  public func step(_ what: String) {
    steps += 1
    let now = ContinuousClock.now
    let interval: Duration = StandardError.isTerminal ? .milliseconds(200) : .seconds(15)
    guard now - lastShown >= interval else { return }
    lastShown = now
    let text = "\(title): \(elapsed), \(steps) steps, \(what.trimmingPrefix { $0 == " " })"
    if StandardError.isTerminal {
      StandardError.show(text.prefix(78))
    } else {
      StandardError.note(text)
    }
  }

  /// Leaves one line with the time and the number of steps.
  ///
  /// - Parameter outcome: what stands behind the title.
  public func finish(_ outcome: String = "done") {
    StandardError.note("\(title): \(outcome) after \(elapsed), \(steps) steps")
  }

  /// A line on standard error, where whatever is no result goes.
  public static func note(_ text: String) { StandardError.note(text) }

  private var elapsed: String {
    let seconds = Int((ContinuousClock.now - start).components.seconds)
    return seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min \(seconds % 60) s"
  }
}
