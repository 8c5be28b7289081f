import GRDB
public import HarnessKit

/// What could not be done with a history, and what to do about it.
public struct HistoryError: FaultError, Sendable, CustomStringConvertible {
  /// "open", "write", "read", …
  public let operation: String
  /// The history that was meant, as it was named.
  public let path: String
  /// What SQLite's code means, in words; of any other error, its own text.
  public let reason: String
  /// Empty where there is none.
  public let advice: String
  /// What the error says of itself; `harness` for those of SQLite, and where it says nothing.
  public let fault: HarnessFailure.Kind

  /// - Parameter error: of SQLite; or of any kind, with its own text, and its own fault where it
  ///   names one.
  init(_ operation: String, _ path: String, _ error: any Error) {
    fault = (error as? any FaultError)?.fault ?? .harness
    self.operation = operation
    self.path = path
    guard let error = error as? DatabaseError else {
      reason = "\(error)"
      advice = ""
      return
    }
    switch error.resultCode {
    case .SQLITE_FULL:
      reason = "the disk is full"
      advice =
        "Free some space and call it again: what was recorded is there, and runs that are not "
        + "in it yet are taken from their folders."
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      reason = "another process has been writing to it for too long"
      advice = "Call it again when that is over: nothing is lost."
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      reason = "it is no SQLite database, or a damaged one"
      advice = "Name another file, or move this one away: nights are read into a new one again."
    case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_PERM:
      reason = "it cannot be opened, or not be written to"
      advice = "Its folder has to be there, and writable."
    case .SQLITE_IOERR:
      reason = "the disk failed, is full, or a limit on file sizes was reached"
      advice = "What was recorded is there; call it again when that is mended."
    default:
      reason = "\(error.resultCode.rawValue): \(error.message ?? "")"
      advice = ""
    }
  }

  public var description: String {
    "\(operation) history \(path): \(reason)" + (advice.isEmpty ? "" : "\n  \(advice)")
  }
}
