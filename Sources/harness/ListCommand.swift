import ArgumentParser
import Foundation
import GuestWire
import HarnessKit

/// `harness list`: what can be run, before it is.
struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Shows scenarios, hook points, and schedules with the outcome that is expected.",
    discussion: """
      Examples:
        harness list                        scenarios and points
        harness list --kernel vmlinuz       and which points that kernel has, by which provider
        harness list --schedules            every schedule of the sweep, ready to paste
        harness list --schedules --reasons  and why a sound kernel does what it does
        harness list --schedules > all.txt; harness run --schedule-file all.txt
      """)

  @Flag(help: "The schedules of the sweep, one a line, in the order in which they run.")
  var schedules = false

  @Flag(help: "With --schedules: what a sound kernel does, and by which lock, pin or reference.")
  var reasons = false

  @Option(
    help: ArgumentHelp(
      "Which points its providers reach; without it, all that there may be.",
      valueName: "kernel|debian:release"),
    transform: kernelReference(parsing:))
  var kernel: KernelReference?

  @Flag(help: "Claims, points and words as a page: docs/schedules.md.")
  var page = false

  @OptionGroup var parts: KernelPartsOptions

  func run() async throws {
    if page { return print(ScheduleGuide.markdown, terminator: "") }
    guard schedules else {
      for scenario in Scenario.all {
        let isStandard = Scenario.standard.contains(scenario)
        print("\(scenario.id.padded(to: 16))\(scenario.title)")
        print(
          "\("".padded(to: 16))\(scenario.works.count) trial\(scenario.works.count == 1 ? "" : "s")"
            + " for each provider\(isStandard ? ", by default" : "")")
      }
      print("\(Scenario.randomID.padded(to: 16))\(Scenario.randomTitle)")
      print("\("".padded(to: 16))--trials for each provider, --seed to have them again")
      print("")
      try await listPoints()
      return
    }
    for schedule in Sweep.schedules {
      print(schedule)
      guard reasons, let rule = ScheduleRule.rule(for: schedule) else { continue }
      print("# \(rule.expectation)")
      print("# \(rule.reason)")
    }
  }

  private func listPoints() async throws {
    guard let kernel else {
      for point in HookPoint.catalogue {
        let kind = point.isMark ? "mark" : point.maySleep ? "hold, await" : "await"
        print(
          "\(point.rawValue.padded(to: 24))\(kind.padded(to: 13))\(point.whereabouts)")
      }
      print("\nWhich of them a kernel's providers reach: harness list --kernel bzImage")
      print("\nWords behind a schedule; of several values the first goes without saying:")
      for word in TrialSetup.words {
        for (value, meaning) in word.values {
          print("\("\(word.key)=\(value)".padded(to: 24))\(meaning)")
        }
      }
      return
    }
    try await reportingFailures {
      let listing = PointListing(try await points(of: kernel))
      for line in listing.lines { print(line) }
      print("")
      for line in listing.coverage(of: Sweep.schedules) { print(line) }
    }
  }

  /// The module tells them when it is unloaded, after trials: the one that needs no
  /// point will do.
  private func points(of kernel: KernelReference) async throws -> [ProviderPoints] {
    let schedule = try Schedule(parsing: "writeback@begin > pool@end")
    var request = RunRequest(
      scenarios: [.custom([schedule])], seed: 1, commandLine: CommandLine.arguments)
    request.kernel = kernel
    request.kernelParts = parts.parts
    request.reproductions = 0
    let folder = FileManager.default.temporaryDirectory
      .appending(path: "zswap-harness-list-\(UUID().uuidString)").path
    request.out = folder
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let progress = StatusLine()
    defer { progress.finish() }
    let job = HarnessRun(
      request, checkout: try Checkout.locate(), cache: try Cache.standard(), progress: progress)
    let outcome = try await Interruption.cancelling { try await job.run() }
    progress.finish()
    guard !outcome.record.points.isEmpty else {
      let why = outcome.record.error?.message ?? outcome.record.reasons.first ?? "no answer"
      Progress.note("harness: \(why)")
      throw ExitCode(outcome.record.exitCode == 0 ? 2 : outcome.record.exitCode)
    }
    return outcome.record.points
  }
}
