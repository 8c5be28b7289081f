import ArgumentParser
import Foundation
import GuestWire
import HarnessKit

/// `harness corpus …`: kernels broken on purpose, by which the harness is measured.
struct CorpusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "corpus",
    abstract: "Measures the harness by kernels that are broken on purpose.",
    subcommands: [List.self, Run.self, Compare.self], defaultSubcommand: List.self)

  /// `harness corpus list`
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows the mutants, their classes and what they are to be found by.",
      discussion: """
        D is deterministic, W a wide race, N a narrow one, I needs a hold in its window, and \
        E is as good as the original: it has to stay green.

        A file more in qemu/kernel/mutants is a mutant more.
        """)

    func run() async throws {
      try await reportingFailures {
        for mutant in try Mutant.all(of: try .locate()) {
          print(
            mutant.id.padded(to: 6), mutant.kind.rawValue, "",
            mutant.title)
          for expected in mutant.expected where mutant.kind != .equivalent {
            print("          \(expected)")
          }
        }
      }
    }
  }

  /// What `run` and `compare` have in common.
  struct Options: ParsableArguments {
    @Option(
      name: .customLong("mutant"),
      help: ArgumentHelp("Only this one; may be repeated (default: all).", valueName: "id"))
    var ids: [String] = []

    @Option(
      name: .customLong("with"),
      help: ArgumentHelp("Fragments of the kernel's configuration.", valueName: "fragment,..."))
    var fragments = FragmentList(argument: "kasan,lockdep")

    @Option(help: ArgumentHelp("Where the runs are kept.", valueName: "dir"))
    var out = "runs/corpus"

    @Option(help: ArgumentHelp("A file for the table as well.", valueName: "file"))
    var table: String?

    @Option(
      help: ArgumentHelp("A file for a picture of the times to kill (SVG).", valueName: "file"))
    var picture: String?

    @Option(help: ArgumentHelp("Seed of all runs.", valueName: "number"))
    var seed: UInt64 = 1

    func chosen(of all: [Mutant]) throws -> [Mutant] {
      if let unknown = ids.first(where: { id in !all.contains { $0.id == id } }) {
        throw ValidationError("there is no mutant “\(unknown)”; see harness corpus list")
      }
      return all.filter { ids.isEmpty || ids.contains($0.id) }
    }

    func corpus(_ checkout: Checkout, _ progress: StatusLine) throws -> CorpusRun {
      var request = RunRequest(
        scenarios: Scenario.standard, seed: seed, commandLine: CommandLine.arguments)
      // A bug may sit where the other provider does not reach: before
      // zswap_writeback_entry(), in shrink_memcg_cb() itself.
      request.providers = [.patch]
      return CorpusRun(
        request, fragments: fragments.names, folder: out,
        checkout: checkout, cache: try Cache.standard(), progress: progress)
    }

    /// For the tables: what was run, on what.
    var conditions: String {
      "kernels with \(fragments), TCG, \(ProcessInfo.processInfo.activeProcessorCount) CPUs of "
        + "the host"
    }

    func write(_ text: String, _ drawing: KillTimePicture) throws {
      if let table { try text.write(toFile: table, atomically: true, encoding: .utf8) }
      if let picture {
        try drawing.svg.write(toFile: picture, atomically: true, encoding: .utf8)
      }
    }
  }

  /// `harness corpus run`
  struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Builds and runs mutants; each run ends with its first finding.",
      discussion: """
        Nothing is set for any one mutant. What was run before, of the same kernel, is not \
        run again: it goes on where it was interrupted.

        Examples:
          harness corpus run
          harness corpus run --mutant R1a --mutant S5b
          harness corpus run --table docs/mutants.md

        Exit codes: 0 all killed, and all controls green; 1 not; 2 the harness broke.
        """)

    @OptionGroup var options: Options

    func run() async throws {
      try await reportingFailures {
        let checkout = try Checkout.locate()
        let all = try Mutant.all(of: checkout)
        let chosen = try options.chosen(of: all)
        let progress = StatusLine()
        defer { progress.finish() }
        let corpus = try options.corpus(checkout, progress)
        let results = try await Interruption.cancelling {
          var results: [MutantResult] = []
          for mutant in chosen {
            let result = try await corpus.run(mutant)
            results.append(result)
            progress.finish()
            print(
              result.mutant.id.padded(to: 6),
              result.end.text.replacing("*", with: ""), result.kill.map { "· \($0.title)" } ?? "")
            // Each time: who interrupts it has the table of what there is.
            let table = table(of: results, among: all.count)
            try options.write(table.markdown, table.picture)
          }
          return results
        }
        print("\n\(table(of: results, among: all.count).markdown)", terminator: "")
        guard results.allSatisfy(\.end.isGood) else { throw ExitCode(1) }
      }
    }

    private func table(of results: [MutantResult], among count: Int) -> CorpusTable {
      CorpusTable(
        results: results,
        preface: """
          Written by `harness corpus run --table`: \(results.count) of \(count) mutants, \
          \(options.conditions), provider patch, the default scenarios, seed \(options.seed). \
          Each run ends with its first finding; its seconds count from the guest being ready, and \
          “trials” is how many it took, that one included. \(Mutant.Kind.legend)
          """
      )
    }
  }

  /// `harness corpus compare`
  struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Runs mutants under the tools of today as well, side by side.",
      discussion: """
        The tools: the kernel's selftest test_zswap over and over, an uncontrolled race of \
        reclaim against swapoff and swapon, and stress-ng's swap and vm stressors in a memcg. \
        Each has its own guest and the time asked for, or what the harness took where that was \
        longer, and is judged against what it says on the kernel without a bug.

        Needs Debian's package stress-ng. What was run before, of the same kernel and time, \
        is not run again: it goes on where it was interrupted. What --data has is not run \
        again either, as long as source, patches and conditions are the same: another machine \
        of this kind may go on.

        Examples:
          harness corpus compare --mutant R1a --mutant R2
          harness corpus compare --data docs/side-by-side.json --table docs/side-by-side.md
        """)

    @OptionGroup var options: Options

    @Option(help: "What each tool is given, in seconds, or what the harness took, if longer.")
    var seconds = 120

    @Option(help: "Runs on the kernel without a bug.")
    var baselines = 2

    @Option(
      help: ArgumentHelp(
        "A file that keeps what it comes to, for the next time.", valueName: "file"))
    var data: String?

    func validate() throws {
      guard seconds > 0 else { throw ValidationError("--seconds is above zero") }
      guard (1...100).contains(baselines) else { throw ValidationError("--baselines is 1 to 100") }
    }

    func run() async throws {
      try await reportingFailures {
        let checkout = try Checkout.locate()
        let all = try Mutant.all(of: checkout)
        // A control has nothing to be found.
        let chosen = try options.chosen(of: all).filter { $0.kind != .equivalent }
        let progress = StatusLine()
        defer { progress.finish() }
        let corpus = try options.corpus(checkout, progress)
        let tools = ToolComparisonRun(corpus, seconds: seconds)
        let conditions = ComparisonArchive.Conditions(
          machine: options.conditions, seconds: seconds, seed: options.seed)
        var archive = ComparisonArchive(conditions)
        if let data { archive = try ComparisonArchive(conditions, readingFrom: data) }
        try await Interruption.cancelling { [archive] in
          var archive = archive
          let baselines = try await baselines(of: tools, &archive)
          var known: [String: ToolComparison] = [:]
          var codes: [String: String] = [:]
          for mutant in chosen {
            let code = try await tools.code(with: mutant)
            codes[mutant.id] = code
            known[mutant.id] = archive.comparison(of: mutant, kernel: code)
          }
          func table() -> ToolComparisonTable {
            self.table(of: chosen.compactMap { known[$0.id] }, among: all, baselines)
          }
          for mutant in chosen where known[mutant.id] == nil {
            let results = try await tools.results(on: mutant)
            let comparison = ToolComparison(results.harness, results.tools, baselines: baselines)
            known[mutant.id] = comparison
            if let code = codes[mutant.id] { archive.keep(comparison, kernel: code) }
            if let data { try archive.write(to: data) }
            progress.finish()
            try options.write(table().markdown, table().picture)
          }
          try options.write(table().markdown, table().picture)
          print(table().markdown, terminator: "")
        }
      }
    }

    private func baselines(
      of tools: ToolComparisonRun, _ archive: inout ComparisonArchive
    ) async throws -> [Workload: ToolComparison.Baseline] {
      let kernel = try await tools.code(with: nil)
      if let known = archive.baselines(ofKernel: kernel, runs: baselines) { return known }
      var sound: [TrialRecord] = []
      for number in 1...baselines { sound += try await tools.baseline(number) }
      let made = Dictionary(
        uniqueKeysWithValues: Workload.allCases.map { workload in
          (workload, ToolComparison.Baseline(sound.filter { $0.workload == workload }))
        })
      archive.keep(made, ofKernel: kernel, runs: baselines)
      if let data { try archive.write(to: data) }
      return made
    }

    private func table(
      of comparisons: [ToolComparison], among all: [Mutant],
      _ baselines: [Workload: ToolComparison.Baseline]
    ) -> ToolComparisonTable {
      let bugs = all.count { $0.kind != .equivalent }
      return ToolComparisonTable(
        comparisons: comparisons, baselines: baselines,
        preface: """
          Written by `harness corpus compare --table`: \(comparisons.count) of \(bugs) mutants, \
          \(options.conditions). The harness ran its default scenarios until its first finding; \
          each of the others had \(seconds) s in a guest of its own, or as long as the harness \
          took, if that was longer; less where the kernel spoke up, more where a round of the \
          tool takes longer. In bold, the time until the kill: \
          from the guest being ready, or from the tool's start. The last column is how many times \
          as long as the harness the first of the other tools took to kill it; where none of them \
          did, the time that all of them were given is more than so many times as long. \
          \(Mutant.Kind.legend) “?” is a guest that was lost under the tool without a word of the kernel's: \
          it counts for neither.
          """
      )
    }
  }
}
