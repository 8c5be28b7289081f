import GuestWire
import Testing

@testable import HarnessKit

@Suite struct RandomSchedulesTests {
  @Test func `the same seed gives the same schedules in the same order`() {
    let once = RandomSchedules.list(seed: 7, count: 300)
    #expect(RandomSchedules.list(seed: 7, count: 300) == once)
    #expect(Array(RandomSchedules.list(seed: 7, count: 40)) == Array(once.prefix(40)))
    #expect(RandomSchedules.list(seed: 8, count: 300) != once)
    let trials = Scenario.random(seed: 7, trials: 40)
      .trials(startingAt: 3, provider: .patch, seed: 7)
    #expect(trials.compactMap(\.schedule) == Array(once.prefix(40)))
    #expect(trials.map(\.index) == Array(3..<43))
  }

  @Test func `every random schedule can be run again from its text`() throws {
    for schedule in RandomSchedules.list(seed: 1, count: 2000) {
      #expect(try Schedule(parsing: schedule.description) == schedule)
      #expect(schedule.involves("writeback"))
      #expect((2...3).contains(schedule.actors.count))
    }
  }

  @Test func `every actor is met, in every place of the chain`() {
    let schedules = RandomSchedules.list(seed: 1, count: 4000)
    let actors = Set(HookPoint.catalogue.map(\.actor))
    #expect(Set(schedules.flatMap(\.actors)) == actors)
    for place in 0..<3 {
      #expect(
        Set(schedules.filter { $0.points.count > place }.map { $0.points[place].actor }) == actors)
    }
    // Every point at which somebody can be overtaken, too.
    let held = Set(schedules.flatMap { $0.points.dropLast() })
    #expect(held.isSuperset(of: actors.flatMap(RandomSchedules.path)))
  }

  @Test(arguments: [
    // Writeback has 7 steps, swapoff 4; the priority after the i-th change is i.
    (["writeback", "swapoff"], [11, 11], "writeback@end > swapoff@end"),
    (["writeback", "swapoff"], [2, 11], "writeback@unlocked > swapoff@end"),
    (["writeback", "swapoff"], [2, 2], "writeback@unlocked > swapoff@end"),
    (
      ["writeback", "swapoff"], [5, 2], "writeback@unlocked > swapoff@trees-freed > writeback@end"
    ),
    (["writeback", "swapoff"], [2, 5], "writeback@unlocked > swapoff@end"),
    (["swapoff", "writeback"], [4, 1], "swapoff@begin > writeback@claimed > swapoff@end"),
    (
      ["writeback", "invalidate", "swapoff"], [3],
      "invalidate@begin > writeback@pinned > swapoff@end"
    ),
    (
      ["invalidate", "writeback", "swapoff"], [4],
      "invalidate@end > writeback@pinned > swapoff@end"
    ),
    (
      ["invalidate", "writeback", "swapoff"], [12],
      "invalidate@end > writeback@end > swapoff@end"
    ),
  ])
  func `priorities and their changes come out as PCT would run them`(
    actors: [String], changes: [Int], text: String
  ) throws {
    let points = RandomSchedules.chain(actors: actors, changes: changes)
    #expect(try Schedule(points: points).description == text)
  }

  @Test func `a bug of each depth is met no more rarely than PCT promises`() {
    // All changes of one order of priorities: what the theorem counts.
    func share(_ orders: [[String]], _ targets: Set<String>) -> Double {
      let steps = RandomSchedules.steps(of: orders[0])
      let depth = RandomSchedules.depth(actors: orders[0].count)
      var met = 0
      var all = 0
      for order in orders {
        for first in 1...steps {
          for second in depth == 3 ? 1...steps : 1...1 {
            let changes = depth == 3 ? [first, second] : [first]
            let points = RandomSchedules.chain(actors: order, changes: changes)
            all += 1
            if targets.contains(points.map(\.rawValue).joined(separator: " > ")) { met += 1 }
          }
        }
      }
      return Double(met) / Double(all)
    }
    let pair = [["writeback", "load"], ["load", "writeback"]]
    #expect(
      share(pair, ["writeback@unlocked > load@erased > writeback@end"])
        >= RandomSchedules.bound(actors: 2, steps: 11, depth: 3))
    let three = ["writeback", "invalidate", "swapoff"].permutations
    #expect(three.count == 6)
    // That both overtake writeback at its pin, in whichever order.
    let both: Set = [
      "invalidate@begin > writeback@pinned > swapoff@end",
      "swapoff@begin > writeback@pinned > invalidate@end",
    ]
    #expect(share(three, both) >= RandomSchedules.bound(actors: 3, steps: 12, depth: 2))
  }

  @Test func `actors that are asked for are those of every schedule, if one guest can have them`()
    throws
  {
    let actors = try RandomSchedules.Actors(parsing: "writeback,invalidate,swapoff")
    let schedules = RandomSchedules.list(seed: 7, count: 200, actors: actors)
    #expect(schedules.count { Set($0.actors) == ["writeback", "invalidate", "swapoff"] } == 200)
    #expect(Set(schedules.map(\.points)).count > 10)
    for text in ["writeback", "load,store", "writeback,writeback", "writeback,writer", ""] {
      #expect(throws: Schedule.ParseError.self, "\(text)") {
        try RandomSchedules.Actors(parsing: text)
      }
    }
  }

  @Test func `the summary tells the bound beside what was measured`() {
    var record = Records.record([])
    let schedule = Schedule.known("invalidate@begin > writeback@pinned > swapoff@end")
    var trial = TrialRecord(
      TrialJudgement(spec: Trials.spec(schedule), outcome: .interleaved), report: nil)
    trial.scenario = Scenario.randomID
    record.trials = [trial, trial]
    record.trials[1].verdict = .notExercised
    let lines = RandomSummary(of: record).lines
    #expect(lines.first == "random: seed \(record.seed)")
    #expect(lines.count == 2)
    for part in [
      "2 trials of n = 3 actors", "k = 12 to 12", "d = 2", "= 2.78 %", "measured 0 of 1",
    ] {
      #expect(lines.last?.contains(part) == true, "\(part)")
    }
    // A bug of two of them is in no trial of another choice of actors.
    #expect(lines.last?.contains("choices") == false)
    record.trials[1].schedule = .known("pool@begin > writeback@pinned > swapoff@end")
    #expect(RandomSummary(of: record).lines.last?.contains("one of the 2 choices") == true)
    record.trials = []
    #expect(RandomSummary(of: record).lines.isEmpty)
  }
}

extension [String] {
  fileprivate var permutations: [[String]] {
    guard count > 1 else { return [self] }
    return indices.flatMap { index in
      var rest = self
      let one = rest.remove(at: index)
      return rest.permutations.map { [one] + $0 }
    }
  }
}
