import Foundation
import HarnessKit
import SystemPackage

/// Runs a cell as often as it is wanted, each time as a `harness run` of its own.
///
/// It may be begun again at any time, by anybody: what is finished is not run again, and
/// what was left unfinished stays beside it.
public struct CellTask: Sendable {
  let folder: NightFolder
  /// The program that has `run`.
  let harness: String
  let budget: TimeSpan?
  let deadline: Date?

  /// Runs that are lost before it is given up.
  private static let losses = 3
  /// How long a run has to write its results when it is told to end.
  static let grace: TimeInterval = 60

  /// - Parameters:
  ///   - folder: the night's: it has the kernels, and takes the runs.
  ///   - night: of which the plan's budget and the deadline are used, and nothing else.
  ///   - harness: the path of the program that has `run`.
  public init(folder: NightFolder, night: Night, harness: String) {
    self.folder = folder
    self.harness = harness
    budget = night.plan.budget
    deadline = night.deadline
  }

  /// Returns when the cell has its runs, or when no further one is to be begun: the deadline has
  /// come, three did not finish, or this task was cancelled, which tells the run to end, and kills
  /// it after 60 s. A cell whose kernel is not there gets runs that say so.
  ///
  /// Throws where the folder cannot be written, or the program cannot be started.
  public func run(_ assignment: Assignment) async throws {
    let cell = assignment.cell
    try FileManager.default.createDirectory(
      atPath: folder.file("cells/\(cell.folder)"), withIntermediateDirectories: true)
    var losses = 0
    while folder.finishedRuns(of: cell) < assignment.runs, losses < Self.losses,
      !Task.isCancelled, deadline.map({ Date() < $0 }) ?? true
    {
      let before = folder.finishedRuns(of: cell)
      try await runOnce(cell)
      if folder.finishedRuns(of: cell) == before { losses += 1 }
    }
  }

  private func runOnce(_ cell: Cell) async throws {
    let number = (folder.runs(of: cell).last?.number ?? 0) + 1
    let run = "cells/\(cell.folder)/run-\(number)"
    let entry = NightKernels.load(from: folder)?.entry(cell.kernel.name)
    guard let image = entry?.image else {
      try writeFailure(
        entry?.failure ?? HarnessFailure(.harness, "its kernel was not prepared"), to: run)
      return
    }
    let left = deadline.map { $0.timeIntervalSinceNow }
    let budget = [(cell.scenario.budget ?? budget)?.seconds, left].compactMap(\.self).min()
    if let host = ProcessInfo.processInfo.environment["SLURMD_NODENAME"] {
      try folder.write(host, to: "\(run).host")
    }
    let log = try FileDescriptor.open(
      FilePath(folder.file("\(run).log")), .writeOnly,
      options: [.create, .truncate, .closeOnExec], permissions: [.ownerReadWrite, .groupRead])
    defer { try? log.close() }
    let null = try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec)
    defer { try? null.close() }
    let process = try await TetheredProcess.spawn(
      executable: harness,
      arguments: cell.arguments(image: image, out: folder.file(run), budget: budget),
      descriptors: [0: null, 1: log, 2: log])
    await withTaskCancellationHandler {
      _ = await process.exitStatus()
    } onCancel: {
      process.signal(SIGTERM)
      // It has to have ended by then; what it started ends with it.
      Task.detached {
        try? await Task.sleep(for: .seconds(Self.grace))
        process.terminate()
      }
    }
  }

  /// A run that could not begin, as a run's folder.
  private func writeFailure(_ failure: HarnessFailure, to run: String) throws {
    let now = Date()
    var record = RunRecord(begun: now, commandLine: [harness], seed: 0)
    record.error = failure
    record.exitCode = Verdict.error(failure).exitCode
    record.finishedAt = now
    record.durationSeconds = 0
    try RunFolder(creating: folder.file(run), record: record).writeReports(of: record)
  }
}
