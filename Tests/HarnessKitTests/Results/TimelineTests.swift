import GuestWire
import Testing

@testable import HarnessKit

@Suite struct TimelineTests {
  private static let interleaved = Timeline(Trials.interleaved(), schedule: Trials.unlocked)
  private static let excluded = Timeline(Trials.excluded(), schedule: Trials.pinned)

  @Test func `an actor's lane is found by its process, whatever its task calls itself`() {
    var report = Trials.interleaved()
    for index in report.events.indices { report.events[index].task = "swapper/0" }
    let timeline = Timeline(report, schedule: Trials.unlocked)
    #expect(timeline.lanes.map(\.name) == ["writeback", "swapoff"])
    #expect(timeline.entries.map(\.lane) == [0, 0, 1, 1, 0, 0])
  }

  @Test func `a thousand tasks are not a thousand lanes`() {
    var report = Trials.interleaved()
    for number in 0..<1000 {
      var event = Trials.event(UInt64(number) + 10, number + 1000, .writebackDone)
      event.task = "task-\(number)"
      report.events.append(event)
    }
    #expect(Timeline(report, schedule: Trials.unlocked).lanes.count == 7)
  }

  @Test func `the awaited pass is the one during the hold, or the one after it`() {
    #expect(Self.interleaved.awaited == 3)
    #expect(Self.excluded.awaited == 5)
    #expect(Self.interleaved.mainHold(Trials.unlocked)?.begin == 1)
    #expect(Self.interleaved.mainHold(Trials.unlocked)?.end == 4)
  }

  @Test func `a hold that never ended is drawn to the last event, and said`() throws {
    var report = Trials.interleaved()
    report.events.removeAll { $0.kind == .release }
    let timeline = Timeline(report, schedule: Trials.unlocked)
    #expect(timeline.holds.map(\.isReleased) == [false])
    #expect(timeline.holds.map(\.end) == [timeline.entries.count - 1])
    let drawing = try #require(
      TimelineDrawing.text(timeline, schedule: Trials.unlocked, title: ""))
    #expect(drawing.contains("never let go"))
  }

  @Test func `the drawing has lanes, the hold, its sleeper and the awaited pass`() throws {
    let drawing = try #require(
      TimelineDrawing.text(Self.excluded, schedule: Trials.pinned, title: "t"))
    for part in [#"class="k""#, #"class="a""#, #"class="s""#, #"class="v""#] {
      #expect(drawing.ranges(of: part).count == 1, "\(part)")
    }
    #expect(drawing.ranges(of: #"class="n""#).count == 2)
    #expect(drawing.contains("held at pinned for 2.00 s"))
    #expect(drawing.contains("asleep in folio_wait_bit_common"))
    #expect(drawing.contains(">swapoff@trees-freed<"))
  }

  @Test func `a drawing keeps its size whatever the guest sends`() throws {
    var report = Trials.interleaved()
    for number in 0..<3000 {
      report.events.insert(Trials.event(UInt64(number) + 6, 700 + number, .writebackDone), at: 0)
      report.events[0].nanoseconds = UInt64(number) &* 0x9E37_79B9_7F4A_7C15
    }
    report.events[7].nanoseconds = .max
    let timeline = Timeline(report, schedule: Trials.unlocked)
    let drawing = try #require(
      TimelineDrawing.text(timeline, schedule: Trials.unlocked, title: ""))
    #expect(drawing.utf8.count < 40_000)
  }

  @Test func `time goes from left to right, and the hold has its share of the width`() throws {
    for number in [0, 7, 21] {
      let record = PageRecords.record(trials: 30, events: 400)
      let report = try #require(record.trials[number].report)
      let schedule = record.trials[number].schedule
      let timeline = Timeline(report, schedule: schedule)
      let hold = try #require(timeline.mainHold(schedule))
      let window = timeline.window(schedule)
      let scale = TimelineScale(
        entries: timeline.entries, window: window, hold: hold.begin...hold.end, from: 0, to: 1000)
      let places = window.map { scale[$0] }
      #expect(places == places.sorted())
      #expect(places.allSatisfy { (0...1000.001).contains($0) })
      #expect(scale[hold.end] - scale[hold.begin] > 200)
    }
  }

  @Test func `labels stand apart, and no pole runs through one`() {
    var labels = TimelineLabels(rows: 4, right: 500)
    for place in stride(from: 480.0, to: 0, by: -13) { _ = labels.place("unlocked", at: place) }
    #expect(labels.flags.count > 10)
    func extent(_ flag: TimelineLabels.Flag) -> ClosedRange<Double> {
      let length = Double(flag.text.count) * TimelineLabels.characterWidth
      return flag.isLeft
        ? flag.position - length...flag.position : flag.position...flag.position + length
    }
    for (number, flag) in labels.flags.enumerated() {
      #expect(extent(flag).upperBound <= 500)
      for (otherNumber, other) in labels.flags.enumerated() where otherNumber != number {
        if flag.row == other.row { #expect(!extent(flag).overlaps(extent(other))) }
        if flag.row < other.row { #expect(!extent(flag).contains(other.position)) }
      }
    }
  }
}
