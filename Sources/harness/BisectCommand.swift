import ArgumentParser
import Bisect
import BisectRun
import Foundation
import GuestWire
import HarnessKit
import SystemPackage

/// `harness bisect`: which commit brought a finding, or made it go.
struct BisectCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bisect",
    abstract: "Finds the commit that brought a finding, also one that shows only now and then.",
    discussion: """
      Builds in a tree of its own: your checkout, index and bisect state are not touched. \
      Tries both ends first, then the commit whose trials tell most a second, and stops when \
      one commit is as sure as --confidence says. Each trial is on the disk before the next: \
      stop it at any moment, and go on with --resume.

      EXAMPLES
        harness bisect --tree ~/linux --good v6.12 --bad HEAD
        harness bisect --good v6.12 --bad HEAD --finding "in shrink_memcg_cb" -- mm include/linux
        harness bisect --good v6.12 --bad HEAD --schedule "writeback@unlocked > swapoff@trees-freed"
        harness bisect --bad v6.11 --good HEAD --find fix
        harness bisect --good v6.12 --bad HEAD --dry-run

      EXIT STATUS
        0 found; 2 the harness or the host broke: go on with --resume; 3 an end cannot be built, \
      booted or used; 4 no answer: the finding does not show, or not differently; 64 bad usage
      """)

  enum Sought: String, ExpressibleByArgument, CaseIterable {
    case bug, fix
  }

  @Option(help: ArgumentHelp("A Linux tree with its history (default: .).", valueName: "dir"))
  var tree = "."

  @Option(help: ArgumentHelp("A commit without the bug.", valueName: "rev"))
  var good: String

  @Option(help: ArgumentHelp("A commit with it.", valueName: "rev"))
  var bad: String

  @Option(help: "bug: the first bad commit; fix: the one that made it good.")
  var find = Sought.bug

  @Option(
    help: ArgumentHelp(
      "The finding that counts, by its fingerprint or a part of its title (default: any).",
      valueName: "text"))
  var finding: String?

  @Option(
    help: ArgumentHelp(
      "A schedule that is a trial; may be repeated (default: the whole sweep, until it has "
        + "brought the finding, then the schedule that did).", valueName: "point > point"),
    transform: parsedSchedule)
  var schedule: [Schedule] = []

  @Option(help: "How sure the answer has to be.")
  var confidence = 0.99

  @Option(
    name: .customLong("with"),
    help: ArgumentHelp("Fragments of the kernels' configuration.", valueName: "fragment,..."))
  var fragments = FragmentList(argument: "kasan")

  @Option(help: "Trials at the bad end after which it is given up that the finding shows.")
  var endTrials = 300

  @Option(help: ArgumentHelp("End after so many trials.", valueName: "number"))
  var maxTrials: Int?

  @OptionGroup var guests: JobsOption

  @Option(
    help: ArgumentHelp(
      "The bisection's folder (default: runs/bisect-<ends>).", valueName: "dir"))
  var out: String?

  @Flag(help: "Say what there is to do and how long it may take, and do nothing.")
  var dryRun = false

  @Flag(help: "Go on where it was interrupted.")
  var resume = false

  @Argument(help: "Only commits that touch these.")
  var paths: [String] = []

  // For the tests of all that is around the kernels.
  @Option(help: .hidden) var simulate: String?

  func validate() throws {
    guard (0.5..<1).contains(confidence) else {
      throw ValidationError("--confidence is at least 0.5 and below 1")
    }
    guard (1...100_000).contains(endTrials) else {
      throw ValidationError("--end-trials is 1 to 100000")
    }
    if let maxTrials, maxTrials < 1 { throw ValidationError("--max-trials is 1 or more") }
  }

  func run() async throws {
    try await reportingFailures {
      let repository = try await Self.repository(of: tree)
      let (oldName, newName) = find == .fix ? (bad, good) : (good, bad)
      let history = try await CommitHistory.read(
        repository, from: oldName, to: newName, paths: paths)
      let plan = BisectPlan(
        old: history.commits[0].hash, new: history.commits[history.graph.newEnd].hash,
        paths: paths, target: finding, schedules: schedule.map(\.description),
        fragments: fragments.names,
        options: Bisection.Options(
          confidence: confidence, endTrials: endTrials, trialLimit: maxTrials,
          findsFix: find == .fix))
      if dryRun {
        print(Self.forecast(plan, history), terminator: "")
        return
      }
      let report = try await bisect(plan, history, repository)
      print(report.text, terminator: "")
      throw ExitCode(report.exitCode)
    }
  }

  private func bisect(
    _ plan: BisectPlan, _ history: CommitHistory, _ repository: FilePath
  ) async throws -> BisectReport {
    let folder =
      out ?? "runs/bisect-\(plan.old.prefix(12))-\(plan.new.prefix(12))"
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    let (journal, entries) = try BisectJournal.open(
      "\(folder)/journal.jsonl", plan: plan, resume: resume)
    let status = StatusLine()
    defer { status.finish() }
    let narrowed = entries.compactMap { entry in
      if case .narrowed(let text) = entry { try? Schedule(parsing: text) } else { nil }
    }
    let lab: any BisectLab
    if let simulate {
      lab = try SimulatedLab(reading: simulate, repository: repository)
    } else {
      lab = try kernelLab(
        plan, repository, folder, status, schedules: schedule.isEmpty ? narrowed : schedule
      ) { schedule in
        // Should it not be written, the sweep finds it again after a resumption.
        try? journal.append(.narrowed(schedule: schedule.description))
      }
    }
    let job = BisectJob(
      plan: plan, history: history, lab: lab, journal: journal, status: status)
    let state = try job.state(after: entries)
    if entries.count > 1 {
      Progress.note(
        "going on after \(state.bisection.trials) trials of \(state.bisection.builds) kernels")
    }
    let (conclusion, end): (Bisection.Conclusion, BisectJob.State)
    do {
      (conclusion, end) = try await Interruption.cancelling { try await job.run(from: state) }
    } catch is CancellationError {
      throw BisectError("bisect", folder, "interrupted", advice: "Go on with --resume.")
    }
    let report = BisectReport(plan: plan, history: history, conclusion: conclusion, state: end)
    let results = RunFolder(existing: folder)
    try results.write(report.gitLog, to: "bisect.log")
    try results.write(report.text, to: "report.txt")
    status.finish()
    Progress.note("results: \(folder) (git bisect replay \(folder)/bisect.log)")
    return report
  }

  private func kernelLab(
    _ plan: BisectPlan, _ repository: FilePath, _ folder: String, _ status: StatusLine,
    schedules: [Schedule], onNarrowed: @escaping @Sendable (Schedule) -> Void
  ) throws -> KernelLab {
    let checkout = try Checkout.locate()
    let cache = try Cache.standard()
    var request = RunRequest(
      scenarios: Scenario.standard, seed: 0, commandLine: CommandLine.arguments)
    request.target = plan.target
    request.jobs = guests.jobs
    return KernelLab(
      builds: try SuccessiveBuild(
        repository: repository, fragments: plan.fragments, checkout: checkout, cache: cache),
      request: request, schedules: schedules, folder: folder, checkout: checkout, cache: cache,
      status: status, onNarrowed: onNarrowed)
  }

  /// The top of the repository.
  static func repository(of tree: String) async throws -> FilePath {
    guard
      let top = try? await Tool.git(in: FilePath(tree)).run(["rev-parse", "--show-toplevel"])
        .lines.first
    else {
      throw BisectError(
        "bisect", tree, "there is no git repository",
        advice: "Give a Linux tree with its history: --tree DIR.", fault: .usage)
    }
    return FilePath(top)
  }

  private static func forecast(_ plan: BisectPlan, _ history: CommitHistory) -> String {
    var lines = [
      "\(history.graph.count - 1) commits between \(history.commits[0].hash.prefix(12)) and "
        + "\(history.commits[history.graph.newEnd].hash.prefix(12))"
        + (history.graph.isLinear ? "" : ", with merges"),
      "first both ends, then:", "",
      "finding shows in    kernels    trials    time",
    ]
    for estimate in BisectForecast.estimates(plan, history) {
      let rate = "\(Int(estimate.rate * 100)) % of trials"
      lines.append(
        rate.padded(to: 20)
          + "\(Int(estimate.builds.rounded()))".padded(to: 11)
          + "\(Int(estimate.trials.rounded()))".padded(to: 10) + BisectReport.time(estimate.seconds)
      )
    }
    lines += [
      "",
      "at \(Int(plan.options.buildSeconds)) s a kernel and \(Int(plan.options.trialSeconds)) s a "
        + "trial, as long as neither was measured; the first kernel takes 5 to 15 min more",
    ]
    return lines.joined(separator: "\n") + "\n"
  }
}
