import ArgumentParser
import Foundation
import HarnessKit
import Nightly

/// `harness nightly …`: many kernels, every night, and one page in the morning.
struct NightlyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "nightly",
    abstract: "Runs a plan of kernels by scenarios by machines, and tells what is new.",
    discussion: """
      EXAMPLES
        harness nightly --plan zswap.yaml --show    the matrix, and how long it will take
        harness nightly --plan zswap.yaml           run it; goes on where one was interrupted
        harness nightly report nights/20261126T010000Z-zswap
        harness history list

      EXIT STATUS
        0 nothing new, 1 a regression, 2 the harness or the host broke, 3 a kernel cannot be
        built, booted or used, 4 a cell did not run or entered no window, 64 bad usage
        The first line on standard output is fit for a mail's subject, the whole for its text.

      docs/nightly.md has the plan's schema.
      """,
    subcommands: [Run.self, Report.self, Task.self, Kernels.self, Resume.self],
    defaultSubcommand: Run.self)

  /// `harness nightly --plan`
  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Runs a plan, or goes on with its night that was interrupted.",
      discussion: """
        Examples:
          harness nightly --plan zswap.yaml --show
          harness nightly --plan zswap.yaml --engine slurm
        """)

    @Option(help: ArgumentHelp("The plan.", valueName: "file"))
    var plan: String

    @Flag(help: "Only show the matrix, with an estimate.")
    var show = false

    @Option(help: "Where cells run (default: the plan's).")
    var engine: Plan.EngineName?

    @OptionGroup var common: NightOptions

    func run() async throws {
      try await reportingFailures {
        let plan = try readPlan()
        if show {
          try Matrix.print(plan)
          return
        }
        let progress = StatusLine()
        defer { progress.finish() }
        func job(_ folder: NightFolder, _ lock: FileLock?) -> NightJob {
          NightJob(folder: folder, lock: lock, options: common, progress: progress)
        }
        var overdue: [(folder: NightFolder, lock: FileLock)] = []
        var next: (folder: NightFolder, lock: FileLock)?
        // Of the others the locks go at once: they are for whoever wants them.
        for night in NightFolder.takeUnfinished(of: plan) {
          if try night.folder.load().isOverdue(at: Date()) {
            overdue.append(night)
          } else {
            next = next ?? night
          }
        }
        for (folder, lock) in overdue {
          progress.phase("closing \(folder.path), whose deadline has come")
          _ = try await job(folder, lock).night()
        }
        if let (folder, lock) = next {
          progress.phase("going on with \(folder.path)")
          try await job(folder, lock).run()
        } else {
          let folder = try NightFolder.create(plan, at: Date())
          progress.phase("night \(folder.path)")
          try await job(folder, nil).run()
        }
      }
    }

    private func readPlan() throws -> Plan {
      do throws(PlanError) {
        var plan = try Plan(file: self.plan)
        if let engine { plan.engine = engine }
        // Read now: a mistake in it is not to be told at the end of the night.
        _ = try KnownFindings(file: plan.known)
        return plan
      } catch {
        throw ValidationError("\(error)")
      }
    }
  }

  /// `harness nightly report`
  struct Report: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Writes a night's reports anew, from the history.",
      discussion: """
        Examples:
          harness nightly report nights/20261126T010000Z-zswap
          harness nightly report nights/20261126T010000Z-zswap --mail | mail -s zswap list
        """)

    @Argument(help: "The night's folder.")
    var folder: String

    @Flag(help: "Print the text for a mail, and not the page's path.")
    var mail = false

    func run() async throws {
      try await reportingFailures {
        let folder = NightFolder(path: URL(filePath: folder).path)
        let night = try folder.load()
        let history = try History(existing: night.plan.history)
        let id = try history.begin(
          key: night.key, plan: night.plan.name, folder: folder.path,
          engine: night.plan.engine.rawValue, at: night.startedAt, cells: night.plan.cells.map(\.id)
        )
        let report = try NightReport(
          night: night, id: id, folder: folder, history: history,
          known: try KnownFindings(file: night.plan.known))
        try NightReports.write(report, to: folder)
        print(
          mail ? try NightReports.mail(of: report) : folder.file(NightReports.page),
          terminator: mail ? "" : "\n")
      }
    }
  }

  /// `harness nightly task`: a task of Slurm's.
  struct Task: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Runs one block of a night's cells: what a task of Slurm's calls.",
      shouldDisplay: false)

    @Argument(help: "The night's folder.") var folder: String
    @Option(help: "The file of blocks in it.") var blocks: String
    @Option(help: "Which of them.") var block: Int
    @OptionGroup var common: NightOptions

    func run() async throws {
      try await reportingFailures {
        let folder = NightFolder(path: folder)
        let night = try folder.load()
        let task = CellTask(folder: folder, night: night, harness: common.program)
        let assignments = try SlurmBlocks.load(blocks, from: folder)[block]
        try await Interruption.cancelling {
          for assignment in assignments {
            print("\(assignment.cell.id) on \(ProcessInfo.processInfo.hostName)")
            try await task.run(assignment)
          }
        }
      }
    }
  }

  /// `harness nightly kernels`: what Slurm's build job calls.
  struct Kernels: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Fetches and builds a night's kernels.", shouldDisplay: false)

    @Argument(help: "The night's folder.") var folder: String

    func run() async throws {
      try await reportingFailures {
        let folder = NightFolder(path: folder)
        let night = try folder.load()
        let progress = StatusLine()
        defer { progress.finish() }
        _ = try await NightKernels.prepare(
          night.plan, in: folder, checkout: try .locate(), cache: try .standard(),
          progress: progress)
      }
    }
  }

  /// `harness nightly resume`: what Slurm's last job calls.
  struct Resume: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Goes on with a night, unless another process is at it.",
      discussion: """
        Examples:
          harness nightly resume nights/20261126T010000Z-zswap
        """)

    @Argument(help: "The night's folder.") var folder: String
    @OptionGroup var common: NightOptions

    func run() async throws {
      try await reportingFailures {
        let folder = NightFolder(path: URL(filePath: folder).path)
        let progress = StatusLine()
        defer { progress.finish() }
        func isOver() throws -> Bool {
          let isOver = try folder.load().finishedAt != nil
          if isOver { print("The night is over: \(folder.file(NightReports.page))") }
          return isOver
        }
        if try isOver() { return }
        guard let lock = try folder.lock() else {
          print("Another process is at this night.")
          return
        }
        // And once more under the lock: who had it may just have ended the night.
        if try isOver() { return }
        try await NightJob(folder: folder, lock: lock, options: common, progress: progress).run()
      }
    }
  }
}

