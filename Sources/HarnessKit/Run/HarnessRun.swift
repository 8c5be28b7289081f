import Foundation
import GuestWire
import Synchronization
import SystemPackage

/// What is asked for on the command line.
public struct RunRequest: Sendable {
  /// Nil for Debian's 6.12.
  public var kernel: KernelReference?
  /// What of it is not to be found from its image.
  public var kernelParts = Kernel.Parts()
  /// A module built elsewhere; nil to build it.
  public var module: String?
  /// The run's folder; nil for `runs/<time>-<kernel>`.
  public var out: String?
  /// Run in this order by the first provider, and then by the next.
  public var scenarios: [Scenario]
  /// Nil for all that the kernel offers.
  public var providers: [Provider]?
  /// Each trial's is derived from it and the trial's index.
  public var seed: UInt64
  /// Nil for as many as the work wants.
  public var pages: Int?
  /// Length of a stress, or of another tool's run.
  public var stressSeconds: Int
  /// The longest that a hold may last; a slow kernel gets a multiple of it.
  public var holdTimeoutMilliseconds: Int
  /// A file of `qemu/machines`, without `.json`.
  public var machine: String
  /// A wish: the record has what came of it.
  public var accelerator: AcceleratorChoice
  /// Nil for the machine's own, or more where the kernel takes more.
  public var memoryMiB: Int?
  /// Likewise.
  public var cpus: Int?
  /// zswap's; nil for the kernel's own.
  public var compressor: String?
  /// Likewise; either has to be built into the kernel.
  public var zpool: String?
  /// Nil for all of the trials.
  public var part: RunPart?
  /// Further words for the guest kernel.
  public var kernelWords: [String]
  /// When no further trial is begun, in seconds from the start; nil for never.
  public var budgetSeconds: Double?
  /// Of the finding that is looked for: see `Finding.isTarget`.
  public var target: String?
  /// Whether no further trial is begun after the first finding.
  public var failsFast: Bool
  /// Whether no further trial is begun after one that brought the target.
  public var stopsAtTarget = false
  /// How often a finding's schedule is run again.
  public var reproductions: Int
  /// See `GuestRun.silenceLimit`, in seconds.
  public var silenceLimit: Int
  /// Guests at once; nil for as many as the host bears.
  public var jobs: Int?
  /// Whether guests may be started from a saved one.
  public var snapshot: Bool
  /// As it was called, for the record.
  public var commandLine: [String]

  /// Where `--confirm` says nothing.
  public static let defaultReproductions = 5

  /// All that is not given is as the command line has it by default.
  public init(scenarios: [Scenario], seed: UInt64, commandLine: [String]) {
    self.scenarios = scenarios
    self.seed = seed
    self.commandLine = commandLine
    stressSeconds = Scenario.defaultStressSeconds
    holdTimeoutMilliseconds = Scenario.defaultHoldTimeoutMilliseconds
    machine = "q35"
    accelerator = .auto
    kernelWords = []
    failsFast = false
    reproductions = RunRequest.defaultReproductions
    silenceLimit = GuestRun.silenceLimit
    snapshot = true
  }
}

/// A run from end to end: prepares kernel and guest, boots as often as it takes,
/// judges, and keeps the results.
public struct HarnessRun: Sendable {
  let request: RunRequest
  let checkout: Checkout
  let cache: Cache
  let progress: StatusLine
  /// Told of each trial once, as soon as it is judged; those of a guest that was lost are
  /// only in the record.
  public var onTrial: (@Sendable (TrialJudgement) -> Void)?

  /// - Parameter progress: is told of each phase; the caller ends its line.
  public init(_ request: RunRequest, checkout: Checkout, cache: Cache, progress: StatusLine) {
    self.request = request
    self.checkout = checkout
    self.cache = cache
    self.progress = progress
  }

  /// What came of it. The folder is complete when this returns.
  public struct Outcome: Sendable {
    /// What stands in `result.json`.
    public var record: RunRecord
    /// The run's, as it was given or made up; it may be relative.
    public var folder: String
  }

