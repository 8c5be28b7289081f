import Foundation
import GuestWire
import Synchronization

/// Starts guests until every trial has been had, several at once.
///
/// A trial that leaves its kernel damaged ends its guest, and another goes on with
/// those that are left: each guest takes at least one trial off, or is the last.
struct GuestFleet: Sendable {
  let prepared: RunPreparation.Prepared
  let folder: RunFolder
  let cache: Cache
  let silenceLimit: Int
  let status: StatusLine
  /// When no further trial is begun.
  var deadline: Date?
  /// No further trial is begun after one that this is true of.
  var isLast: (@Sendable (GuestRun.Evidence) -> Bool)?

  struct Outcome: Sendable {
    var results: [GuestRun.Result]
    var guests: [RunRecord.Guest]
    var notes: [String]
    /// Of the host, where it ended before every trial had been had.
    var failures: [HarnessFailure]
  }

  /// Whatever breaks, the results of the guests before are there.
  func run() async -> Outcome {
    let shared = Shared(
      TrialLedger(
        TrialQueue(
          prepared.specs, jobs: prepared.jobs, isStartCheap: prepared.snapshotKey != nil),
        isLast: isLast))
    let shelf = SnapshotShelf(cache: cache, key: prepared.snapshotKey)
    let progress = TrialProgress(total: prepared.specs.count, line: status)
    await withTaskGroup(of: Void.self) { group in
      for number in 1...prepared.jobs {
        group.addTask {
          do {
            try await job(number, shared, shelf, progress)
          } catch {
            shared.stop(because: HarnessFailure(error))
          }
        }
      }
    }
    let notes = await shelf.notes
    return shared.ledger.withLock {
      Outcome(
        results: $0.results, guests: $0.guests, notes: notes + $0.notes, failures: $0.failures)
    }
  }

  /// The files of one job: the first has the plain names.
  static func fileName(_ base: String, _ suffix: String, job: Int) -> String {
    job == 1 ? "\(base).\(suffix)" : "\(base)-\(job).\(suffix)"
  }

  private func job(
    _ number: Int, _ shared: Shared, _ shelf: SnapshotShelf, _ progress: TrialProgress
  ) async throws {
    let console = Self.fileName("console", "log", job: number)
    let disk = URL(filePath: prepared.commandLine.disk).deletingLastPathComponent()
      .appending(path: Self.fileName("disk", "img", job: number)).path
    defer { try? FileManager.default.removeItem(atPath: disk) }
    var opened: SharedLog?
    while !Task.isCancelled, let specs = shared.next(before: deadline) {
      // With its first guest: a run may have fewer blocks than jobs.
      let log = try opened ?? SharedLog(path: folder.file(console))
      opened = log

      let ticket = await shelf.ticket()
      let index = shared.ledger.withLock { $0.addGuest(ticket.start, console: console) }
      log.note("guest \(index + 1) of the run, \(ticket.start.rawValue)")
      progress.phase(
        "\(ticket.start == .restored ? "restoring" : "booting") "
          + "\(prepared.kernelRecord.release ?? "the kernel")")
      var guest = GuestRun(
        specs: specs, silenceLimit: silenceLimit * prepared.slowness, progress: progress)
      guest.slowness = prepared.slowness
      guest.deadline = deadline
      guest.isLast = isLast
      guest.isEmulated = prepared.commandLine.acceleration == .tcg
      let result: GuestRun.Result
      do {
        result = try await start(guest, ticket, disk, log, shelf)
      } catch {
        await shelf.settle(nil)
        throw error
      }
      if case .bootToSave = ticket { await shelf.settle(result) }

      shared.ledger.withLock { [result] in $0.settle(result, of: specs, guest: index) }
      // One that was told to stop says nothing of what it was restored from.
      if let reason = result.restoreFailure, case .restore(let snapshot) = ticket,
        !Task.isCancelled
      {
        await shelf.reject(snapshot, because: reason)
      }
    }
    try opened?.close()
  }

  private func start(
    _ guest: GuestRun, _ ticket: SnapshotShelf.Ticket, _ disk: String, _ log: SharedLog,
    _ shelf: SnapshotShelf
  ) async throws -> GuestRun.Result {
    var configuration = GuestSession.Configuration(
      commandLine: prepared.commandLine, qemu: prepared.qemu, consoleLog: { log.append($0) })
    configuration.commandLine.disk = disk
    switch ticket {
    case .restore(let snapshot):
      do {
        try await SparseFile.copy(snapshot.disk, to: disk)
      } catch {
        // If it is this folder's disk that is full, the boot will say so.
        return GuestRun.Result(restoreFailure: "\(error)")
      }
      configuration.commandLine.start = .saved(memory: snapshot.memory)
      configuration.commandLine.token = snapshot.metadata.hello.token
      configuration.devices = snapshot.devices
      return try await guest.run(configuration, start: .restore(snapshot.metadata.hello))
    case .bootToSave:
      configuration.commandLine.start = .savableBoot
      try await DiskImage.create(at: disk, mebibytes: RunPreparation.diskMebibytes)
      return try await guest.run(
        configuration, start: .boot(token: configuration.commandLine.token)
      ) { session, hello in
        await shelf.save(session, hello: hello, disk: disk)
      }
    case .boot:
      try await DiskImage.create(at: disk, mebibytes: RunPreparation.diskMebibytes)
      return try await guest.run(
        configuration, start: .boot(token: configuration.commandLine.token))
    }
  }
}

/// The ledger, as several jobs have it.
private final class Shared: Sendable {
  let ledger: Mutex<TrialLedger>

  init(_ ledger: TrialLedger) { self.ledger = Mutex(ledger) }

  func next(before deadline: Date?) -> [TrialSpec]? {
    if let deadline, Date() >= deadline { return nil }
    return ledger.withLock { $0.next() }
  }
  func stop(because failure: HarnessFailure) { ledger.withLock { $0.stop(because: failure) } }
}

/// A console log that NIO's thread writes to as well.
private final class SharedLog: Sendable {
  private let log: Mutex<ConsoleLog>

  init(path: String) throws {
    log = Mutex(try ConsoleLog(path: path, limit: ConsoleLog.defaultLimit))
  }

  /// A full disk shows when the results are written; the guest goes on.
  func append(_ bytes: ArraySlice<UInt8>) {
    log.withLock { try? $0.append(bytes) }
  }

  func note(_ text: String) { append(Array("[harness: \(text)]\n".utf8)[...]) }

  func close() throws { try log.withLock { try $0.close() } }
}

extension SnapshotShelf.Ticket {
  var start: RunRecord.Guest.Start {
    if case .restore = self { .restored } else { .booted }
  }
}
