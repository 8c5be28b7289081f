import Foundation
import Glibc
import SystemPackage

/// Says on standard error how a long job goes: one line that changes on a
/// terminal, a line now and then elsewhere.
public final class Progress {
  private let title: String
  private let isTerminal = isatty(STDERR_FILENO) == 1
  private let start = ContinuousClock.now
  private var lastShown: ContinuousClock.Instant
  private var steps = 0
  private var lineIsOpen = false

  /// Begins to count the time; off a terminal, the title is shown at once.
  public init(_ title: String) {
    self.title = title
    lastShown = start
    if !isTerminal { Progress.note("\(title) ...") }
  }

  /// One more step done, such as a line of make's.
  public func step(_ what: String) {
    steps += 1
    let now = ContinuousClock.now
    let interval: Duration = isTerminal ? .milliseconds(200) : .seconds(15)
    guard now - lastShown >= interval else { return }
    lastShown = now
    let text = "\(title): \(elapsed), \(steps) steps, \(what.trimmingPrefix { $0 == " " })"
    if isTerminal {
      lineIsOpen = true
      Progress.write("\r\u{1B}[K\(text.prefix(78))")
    } else {
      Progress.note(text)
    }
  }

  /// Leaves one line with the time and the number of steps.
  ///
  /// - Parameter outcome: what stands behind the title.
  public func finish(_ outcome: String = "done") {
    if lineIsOpen { Progress.write("\r\u{1B}[K") }
    Progress.note("\(title): \(outcome) after \(elapsed), \(steps) steps")
  }

  /// A line on standard error, where whatever is no result goes.
  public static func note(_ text: String) { write("\(text)\n") }

  private static func write(_ text: String) {
    // A closed standard error is no reason to end a build.
    _ = try? FileDescriptor.standardError.writeAll(Array(text.utf8))
  }

  private var elapsed: String {
    let seconds = Int((ContinuousClock.now - start).components.seconds)
    return seconds < 60 ? "\(seconds) s" : "\(seconds / 60) min \(seconds % 60) s"
  }
}