  /// What came of it where its folder could not be completed: nobody else has it.
  public struct UnwrittenResults: Error, Sendable, CustomStringConvertible {
    /// Whole in memory; its folder has what could be written.
    public var outcome: Outcome
    /// Why not all of it is there: a full disk, mostly.
    public var cause: any Error

    public var description: String {
      "\(cause)\n  The results in \(outcome.folder) are not complete: make room, and run it again."
    }
  }

  /// Runs. Throws `RunFolderError` where the results' folder cannot be made, and
  /// `UnwrittenResults` where it cannot be completed: every other failure is the record's.
  public func run() async throws -> Outcome {
    let start = Date()
    var record = RunRecord(begun: start, commandLine: request.commandLine, seed: request.seed)
    record.target = request.target
    record.harness = await checkout.revision()
    let folder =
      if let out = request.out {
        try RunFolder(creating: out, record: record)
      } else {
        try RunFolder(
          at: start, kernel: request.kernel?.name ?? "debian-stock", record: record)
      }
    let absolute = URL(filePath: folder.path).path

    var trials: [JudgedTrial] = []
    let deadline = request.budgetSeconds.map { start.addingTimeInterval($0) }
    var stray: [Finding] = []
    var failures: [HarnessFailure] = []
    var vmlinux: FilePath?
    do {
      let prepared = try await RunPreparation(run: self, folder: absolute).prepare()
      record.kernel = prepared.kernelRecord
      record.module = prepared.moduleRecord
      record.machine = prepared.machineRecord
      record.notes += prepared.notes
      vmlinux = prepared.vmlinux
      try folder.write(record)

      defer { try? FileManager.default.removeItem(atPath: prepared.commandLine.disk) }
      let outcome = await GuestFleet(
        prepared: prepared, folder: folder, cache: cache, silenceLimit: request.silenceLimit,
        status: progress, deadline: deadline,
        isLast: isLast
      ).run()
      trials = Self.judge(prepared.specs, outcome, request)
      failures += outcome.failures
      record.guests = outcome.guests
      record.notes += outcome.notes
      record.points = Self.sum(outcome.results.flatMap(\.points))
      for result in outcome.results {
        if let release = result.release { record.kernel?.release = release }
        let judged = Judge.stray(
          result.bootSplats + (result.leaks.map { KmemleakReport.splats(in: $0.text) } ?? []),
          isEmulated: prepared.commandLine.acceleration == .tcg)
        stray += judged.findings
        failures += judged.failures
        if result.omittedSplats > 0 {
          stray.append(.consoleFlood(omitted: result.omittedSplats))
        }
        if let failure = result.failure { failures.append(failure) }
      }
      if prepared.hasKmemleak {
        let asked = outcome.results.count { $0.leaks != nil && $0.leaks?.problem == nil }
        record.notes.append(
          "kmemleak: asked at the end of \(asked) of \(outcome.results.count) guests; one that"
            + " ends with a finding, or at a time limit, is not")
        record.notes += outcome.results.compactMap(\.leaks?.problem).prefix(1)
          .map { "kmemleak: \($0)" }
      }
      try await keepCoverage(
        outcome.results.flatMap(\.coverage), prepared.buildTree, folder, in: &record)
      if outcome.failures.isEmpty, outcome.results.allSatisfy({ $0.failure == nil }),
        !Task.isCancelled
      {
        record.reproductions = try await confirm(
          trials.map(\.judgement), prepared, folder, until: deadline)
      }
    } catch {
      failures.append(HarnessFailure(error))
    }
    if Task.isCancelled { failures = [HarnessFailure(.harness, RunRecord.interruption)] }

    let judgement = RunJudgement.conclude(
      trials.map(\.judgement), stray: stray, failures: failures)
    record.trials = trials.map {
      TrialRecord($0.judgement, report: $0.report, secondsFromReady: $0.secondsFromReady)
    }
    record.finish(judgement, at: Date())
    if record.status == .fail { record.cutShort = whyCutShort(trials, failures) }
    if let vmlinux { await tellLines(by: vmlinux, in: &record) }
    record.notes += RandomSummary(of: record).lines.map(\.trimmed)
    record.notes += [record.noteOfTrialsWithoutRule].compactMap(\.self)
    let outcome = Outcome(record: record, folder: folder.path)
    do {
      // First what all the others can be made of again.
      try folder.write(record)
      try folder.writeReports(of: record)
    } catch {
      throw UnwrittenResults(outcome: outcome, cause: error)
    }
    return outcome
  }

