import FoundationEssentials
import GuestWire
import Testing

@Suite struct ScheduleTests {
  @Test func `a schedule's text form reads back as the same schedule`() throws {
    let schedule = Schedule(hold: .writebackUnlocked, until: .swapoffTreesFreed)
    #expect(schedule.description == "writeback@unlocked > swapoff@trees-freed")
    #expect(try Schedule(parsing: "  writeback@unlocked>swapoff@trees-freed ") == schedule)
  }

  @Test(arguments: [
    "writeback@unlocked > invalidate@freed free=exit", "load@erased > writeback@pinned swap=brd",
    "writeback@pinned > swapoff@trees-freed via=limit pages=shmem",
    "writeback@done > shrinker@done fail=pin", "writeback@pinned > load@end fault=write",
  ])
  func `options are part of the text, and only where they differ`(text: String) throws {
    #expect(try Schedule(parsing: text).description == text)
    #expect(
      try Schedule(parsing: "writeback@pinned > load@end fault=read swap=disk").description
        == "writeback@pinned > load@end")
  }

  @Test func `every word that help has is one, and of those left out the first`() throws {
    for word in TrialSetup.words {
      for (index, value) in word.values.map(\.value).enumerated() {
        let text = "writeback@pinned > swapoff@trees-freed"
        let schedule = try Schedule(parsing: "\(text) \(word.key)=\(value)")
        let isPlain = index == 0 && word.key != "fail"
        #expect(schedule.description == (isPlain ? text : "\(text) \(word.key)=\(value)"))
      }
    }
  }

  @Test(arguments: ["via=magic", "colour=red", "fail=claim"])
  func `an option that is none is refused, and named`(word: String) {
    #expect(throws: Schedule.ParseError.unknownOption(word)) {
      try Schedule(parsing: "writeback@unlocked > swapoff@trees-freed \(word)")
    }
  }

  @Test(arguments: [
    "invalidate@begin > writeback@pinned > swapoff@trees-freed",
    "writeback@unlocked > load@erased > writeback@done swap=brd",
    "shrinker@begin > swapoff@begin > writeback@pinned > shrinker@done",
  ])
  func `a chain reads back as the same chain, as text and as JSON`(text: String) throws {
    let schedule = try Schedule(parsing: text)
    #expect(schedule.description == text)
    #expect(schedule.constraints.count == schedule.points.count - 1)
    #expect(schedule.lastConstraint == schedule.constraints.last)
    let json = try JSONEncoder().encode(schedule)
    #expect(try JSONDecoder().decode(Schedule.self, from: json) == schedule)
  }

  @Test func `a pair is a chain of one constraint`() throws {
    let pair = try Schedule(parsing: "writeback@unlocked > swapoff@trees-freed")
    #expect(pair.constraints == [.init(hold: pair.hold, until: pair.until)])
    #expect(pair.actors == ["writeback", "swapoff"])
    #expect(
      try Schedule(parsing: "writeback@unlocked > load@erased > writeback@done").actors
        == ["writeback", "load"])
  }

  @Test func `a chain that no guest can run is refused, with the reason`() {
    let observed = HookPoint.known("invalidate@erased")
    #expect(throws: Schedule.ParseError.cannotHold(observed)) {
      try Schedule(parsing: "writeback@unlocked > invalidate@erased > swapoff@begin")
    }
    #expect(throws: Schedule.ParseError.sameProcess(["load", "store"])) {
      try Schedule(parsing: "load@enter > writeback@pinned > store@end")
    }
    #expect(throws: Schedule.ParseError.sameProcess(["writeback", "load"])) {
      try Schedule(parsing: "writeback@pinned > load@end via=limit")
    }
    #expect(throws: Schedule.ParseError.backwards(.writebackPinned, .writebackUnlocked)) {
      try Schedule(parsing: "writeback@pinned > load@begin > writeback@unlocked")
    }
    for text in [
      "shrinker@begin > load@begin > writeback@pinned > swapoff@end",
      "writeback@unlocked > load@enter > writeback@pinned > load@erased > writeback@done",
    ] {
      #expect(throws: Schedule.ParseError.shape(text)) { try Schedule(parsing: text) }
    }
  }

  @Test func `a list of schedules may have comments, and an error names its line`() throws {
    let text = "# why\nwriteback@pinned > load@end\n\nwriteback@done > fork@end # too\n"
    #expect(
      try Schedule.list(parsing: text).map(\.description) == [
        "writeback@pinned > load@end", "writeback@done > fork@end",
      ])
    #expect(throws: Schedule.ListError(line: 2, error: .shape("oops"))) {
      try Schedule.list(parsing: "writeback@pinned > load@end\noops")
    }
  }

  @Test func `a misspelt point is refused, with the names that there are`() {
    #expect(throws: Schedule.ParseError.unknownPoint("writeback@unlock")) {
      try Schedule(parsing: "writeback@unlock > swapoff@trees-freed")
    }
  }

  @Test func `no task is ever held at a point that can only be observed`() {
    #expect(throws: Schedule.ParseError.self) {
      try Schedule(parsing: "invalidate@erased > writeback@done")
    }
    for point in HookPoint.catalogue where !point.maySleep {
      #expect(throws: Schedule.ParseError.cannotHold(point)) {
        try Schedule(parsing: "\(point) > \(point)")
      }
    }
  }

  @Test func `an actor is not ordered against itself`() {
    #expect(throws: Schedule.ParseError.sameActor("writeback")) {
      try Schedule(parsing: "writeback@unlocked > writeback@done")
    }
  }

  @Test(arguments: [
    "", ">", "writeback@unlocked", "writeback@unlocked > > load@end",
    "writeback@unlocked via=pool > load@end", "writeback@unlocked > ",
    "writeback@unlocked > load@end soon",
  ])
  func `what has no two sides is no schedule`(text: String) {
    #expect(throws: Schedule.ParseError.shape(text)) { try Schedule(parsing: text) }
  }

  @Test func `a store by another than the pages' owner leaves the owner free to fault`() throws {
    let text = "store@done > load@end again=rejected"
    let schedule = try Schedule(parsing: text)
    #expect(schedule.setup.again == .rejected)
    #expect(schedule.description == text)
    #expect(throws: Schedule.ParseError.self) { try Schedule(parsing: "store@done > load@end") }
  }
}
