import Synchronization

/// What is shown of the trials, whichever guest has them.
final class TrialProgress: Sendable {
  private let total: Int
  private let line: StatusLine
  private let done = Mutex(Set<Int>())

  init(total: Int, line: StatusLine) {
    self.total = total
    self.line = line
  }

  /// The report of a trial has come; for the second time where it was tried again.
  func trialDone(_ index: Int) { _ = done.withLock { $0.insert(index) } }

  func show(_ text: String) {
    line.update("\(done.withLock { $0.count })/\(total)  \(text)")
  }

  /// A guest is being started: always shown.
  func phase(_ text: String) { line.phase(text) }
}
