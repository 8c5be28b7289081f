import Glibc
import Synchronization
import SystemPackage

/// Standard error, where whatever is no result goes. One line of it may be open on a terminal,
/// to be written over by the next.
enum StandardError {
  static let isTerminal = isatty(STDERR_FILENO) == 1

  private static let isLineOpen = Mutex(false)

  /// Shows a line in the place of the open one.
  static func show(_ text: some StringProtocol) {
    isLineOpen.withLock { isOpen in
      put("\r\u{1B}[K\(text)")
      isOpen = true
    }
  }

  /// A line that stays.
  static func note(_ text: String) {
    isLineOpen.withLock { isOpen in
      put((isOpen ? "\r\u{1B}[K" : "") + "\(text)\n")
      isOpen = false
    }
  }

  /// Takes the open line away, so that other text starts on a line of its own.
  static func clear() {
    isLineOpen.withLock { isOpen in
      if isOpen { put("\r\u{1B}[K") }
      isOpen = false
    }
  }

  private static func put(_ text: String) {
    // That it is closed, or the disk behind it full, is no reason to end a run or a build.
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
  }
}
