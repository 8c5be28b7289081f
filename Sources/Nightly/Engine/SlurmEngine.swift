import Foundation
import HarnessKit

/// Hands cells to Slurm: kernels first, then an array of tasks for each shape of machine, and
/// a last job that goes on with the night where nobody waits for it.
///
/// Results come through the night's folder alone, which has to be on a file system that all
/// nodes have. The history is written by whoever is at the night, and by no task.
public actor SlurmEngine: NightEngine {
  public nonisolated let pollSeconds = 3.0

  private let folder: NightFolder
  private let night: Night
  /// What has `run`.
  private let harness: String
  /// What has `nightly`.
  private let program: String

  /// What was submitted, as the folder keeps it: another process may go on.
  private struct Jobs: Codable {
    struct Array: Codable {
      var job: String
      var blocks: String
    }

    var build: String?
    var arrays: [Array] = []
    var last: String?
  }

  private static let file = "slurm/jobs.json"

  /// - Parameters:
  ///   - folder: the night's, on a file system that all nodes have.
  ///   - night: whose plan has the options for sbatch, and whose key the jobs are named by.
  ///   - harness: the path of the program that has `run`, as nodes find it.
  ///   - program: of the one that has `nightly`, likewise; another one only in tests.
  public init(
    folder: NightFolder, night: Night, harness: String, program: String
  ) {
    self.folder = folder
    self.night = night
    self.harness = harness
    self.program = program
  }

  /// Jobs of this night and of no other.
  private var name: String { "zswap-\(night.key.prefix(8).lowercased())" }

  private func jobs() -> Jobs {
    FileManager.default.contents(atPath: folder.file(Self.file))
      .flatMap { try? JSONDecoder().decode(Jobs.self, from: $0) } ?? Jobs()
  }

  private func save(_ jobs: Jobs) throws {
    try folder.write([UInt8](try JSONEncoder().encode(jobs)), to: Self.file)
  }

  public func prepare() async throws {
    try FileManager.default.createDirectory(
      atPath: folder.file("slurm"), withIntermediateDirectories: true)
    var jobs = jobs()
    // One that was cancelled, or lost with its node, has left nothing but its number.
    guard try await !isQueued(jobs.build), NightKernels.load(from: folder) == nil else { return }
    jobs.build = try await sbatch(
      ["--cpus-per-task=2", "--output=\(folder.file("slurm/kernels.log"))"],
      call: [program, "nightly", "kernels", folder.path])
    try save(jobs)
  }

  public func submit(_ assignments: [Assignment]) async throws {
    var jobs = jobs()
    let isBuilding = try await isQueued(jobs.build)
    var submitted: [String] = []
    let options = night.plan.slurm
    for (shape, blocks) in SlurmBlocks.pack(assignments, about: options.block) {
      let file = "slurm/blocks-\(jobs.arrays.count + 1).json"
      try folder.write([UInt8](try JSONText.document(blocks)), to: file)
      let throttle = options.throttle.map { "%\($0)" } ?? ""
      let cells = blocks.map { $0.map(\.runs).reduce(0, +) }.max() ?? 1
      let minutes = Int((Double(cells) * options.cellLimit.seconds / 60).rounded(.up))
      var words = [
        "--array=0-\(blocks.count - 1)\(throttle)", "--cpus-per-task=\(shape.cpus)",
        "--mem=\(shape.memoryMiB)M", "--time=\(max(1, minutes))", "--requeue",
        "--open-mode=append", "--signal=B:TERM@\(Int(options.notice.seconds))",
        "--output=\(folder.file("slurm/%A_%a.log"))",
      ]
      if isBuilding, let build = jobs.build { words.append("--dependency=afterany:\(build)") }
      var call = [program, "nightly", "task", folder.path, "--blocks", file]
      if harness != program { call += ["--runner", harness] }
      let job = try await sbatch(
        words, call: call + ["--block"], suffix: #" "$SLURM_ARRAY_TASK_ID""#)
      jobs.arrays.append(Jobs.Array(job: job, blocks: file))
      submitted.append(job)
      try save(jobs)
    }
    // One that has come while somebody was at the night has gone again.
    if !submitted.isEmpty, try await !isQueued(jobs.last) {
      let all = submitted.joined(separator: ":")
      var call = [program, "nightly", "resume", folder.path]
      if harness != program { call += ["--runner", harness] }
      jobs.last = try await sbatch(
        ["--dependency=afterany:\(all)", "--output=\(folder.file("slurm/report.log"))"],
        call: call)
      try save(jobs)
    }
  }

  public func open() async throws -> [Cell.ID: String] {
    let jobs = jobs()
    let states = try await queue()
    var open: [Cell.ID: String] = [:]
    for array in jobs.arrays {
      let blocks = try SlurmBlocks.load(array.blocks, from: folder)
      for (index, block) in blocks.enumerated() {
        guard let state = states["\(array.job)_\(index)"] else { continue }
        let word = state == "RUNNING" ? "running" : "waiting"
        for assignment in block {
          // Of a block that runs, those before this one are over.
          let isDone = folder.finishedRuns(of: assignment.cell) >= assignment.runs
          if !isDone { open[assignment.cell.id] = word }
        }
      }
    }
    return open
  }

  /// Whether Slurm has not done with a job.
  private func isQueued(_ job: String?) async throws -> Bool {
    guard let job else { return false }
    return try await queue().keys.contains { $0.hasPrefix("\(job)_") }
  }

  /// For how long its controller may be away, restarted or busy, in seconds: tasks go on
  /// meanwhile.
  private static let patience = 600

  /// Tasks and jobs of this night that Slurm has not done with. A controller that does not
  /// answer is asked again.
  private func queue() async throws -> [String: String] {
    let end = ContinuousClock.now + .seconds(Self.patience)
    while true {
      do {
        return try await states()
      } catch {
        guard case .exited = error.reason, ContinuousClock.now < end else { throw error }
        try await Task.sleep(for: .seconds(10))
      }
    }
  }

  private func states() async throws(ToolError) -> [String: String] {
    let result = try await Tool("squeue").run([
      "--noheader", "--array", "--me", "--name=\(name)", "--format=%F_%K %T",
    ])
    var states: [String: String] = [:]
    for line in result.lines {
      let words = line.split(separator: " ").map(String.init)
      if words.count == 2 { states[words[0]] = words[1] }
    }
    return states
  }

  public func cancel() async {
    let jobs = jobs()
    let arrays = jobs.arrays.map(\.job)
    let ids = arrays + [jobs.build].compactMap(\.self)
    guard !ids.isEmpty else { return }
    // What waits goes at once, with the last job; what runs is told, and may save.
    _ = try? await Tool("scancel").run(
      ["--state=PENDING"] + ids + [jobs.last].compactMap(\.self), accepting: { _ in true })
    _ = try? await Tool("scancel").run(
      ["--batch", "--signal=TERM"] + ids, accepting: { _ in true })
    let patience = ContinuousClock.now + .seconds(CellTask.grace + 30)
    while ContinuousClock.now < patience {
      // No answer does not say that nothing runs.
      let left = await Task.detached { try? await self.states() }.value
      let isRunning = left?.keys.contains { key in ids.contains { key.hasPrefix("\($0)_") } }
      if isRunning == false { return }
      // Its own: the task that waits may have been cancelled.
      await Task.detached { try? await Task.sleep(for: .seconds(1)) }.value
    }
    _ = try? await Tool("scancel").run(ids, accepting: { _ in true })
  }

  /// Submits a script of one line, and returns its job's number.
  private func sbatch(
    _ words: [String], call: [String], suffix: String = ""
  ) async throws -> String {
    let options = night.plan.slurm
    var words = ["--parsable", "--job-name=\(name)"] + words
    if let partition = options.partition { words.append("--partition=\(partition)") }
    if let account = options.account { words.append("--account=\(account)") }
    words += options.options
    // It becomes the program, so that a signal to the batch script reaches it.
    let script = "exec " + call.map(\.quotedForShell).joined(separator: " ") + suffix
    let file = folder.file("slurm/\(UUID().uuidString.prefix(8)).sh")
    try folder.write(
      "#!/bin/sh\n\(script)\n", to: String(file.dropFirst(folder.path.count + 1)))
    let result = try await Tool("sbatch").run(words + [file])
    // `12;cluster` where there are several.
    guard let job = result.lines.last?.split(separator: ";").first else {
      throw NightError("submit", file, "sbatch gave no job's number")
    }
    return String(job)
  }
}
