import Foundation
import GRDB
import Glibc
import HarnessKit
import SystemPackage

/// All runs of all nights, in one SQLite file.
///
/// Each run is one transaction, in WAL mode and synced: a process that is killed, or a
/// disk that fills up, takes at the most the run that was being written, whose folder is
/// still there. Several processes may write; each waits for the other.
public struct History: Sendable {
  /// Of the SQLite file, as it was named; beside it lie SQLite's own files, and a `.lock`.
  public let path: String
  let database: DatabaseQueue

  /// How long one writer waits for another.
  private static let patience: TimeInterval = 60

  /// Opens a history, and makes it or brings it up to date where need be.
  public init(path: String) throws(HistoryError) {
    self.path = path
    do {
      try SharedDirectory.make(FilePath(path).removingLastComponent())
      // The migrator's own table is made outside of its transactions: of two who open a
      // new history at once, one would find half of it.
      let lock = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
      guard lock >= 0, flock(lock, LOCK_EX) == 0 else { throw Errno(rawValue: errno) }
      defer { close(lock) }
      var configuration = Configuration()
      configuration.busyMode = .timeout(History.patience)
      configuration.journalMode = .wal
      configuration.foreignKeysEnabled = true
      database = try DatabaseQueue(path: path, configuration: configuration)
      try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
      guard try !database.read(HistorySchema.migrator.hasBeenSuperseded) else {
        throw NewerHistory()
      }
      try HistorySchema.migrator.migrate(database)
    } catch {
      throw HistoryError("open", path, error)
    }
  }

  /// Opens one that has to be there.
  public init(existing path: String) throws(HistoryError) {
    guard FileManager.default.fileExists(atPath: path) else {
      throw HistoryError("open", path, MissingFile())
    }
    try self.init(path: path)
  }

  private struct MissingFile: FaultError, CustomStringConvertible {
    let fault = HarnessFailure.Kind.usage
    var description: String { "there is no such file; --history names another" }
  }

  private struct NewerHistory: Error, CustomStringConvertible {
    var description: String { "a newer harness has written it: use that one, or another file" }
  }

  func read<Value>(_ body: (Database) throws -> Value) throws(HistoryError) -> Value {
    do { return try database.read(body) } catch { throw HistoryError("read", path, error) }
  }

  func write<Value>(_ body: (Database) throws -> Value) throws(HistoryError) -> Value {
    do { return try database.write(body) } catch { throw HistoryError("write", path, error) }
  }
}

/// Numbers of the history's rows.
public typealias NightID = Int64
/// Of a run, over all cells and nights: not the number in `run-1`.
public typealias RunID = Int64
