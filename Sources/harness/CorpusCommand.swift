import ArgumentParser
import Foundation
import GuestWire
import HarnessKit

/// `harness corpus …`: kernels broken on purpose, by which the harness is measured.
struct CorpusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "corpus",
    abstract: "Measures the harness by kernels that are broken on purpose.",
    subcommands: [List.self, Run.self], defaultSubcommand: List.self)

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
            mutant.id.padding(toLength: 6, withPad: " ", startingAt: 0), mutant.kind.rawValue, "",
            mutant.title)
          for expected in mutant.expected where mutant.kind != .equivalent {
            print("          \(expected)")
          }
        }
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

    @Option(
      name: .customLong("mutant"),
      help: ArgumentHelp("Only this one; may be repeated (default: all).", valueName: "id"))
    var ids: [String] = []

    @Option(
      name: .customLong("with"),
      help: ArgumentHelp("Fragments of the kernel's configuration.", valueName: "fragment,..."))
    var fragments = "kasan,lockdep"

    @Option(help: ArgumentHelp("Where the runs are kept.", valueName: "dir"))
    var out = "runs/corpus"

    @Option(help: ArgumentHelp("A file for the table as well.", valueName: "file"))
    var table: String?

    @Option(help: ArgumentHelp("Seed of all runs.", valueName: "number"))
    var seed: UInt64 = 1

    func run() async throws {
      try await reportingFailures {
        let checkout = try Checkout.locate()
        let all = try Mutant.all(of: checkout)
        if let unknown = ids.first(where: { id in !all.contains { $0.id == id } }) {
          throw ValidationError("there is no mutant “\(unknown)”; see harness corpus list")
        }
        let progress = StatusLine()
        defer { progress.finish() }
        var request = RunRequest(
          scenarios: Scenario.standard, seed: seed, commandLine: CommandLine.arguments)
        // A bug may sit where the other provider does not reach: before
        // zswap_writeback_entry(), in shrink_memcg_cb() itself.
        request.providers = [.patch]
        let corpus = CorpusRun(
          request, fragments: fragments.split(separator: ",").map(String.init), folder: out,
          checkout: checkout, cache: try Cache.standard(), progress: progress)
        let chosen = all.filter { ids.isEmpty || ids.contains($0.id) }
        let results = try await Interruption.cancelling {
          var results: [MutantResult] = []
          for mutant in chosen {
            let result = try await corpus.run(mutant)
            results.append(result)
            progress.finish()
            print(
              result.mutant.id.padding(toLength: 6, withPad: " ", startingAt: 0),
              result.end.text.replacing("*", with: ""), result.kill.map { "· \($0.title)" } ?? "")
            // Each time: who interrupts it has the table of what there is.
            if let table {
              try markdown(of: results, among: all.count)
                .write(toFile: table, atomically: true, encoding: .utf8)
            }
          }
          return results
        }
        print("\n\(markdown(of: results, among: all.count))", terminator: "")
        guard results.allSatisfy(\.end.isGood) else { throw ExitCode(1) }
      }
    }

    private func markdown(of results: [MutantResult], among count: Int) -> String {
      CorpusTable(
        results: results,
        preface: """
          Written by `harness corpus run --table`: \(results.count) of \(count) mutants, kernels \
          with \(fragments), provider patch, the default scenarios, seed \(seed), TCG, \
          \(ProcessInfo.processInfo.activeProcessorCount) CPUs of the host. Each run ends with its \
          first finding; a trial's seconds count from the guest being ready.
          """
      )
      .markdown
    }
  }
}
