import ArgumentParser
import Foundation
import HarnessKit
import Nightly

/// `harness history …`: what all nights came to.
struct HistoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "history",
    abstract: "Shows, exports and prunes what the nights came to.",
    discussion: """
      EXAMPLES
        harness history list
        harness history cell stock-6.12/sweep/default
        harness history findings --since 7d
        harness history export > history.json
        harness history prune --keep 90d --folders
      """,
    subcommands: [
      List.self, Cell.self, Findings.self, Export.self, Prune.self, HistorySample.self,
    ],
    defaultSubcommand: List.self)

  /// Which history.
  struct Options: ParsableArguments {
    @Option(help: ArgumentHelp("The history.", valueName: "file"))
    var history = "nights/history.sqlite"

    func open() throws -> History { try History(existing: history) }
  }

  /// `harness history list`
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the nights, the newest first.",
      discussion: """
        Examples:
          harness history list
          harness history list --plan zswap --limit 7
        """)

    @OptionGroup var options: Options
    @Option(help: "Only nights of this plan.") var plan: String?
    @Option(help: "How many.") var limit = 30

    func run() async throws {
      try await reportingFailures {
        let nights = try options.open().nights(limit: limit, plan: plan)
        if nights.isEmpty { print("There is no night yet.") }
        for night in nights {
          print(
            night.started.formatted(.iso8601), night.plan.padded(to: 16),
            (night.verdict ?? "not over").padded(to: 16),
            "\(night.cells) cells, \(night.runs) runs, \(night.failedRuns) failed, "
              + "\(night.gaps) did not run")
          print("  \(night.folder)")
        }
      }
    }
  }

  /// `harness history cell`
  struct Cell: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows a cell's runs, the newest first; without a name, the cells.",
      discussion: """
        Examples:
          harness history cell
          harness history cell stock-6.12/sweep/default --limit 10
        """)

    @Argument(help: "kernel/scenario/machine, as the plan names them.") var name: String?
    @OptionGroup var options: Options
    @Option(help: "How many.") var limit = 30

    func run() async throws {
      try await reportingFailures {
        let history = try options.open()
        guard let name else {
          for cell in try history.cells() { print("\(cell.cell)  \(cell.runs) runs") }
          return
        }
        let runs = try history.runs(of: name, limit: limit)
        guard !runs.isEmpty else {
          throw ValidationError("there is no run of “\(name)”; see harness history cell")
        }
        for run in runs {
          let seconds = run.seconds.map { String(format: "%.1f s", $0) } ?? ""
          print(
            run.started.formatted(.iso8601), run.status.rawValue.padded(to: 14),
            seconds.padded(to: 10),
            "\(run.trials) trials, \(run.failed) failed", run.release ?? "")
          for finding in run.findings where !finding.isUpstream {
            print("  \(finding.fingerprint) \(finding.title.oneLine)")
          }
          if let error = run.error { print("  \(error.oneLine)") }
        }
        let told = runs.filter { $0.status != .error }
        let failures = Rate(told.count { $0.status == .fail }, of: told.count)
        print("failed: \(failures.text)")
      }
    }
  }

  /// `harness history findings`
  struct Findings: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows findings, the last seen first.",
      discussion: """
        Examples:
          harness history findings --since 7d
          harness history findings --finding "in shrink_memcg_cb"
        """)

    @OptionGroup var options: Options
    @Option(help: "Only what was seen in this time: 12h, 7d.", transform: timeSpan(parsing:))
    var since: TimeSpan?
    @Option(help: "A fingerprint, or a part of a title.") var finding: String?
    @Option(help: "How many.") var limit = 50

    func run() async throws {
      try await reportingFailures {
        let rows = try options.open().findings(
          since: since.map { Date().addingTimeInterval(-$0.seconds) }, matching: finding,
          limit: limit)
        if rows.isEmpty { print("There is no such finding.") }
        for row in rows {
          print(row.fingerprint, row.title.oneLine)
          print(
            "  first \(row.firstSeen.formatted(.iso8601)), last "
              + "\(row.lastSeen.formatted(.iso8601)), \(row.runs) runs of "
              + row.cells.joined(separator: ", "))
        }
      }
    }
  }

  /// `harness history export`
  struct Export: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Prints nights, their runs and the findings as JSON.",
      discussion: """
        Examples:
          harness history export > history.json
          harness history export --limit 30 | jq '.runs[] | select(.status == "fail").cell'
        """)

    @OptionGroup var options: Options
    @Option(help: "How many of the last nights (default: all).") var limit: Int?

    func run() async throws {
      try await reportingFailures {
        let data = try HistoryExport(try options.open(), nights: limit ?? .max).json()
        try FileHandle.standardOutput.write(contentsOf: data)
      }
    }
  }

  /// `harness history prune`
  struct Prune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Forgets old nights.",
      discussion: """
        Findings keep when they were first and last seen. A night that somebody is at stays.

        Examples:
          harness history prune --keep 90d --dry-run
          harness history prune --keep 30d --folders
        """)

    @OptionGroup var options: Options
    @Option(help: "How much is kept: 90d.", transform: timeSpan(parsing:))
    var keep: TimeSpan
    @Flag(help: "Remove the nights' folders as well, with the runs in them.")
    var folders = false
    @Flag(help: "Only say which nights would go.") var dryRun = false

    func validate() throws {
      // 90m is soon written for 90d.
      guard keep.seconds >= 86_400 else { throw ValidationError("--keep is 1d at least") }
    }

    func run() async throws {
      try await reportingFailures {
        let history = try options.open()
        let old = try history.nightFolders(before: Date().addingTimeInterval(-keep.seconds))
        var gone: [String] = []
        for path in old {
          // A night is forgotten when its folder can be removed, and not before.
          func stays(_ why: String) { Progress.note("\(path) stays: \(why)") }
          let folder = NightFolder(path: path)
          let isThere = FileManager.default.fileExists(atPath: path)
          do {
            // Only what is a night's is touched: the history is but a file.
            if isThere { _ = try folder.load() }
          } catch {
            if folders { stays("\(error)") } else { gone.append(path) }
            continue
          }
          do {
            let lock = isThere ? try folder.lock() : nil
            defer { withExtendedLifetime(lock) {} }
            guard !isThere || lock != nil else {
              stays("somebody is at it")
              continue
            }
            if folders, isThere, !dryRun { try FileManager.default.removeItem(atPath: path) }
            gone.append(path)
          } catch {
            stays((error as? KernelError)?.description ?? error.localizedDescription)
          }
        }
        if dryRun {
          for path in gone { print(path) }
        } else {
          try history.forget(gone)
        }
        print("\(gone.count) nights \(dryRun ? "would be " : "")forgotten")
      }
    }
  }
}
