import ArgumentParser
import Foundation
import HarnessKit

@main
struct Harness: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "harness",
    abstract: "Races zswap writeback against all that may run beside it, and gives a verdict.",
    discussion: """
      EXAMPLES
        harness                                race Debian's stock kernel
        harness --kernel bzImage               race yours
        harness --kernel debian:6.1            race an older stock kernel of Debian's
        harness kernel build --with kasan      build one with hook points; prints its path
        harness list --schedules               what there is to run, ready to paste
        harness bisect --good A --bad B        which commit brought a finding
        harness series A..B                    whether each patch of a series is sound
        harness nightly --plan plan.yaml       many kernels, beside their own past
        harness doctor --kernel bzImage        what host and kernel lack
        harness help run                       all options of a run

      """,
    subcommands: [
      RunCommand.self, ListCommand.self, ReportCommand.self, KernelCommand.self, BisectCommand.self,
      SeriesCommand.self, NightlyCommand.self, HistoryCommand.self, CorpusCommand.self,
      CoverageCommand.self, CacheCommand.self, DoctorCommand.self,
    ],
    defaultSubcommand: RunCommand.self)

  static func main() async {
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      let code = exitCode(for: error)
      guard CommandLine.arguments.contains("--bisect"), !code.isSuccess else {
        exit(withError: error)
      }
      // git bisect run would take a usage error for a bad kernel.
      let message = fullMessage(for: error)
      if !message.isEmpty { Progress.note(message) }
      Foundation.exit(BisectExit.code(ofExit: code.rawValue))
    }
  }
}
