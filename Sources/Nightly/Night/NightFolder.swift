import Foundation
import HarnessKit
import Synchronization
import SystemPackage

/// A night as its folder keeps it: enough to go on with it after any end.
public struct Night: Hashable, Sendable, Codable {
  /// `NightFolder.load()` takes no other.
  public static let currentSchemaVersion = 1

  /// Of the `night.json` that it was read from.
  public var schemaVersion = Night.currentSchemaVersion
  /// No other night has it, wherever its folder goes.
  public var key: String
  /// As it was when the night began.
  public var plan: Plan
  /// When its folder was made, to the second: `night.json` keeps no more.
  public var startedAt: Date
  /// When all that is not over is told to end; nil where the plan sets none.
  public var deadline: Date?
  /// Saved when the reports are written; nil until then, and the next call goes on with it.
  public var finishedAt: Date?

  /// Whether its deadline has come.
  package func isOverdue(at date: Date) -> Bool { deadline.map { $0 <= date } ?? false }
}

/// The folder of a night: `night.json`, the runs under `cells/`, the reports.
public struct NightFolder: Hashable, Sendable {
  /// Absolute.
  public let path: String

  public init(path: String) { self.path = path }

  /// Begins a night, in a folder of its own.
  public static func create(_ plan: Plan, at date: Date) throws -> NightFolder {
    let time = String(date.formatted(.iso8601).filter { !"-:".contains($0) })
    var path = "\(plan.out)/\(time)-\(plan.name)"
    try SharedDirectory.make(FilePath(plan.out))
    // Another of the same plan may have begun in this second.
    var number = 1
    while mkdir(path, 0o755) != 0 {
      guard errno == EEXIST else {
        throw NightError("create", path, String(cString: strerror(errno)))
      }
      number += 1
      path = "\(plan.out)/\(time)-\(plan.name)-\(number)"
    }
    let folder = NightFolder(path: path)
    try folder.save(
      Night(
        key: UUID().uuidString, plan: plan, startedAt: date,
        deadline: plan.deadline.map { date.addingTimeInterval($0.seconds) }))
    return folder
  }

  /// The nights of a plan that have not come to their end, the oldest first, each with its lock;
  /// those that another process is at are not among them.
  package static func takeUnfinished(of plan: Plan) -> [(folder: NightFolder, lock: FileLock)] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: plan.out)) ?? []
    return names.sorted().compactMap { name in
      let folder = NightFolder(path: "\(plan.out)/\(name)")
      func isUnfinished() -> Bool {
        (try? folder.load()).map { $0.finishedAt == nil && $0.plan.name == plan.name } ?? false
      }
      // And once more under the lock: who had it may just have ended the night.
      guard isUnfinished(), let lock = try? folder.lock(), isUnfinished() else { return nil }
      return (folder, lock)
    }
  }

  /// Reads `night.json`. Throws `NightError` where it is not there (bad usage), cannot be decoded,
  /// or has a schema version that is not known.
  public func load() throws -> Night {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    let file = file("night.json")
    guard let data = FileManager.default.contents(atPath: file) else {
      throw NightError(
        "read", file, "it is not there", advice: "Name a night's folder: nights/<time>-<plan>.",
        fault: .usage)
    }
    let night: Night
    do {
      night = try decoder.decode(Night.self, from: data)
    } catch {
      throw NightError("read", file, "\(error)")
    }
    guard night.schemaVersion == Night.currentSchemaVersion else {
      throw NightError("read", file, "schema version \(night.schemaVersion) is not known")
    }
    return night
  }

  /// Replaces `night.json`. Throws where it cannot be written; it is then as it was.
  public func save(_ night: Night) throws {
    try write([UInt8](try JSONText.document(night)), to: "night.json")
  }

  /// The path of a name, or of a way, within the folder; nothing need be there.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Whole, or not at all.
  func write(_ bytes: [UInt8], to name: String) throws {
    let file = URL(filePath: file(name))
    try RunFolder(existing: file.deletingLastPathComponent().path)
      .replace(file.lastPathComponent, with: bytes)
  }

  func write(_ text: String, to name: String) throws {
    try write(Array(text.utf8), to: name)
  }

  /// Held by the process that is at this night.
  ///
  /// - Returns: nil where another process is at it.
  /// - Throws: where the folder cannot be written.
  package func lock() throws(KernelError) -> FileLock? {
    try FileLock.take(FilePath(file(".lock")))
  }
}

/// A run of a cell, as its folder shows it.
public struct NightRunFolder: Hashable, Sendable {
  /// Within the night's.
  public let path: String
  /// From 1, of all runs that were begun for the cell: the one in `run-1`.
  public let number: Int

  /// What can be said of it.
  public enum State: Sendable {
    case finished(RunRecord)
    /// It goes on, or whoever ran it is gone, or was told to stop.
    case unfinished(RunRecord)
  }
}

extension NightFolder {
  /// A cell's runs, in their order.
  public func runs(of cell: Cell) -> [NightRunFolder] {
    let names =
      (try? FileManager.default.contentsOfDirectory(atPath: file("cells/\(cell.folder)"))) ?? []
    return names.compactMap { name in
      guard name.hasPrefix("run-"), let number = Int(name.dropFirst(4)) else { return nil }
      return NightRunFolder(path: "cells/\(cell.folder)/\(name)", number: number)
    }.sorted { $0.number < $1.number }
  }

  /// Reads its result. One that cannot be read is a run that broke, and is told as such.
  public func state(of run: NightRunFolder) -> NightRunFolder.State {
    let file = file("\(run.path)/result.json")
    guard let data = FileManager.default.contents(atPath: file) else {
      return .unfinished(RunRecord(lost: "there is no result.json"))
    }
    do {
      let record = try RunRecord(json: data)
      let wasStopped = record.error?.message == RunRecord.interruption
      return record.finishedAt == nil || wasStopped ? .unfinished(record) : .finished(record)
    } catch {
      return .unfinished(RunRecord(lost: "result.json cannot be read"))
    }
  }

  /// Those that need not be made again. One that was told to stop beside a finding is told of,
  /// and is made again.
  public func finishedRuns(of cell: Cell) -> Int { runs(of: cell).count(where: isFinished) }

  /// Whether anything can be said of a cell.
  func hasFinishedRun(of cell: Cell) -> Bool {
    runs(of: cell).contains { run in
      if isFinished(run) { return true }
      return if case .finished = state(of: run) { true } else { false }
    }
  }

  /// The results that were found finished: a sweep's has ten megabytes, and none changes
  /// any more.
  private static let finished = Mutex<Set<String>>([])

  private func isFinished(_ run: NightRunFolder) -> Bool {
    let file = file("\(run.path)/result.json")
    if Self.finished.withLock({ $0.contains(file) }) { return true }
    guard case .finished(let record) = state(of: run),
      record.cutShort != RunRecord.interruption
    else { return false }
    Self.finished.withLock { _ = $0.insert(file) }
    return true
  }
}

extension RunRecord {
  /// A run that is gone.
  fileprivate init(lost why: String) {
    self.init(begun: Date(timeIntervalSince1970: 0), commandLine: [], seed: 0)
    error = HarnessFailure(.harness, why)
  }
}