  /// Why trials were left out beside a finding, which is all that the status tells; nil where
  /// none was, or where the finding itself was to end the run.
  private func whyCutShort(_ trials: [JudgedTrial], _ failures: [HarnessFailure]) -> String? {
    guard trials.contains(where: { $0.secondsFromReady == nil && $0.report == nil }) else {
      return nil
    }
    if let failure = failures.first { return failure.message }
    return request.budgetSeconds != nil && !request.failsFast && !request.stopsAtTarget
      ? Self.budgetUsed : nil
  }

  private static let budgetUsed = "the budget was used up"

  /// Gives the findings' stacks their lines in the source, where that is to be had.
  private func tellLines(by vmlinux: FilePath, in record: inout RunRecord) async {
    guard record.findings.contains(where: { !$0.frames.isEmpty }) else { return }
    progress.phase("looking up the stacks in \(vmlinux)")
    do {
      let told = try await SourceLines(vmlinux: vmlinux).annotate(record.findings)
      record.findings = told.findings
      if let why = told.why { record.notes.append("stacks without file and line: \(why)") }
    } catch {
      record.notes.append("stacks without file and line: \(error)")
    }
  }

  /// Adds up what the guests counted, into the record and `coverage.json`.
  private func keepCoverage(
    _ counted: [CoverageData], _ buildTree: FilePath?, _ folder: RunFolder,
    in record: inout RunRecord
  ) async throws {
    guard !counted.isEmpty, let buildTree else { return }
    progress.phase("reading the coverage")
    let gcov = Gcov(buildTree: buildTree)
    var files: [FileCoverage] = []
    for data in counted {
      let one = try await gcov.coverage(of: data, using: FilePath(folder.path))
      if let index = files.firstIndex(where: { $0.file == one.file }) {
        files[index] = try files[index].adding(one)
      } else {
        files.append(one)
      }
    }
    record.coverage = files.map {
      .init(file: $0.file, lines: $0.lineShare, branches: $0.branchShare)
    }
    try folder.replace("coverage.json", with: [UInt8](try JSONText.line(files)))
  }

  /// Whether no trial is begun after this one; nil where it is the last of no run.
  private var isLast: (@Sendable (GuestRun.Evidence) -> Bool)? {
    guard request.failsFast || request.stopsAtTarget || onTrial != nil else { return nil }
    let told = Mutex(Set<Int>())
    return { [request, onTrial] evidence in
      let judgement = Self.judge(evidence)
      if let onTrial, told.withLock({ $0.insert(evidence.spec.index).inserted }) {
        onTrial(judgement)
      }
      if request.stopsAtTarget, judgement.findings.contains(where: { $0.isTarget(request.target) })
      {
        return true
      }
      return request.failsFast && judgement.hasFailed
    }
  }

  /// The hook points of each provider, with the hits of all guests.
  static func sum(_ points: [ProviderPoints]) -> [ProviderPoints] {
    var sums: [ProviderPoints] = []
    for one in points {
      guard let index = sums.firstIndex(where: { $0.provider == one.provider }) else {
        sums.append(one)
        continue
      }
      for status in one.points {
        if let known = sums[index].points.firstIndex(where: { $0.point == status.point }) {
          let hits = sums[index].points[known].hits.addingSaturated(status.hits)
          sums[index].points[known].hits = hits
        } else {
          sums[index].points.append(status)
        }
      }
    }
    return sums
  }

  /// Findings that are tried again at the most: the first of a run explain the rest.
  private static let reproducedFindings = 3

