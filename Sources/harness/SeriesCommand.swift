import ArgumentParser
import BisectRun
import Foundation
import GuestWire
import HarnessKit
import SystemPackage

/// `harness series`: each commit of a patch series by itself.
struct SeriesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "series",
    abstract: "Builds, boots and races each commit of a patch series.",
    discussion: """
      A series has to be sound after each of its patches, or it breaks bisecting for everybody \
      after you. The table is git log with a verdict before each line, the oldest first.

      EXAMPLES
        harness series --tree ~/linux v6.12..my-zswap
        harness series main.. --scenario claims

      EXIT STATUS
        the worst of its commits': 0 all pass, 1 a finding, 2 the harness broke, 3 one cannot be \
      built, booted or used, 4 a window was not entered, 64 bad usage
      """)

  @Option(help: ArgumentHelp("A Linux tree with its history (default: .).", valueName: "dir"))
  var tree = "."

  @Option(
    help: ArgumentHelp(
      "Scenario to run; may be repeated (default: claims).", valueName: "id"),
    transform: { text in
      guard let scenario = Scenario.named(text) else {
        throw ValidationError("there is no scenario “\(text)”; see harness list")
      }
      return scenario
    })
  var scenario: [Scenario] = []

  @Option(
    name: .customLong("with"),
    help: ArgumentHelp("Fragments of the kernels' configuration.", valueName: "fragment,..."))
  var fragments = FragmentList(argument: "kasan")

  @OptionGroup var guests: JobsOption

  @Option(
    help: ArgumentHelp(
      "The runs' folder, with a number behind it where it is taken (default: "
        + "runs/series-<first>-<count>).", valueName: "dir"))
  var out: String?

  @Argument(help: "A..B, as git log has it.")
  var range: String

  func run() async throws {
    try await reportingFailures {
      let repository = try await BisectCommand.repository(of: tree)
      let commits = try await CommitHistory.series(range, in: repository)
      let checkout = try Checkout.locate()
      let cache = try Cache.standard()
      let status = StatusLine()
      defer { status.finish() }
      var request = RunRequest(
        scenarios: scenario.isEmpty ? Scenario.all.filter { $0.id == "claims" } : scenario, seed: 1,
        commandLine: CommandLine.arguments)
      request.jobs = guests.jobs
      let series = PatchSeries(
        builds: try SuccessiveBuild(
          repository: repository, fragments: fragments.names,
          checkout: checkout, cache: cache),
        request: request,
        folder: try RunFolder(
          numbering: out ?? "runs/series-\(commits[0].hash.prefix(12))-\(commits.count)"),
        checkout: checkout, cache: cache, status: status)
      Progress.note("results: \(series.folder.path)")
      let codes = try await Interruption.cancelling {
        var codes: [Int32] = []
        for (number, commit) in commits.enumerated() {
          status.phase("\(number + 1) of \(commits.count): \(commit.subject)")
          let result = try await series.test(commit)
          status.finish()
          print(result.line)
          codes.append(result.exitCode)
        }
        return codes
      }
      throw ExitCode(PatchSeries.worst(of: codes))
    }
  }
}
