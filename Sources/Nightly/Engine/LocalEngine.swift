import Foundation
import HarnessKit

/// Runs cells on this host, as many at once as its CPUs and its memory are enough for.
public actor LocalEngine: NightEngine {
  public nonisolated let pollSeconds = 1.0

  private let folder: NightFolder
  private let task: CellTask
  private let capacity: Capacity
  private let prepareKernels: @Sendable () async throws -> Void
  private var waiting: [Assignment] = []
  private var running: [Cell.ID: (cell: Cell, task: Task<Void, any Error>)] = [:]
  private var failure: (any Error)?
  private var isCancelled = false

  /// - Parameters:
  ///   - harness: the path of the program that has `run`.
  ///   - capacity: what the cells that run at once may reserve together.
  ///   - prepareKernels: is called by `prepare`, and leaves `kernels.json` in the folder.
  public init(
    folder: NightFolder, night: Night, harness: String, capacity: Capacity,
    prepareKernels: @escaping @Sendable () async throws -> Void
  ) {
    self.folder = folder
    self.capacity = capacity
    self.prepareKernels = prepareKernels
    task = CellTask(folder: folder, night: night, harness: harness)
  }

  public func prepare() async throws { try await prepareKernels() }

  public func submit(_ assignments: [Assignment]) {
    waiting += assignments
    waiting.sort { $0.seconds > $1.seconds }
    fill()
  }

  public func open() throws -> [Cell.ID: String] {
    if let failure { throw failure }
    var open = running.mapValues { _ in "running" }
    for assignment in waiting { open[assignment.cell.id] = open[assignment.cell.id] ?? "waiting" }
    return open
  }

  public func cancel() async {
    isCancelled = true
    waiting = []
    let tasks = running.values.map(\.task)
    for task in tasks { task.cancel() }
    for task in tasks { _ = await task.result }
  }

  /// The first that fits, the slowest first.
  private func fill() {
    guard !isCancelled else { return }
    while let index = waiting.firstIndex(where: { assignment in
      running[assignment.cell.id] == nil
        && capacity.hasRoom(
          for: assignment.cell.machine, beside: running.values.map(\.cell.machine))
    }) {
      let assignment = waiting.remove(at: index)
      let cell = assignment.cell
      running[cell.id] = (
        cell,
        Task { [task] in
          let result: Result<Void, any Error>
          do {
            result = .success(try await task.run(assignment))
          } catch {
            result = .failure(error)
          }
          ended(cell, result)
        }
      )
    }
  }

  private func ended(_ cell: Cell, _ result: Result<Void, any Error>) {
    running[cell.id] = nil
    if case .failure(let error) = result, !isCancelled { failure = failure ?? error }
    fill()
  }
}

extension Capacity {
  /// This host's, as it is now.
  public static func host() -> Capacity {
    Capacity(
      cpus: ProcessInfo.processInfo.activeProcessorCount,
      memoryMiB: HostMemory.availableMiB() ?? 2048)
  }
}