/// What the commands of a night share.
struct NightOptions: ParsableArguments {
  /// For the tests: a program that leaves run folders as `harness run` does.
  @Option(help: .hidden) var runner: String?

  /// What `run` is called of: a copy of this program would be rebuilt beneath a night.
  var program: String { runner ?? Self.own }

  /// This program, for what Slurm calls.
  static var own: String {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
      ?? CommandLine.arguments[0]
  }
}

extension Plan.EngineName: ExpressibleByArgument {}

/// One call that is at a night.
struct NightJob {
  let folder: NightFolder
  /// The folder's, where the caller has taken it already.
  var lock: FileLock?
  let options: NightOptions
  let progress: StatusLine

  func run() async throws {
    let report = try await night()
    progress.finish()
    print(try NightReports.mail(of: report), terminator: "")
    Progress.note("page: \(folder.file(NightReports.page))")
    throw ExitCode(report.verdict.exitCode)
  }

  func night() async throws -> NightReport {
    guard let lock = try lock ?? folder.lock() else {
      throw KernelError(
        .host, "go on with", folder.path, "another process is at this night",
        advice: "Wait for it, or end it.")
    }
    let night = try folder.load()
    let history = try History(path: night.plan.history)
    let job = NightRun(
      folder, history: history, engine: try engine(for: night), progress: progress)
    do {
      let report = try await Interruption.cancelling {
        try await job.run(mayBegin: !night.isOverdue(at: Date()))
      }
      withExtendedLifetime(lock) {}
      return report
    } catch is CancellationError {
      progress.finish()
      Progress.note(
        "harness: interrupted; the next call with this plan goes on with \(folder.path)")
      throw ExitCode(2)
    }
  }

  private func engine(for night: Night) throws -> any NightEngine {
    let checkout = try Checkout.locate()
    let cache = try Cache.standard()
    switch night.plan.engine {
    case .local:
      return LocalEngine(
        folder: folder, night: night, harness: options.program, capacity: .host()
      ) { [folder, progress] in
        _ = try await NightKernels.prepare(
          night.plan, in: folder, checkout: checkout, cache: cache, progress: progress)
      }
    case .slurm:
      return SlurmEngine(
        folder: folder, night: night, harness: options.program,
        program: NightOptions.own)
    }
  }
}

/// What `--show` prints.
private enum Matrix {
  static func print(_ plan: Plan) throws {
    let known: [Cell.ID: Double] =
      FileManager.default.fileExists(atPath: plan.history)
      ? try History(existing: plan.history).seconds() : [:]
    let capacity = plan.engine == .local ? Capacity.host() : nil
    let forecast = Forecast(plan, known: known, capacity: capacity)
    let width = forecast.rows.map(\.cell.id.count).max() ?? 0
    for row in forecast.rows {
      Swift.print(
        row.cell.id.padded(to: width + 2),
        "\(TimeSpan(seconds: row.seconds))".padded(to: 14),
        row.origin.rawValue)
    }
    Swift.print("")
    for kernel in plan.kernels { Swift.print("kernel \(kernel.name): \(kernel.words)") }
    Swift.print("")
    let runs = forecast.rows.count * plan.repeats
    var line = "\(forecast.rows.count) cells, \(runs) runs"
    if let capacity {
      line += ", on \(capacity.cpus) CPUs and \(capacity.memoryMiB) MiB"
    }
    line += ": about \(TimeSpan(seconds: forecast.seconds))"
    if capacity == nil { line += " where all can run at once" }
    Swift.print(line)
    Swift.print("Cells that fail or change are run again, up to \(plan.reruns) times.")
    if let deadline = plan.deadline {
      Swift.print(
        "The deadline is after \(deadline)"
          + (deadline.seconds < forecast.seconds ? ": not all of it will have run." : "."))
    }
  }
}
