import ArgumentParser

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
        harness doctor --kernel bzImage        what host and kernel lack
        harness help run                       all options of a run

      """,
    subcommands: [
      RunCommand.self, ListCommand.self, ReportCommand.self, KernelCommand.self, DoctorCommand.self,
    ],
    defaultSubcommand: RunCommand.self)
}