  /// Runs the schedules of the first findings again, each time in a fresh guest, in
  /// the shortest form that still brings the finding.
  private func confirm(
    _ trials: [TrialJudgement], _ prepared: RunPreparation.Prepared, _ folder: RunFolder,
    until deadline: Date?
  ) async throws -> [Reproduction] {
    var reproductions: [Reproduction] = []
    func mayGoOn() -> Bool { !Task.isCancelled && deadline.map { Date() < $0 } ?? true }
    guard request.reproductions > 0 else { return [] }
    for trial in trials where reproductions.count < Self.reproducedFindings && mayGoOn() {
      guard var schedule = trial.spec.schedule,
        let finding = trial.findings.first(where: { $0.known == nil }),
        !reproductions.contains(where: { $0.fingerprint == finding.fingerprint })
      else { continue }
      func again(_ schedule: Schedule, times: Int) async throws -> Reproduction {
        var result = Reproduction(
          schedule: schedule, provider: trial.spec.provider, fingerprint: finding.fingerprint)
        for _ in 0..<times where mayGoOn() {
          progress.update("again: \(schedule)")
          var single = prepared
          var spec = trial.spec
          spec.work = .schedule(schedule)
          single.specs = [spec]
          single.jobs = 1
          let outcome = await GuestFleet(
            prepared: single, folder: folder, cache: cache, silenceLimit: request.silenceLimit,
            status: progress, deadline: deadline
          ).run()
          if let failure = outcome.failures.first { throw failure }
          for judged in Self.judge(single.specs, outcome, request) {
            result.count(judged.judgement, seconds: judged.secondsFromReady)
          }
        }
        return result
      }
      progress.phase("trying “\(finding.title)” again")
      while let simpler = try await schedule.simpler(on: trial.spec.lru).firstAsync({
        try await again($0, times: 1).failures == 1
      }) {
        schedule = simpler
      }
      reproductions.append(try await again(schedule, times: request.reproductions))
    }
    return reproductions
  }

  struct JudgedTrial {
    var judgement: TrialJudgement
    var report: TrialReport?
    var secondsFromReady: Double?
  }

  /// Every trial that the run meant to make: one that no guest has begun is unreported, and
  /// no run that has one is a pass.
  static func judge(
    _ specs: [TrialSpec], _ outcome: GuestFleet.Outcome, _ request: RunRequest
  ) -> [JudgedTrial] {
    let evidence = Dictionary(
      outcome.results.flatMap(\.trials).map { ($0.spec.index, $0) },
      uniquingKeysWith: { first, _ in first }
    )
    let notBegun =
      if !outcome.failures.isEmpty || outcome.results.contains(where: { $0.failure != nil }) {
        "it was not begun"
      } else if request.failsFast, evidence.values.contains(where: { judge($0).hasFailed }) {
        "it was not begun, after the first finding"
      } else {
        request.budgetSeconds == nil ? "it was not begun" : "\(budgetUsed) before it"
      }
    return specs.map { spec in
      guard let trial = evidence[spec.index] else {
        return JudgedTrial(judgement: .unreported(spec, splats: [], why: notBegun))
      }
      return JudgedTrial(
        judgement: judge(trial), report: trial.report,
        secondsFromReady: trial.secondsFromReady)
    }
  }

  static func judge(_ trial: GuestRun.Evidence) -> TrialJudgement {
    var judgement =
      if let report = trial.report {
        Judge.judge(
          spec: trial.spec, report: report, splats: trial.splats, notices: trial.notices,
          isCut: trial.isCut)
      } else {
        TrialJudgement.unreported(
          trial.spec, splats: trial.splats, why: "the guest was lost in it")
      }
    if var loss = trial.loss {
      loss.schedule = trial.spec.schedule
      loss.trial = trial.spec.index
      judgement.findings.append(loss)
    }
    return judgement
  }
}

extension [Schedule] {
  fileprivate func firstAsync(
    _ isWanted: (Schedule) async throws -> Bool
  ) async throws -> Schedule? {
    for schedule in self where try await isWanted(schedule) { return schedule }
    return nil
  }
}
