import ArgumentParser
import GuestWire
import HarnessKit

/// `harness list`: what can be run, before it is.
struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Shows scenarios, hook points, and schedules with the outcome that is expected.",
    discussion: """
      Examples:
        harness list                        scenarios and points
        harness list --schedules            every schedule of the sweep, ready to paste
        harness list --schedules --reasons  and why a sound kernel does what it does
        harness list --schedules > all.txt; harness run --schedule-file all.txt
      """)

  @Flag(help: "The schedules of the sweep, one a line, in the order in which they run.")
  var schedules = false

  @Flag(help: "With --schedules: what a sound kernel does, and by which lock, pin or reference.")
  var reasons = false

  func run() {
    guard schedules else {
      for scenario in Scenario.all {
        let isStandard = Scenario.standard.contains(scenario)
        print("\(pad(scenario.id, 16))\(scenario.title)")
        print(
          "\(pad("", 16))\(scenario.works.count) trial\(scenario.works.count == 1 ? "" : "s")"
            + " for each provider\(isStandard ? ", by default" : "")")
      }
      print("\(pad(Scenario.randomID, 16))\(Scenario.randomTitle)")
      print("\(pad("", 16))--trials for each provider, --seed to have them again")
      print("")
      for point in HookPoint.catalogue {
        let kind = point.isMark ? "mark" : point.maySleep ? "hold, await" : "await"
        print("\(pad(point.rawValue, 24))\(kind)")
      }
      print("\nWhich of them a kernel's providers reach is in result.json of each run (points).")
      return
    }
    for schedule in Sweep.schedules {
      print(schedule)
      guard reasons, let rule = ScheduleRule.rule(for: schedule) else { continue }
      print("# \(rule.expectation)")
      print("# \(rule.reason)")
    }
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }
}
