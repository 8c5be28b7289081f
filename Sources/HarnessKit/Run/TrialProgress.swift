import Synchronization

/// What is shown of the trials, whichever guest has them.
final class TrialProgress: Sendable {
  private let total: Int
  private let line: StatusLine
  private let done = Mutex(0)

  init(total: Int, line: StatusLine) {
    self.total = total
    self.line = line
  }

  /// Trials whose report has come.
  func trialDone() { done.withLock { $0 += 1 } }

  func show(_ text: String) {
    line.update("\(done.withLock { $0 })/\(total)  \(text)")
  }

  /// A guest is being started: always shown.
  func phase(_ text: String) { line.phase(text) }
}
