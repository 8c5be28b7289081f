import Foundation
import Synchronization

/// Tells a person what is under way: one line that changes on a terminal, plain
/// lines where standard error is piped.
public final class StatusLine: Sendable {
  private struct State {
    var phase = ""
    var lastPlain = Date.distantPast
  }

  private let began = Date()
  private let state = Mutex(State())

  /// How often a piped progress repeats itself within one phase, in seconds.
  private static let plainInterval: TimeInterval = 10

  /// The seconds that stand before each text count from here.
  public init() {}

  /// A new phase: always shown.
  public func phase(_ text: String) {
    show(text, isNew: true)
  }

  /// Where the phase has come to: shown when there is room for it.
  public func update(_ text: String) {
    show(text, isNew: false)
  }

  /// Ends the changing line, so that other text starts on a line of its own.
  public func finish() { StandardError.clear() }

  private func show(_ text: String, isNew: Bool) {
    state.withLock { state in
      let seconds = String(format: "%5.1f s", Date().timeIntervalSince(began))
      if StandardError.isTerminal {
        StandardError.show("\(seconds)  \(text.prefix(100))")
      } else if isNew
        ? text != state.phase
        : Date().timeIntervalSince(state.lastPlain) > Self.plainInterval
      {
        StandardError.note("\(seconds)  \(text)")
        state.lastPlain = Date()
      }
      if isNew { state.phase = text }
    }
  }
}
