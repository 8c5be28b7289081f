import Foundation
import GuestWire
import Testing

@testable import HarnessKit

@Suite struct TraceEventsTests {
  /// As a reader of the format takes it.
  private struct Trace: Decodable {
    struct Event: Decodable {
      struct Arguments: Decodable {
        var name: String?
        var cpu: Int?
        var slot: String?
        var result: Int?
        var released: Bool?
      }
      var name: String
      var ph: String
      var pid: Int
      var tid: Int
      var ts: Double?
      var dur: Double?
      var s: String?
      var args: Arguments?
    }
    var traceEvents: [Event]
    var displayTimeUnit: String

    init(_ record: RunRecord) throws {
      self = try JSONDecoder().decode(Trace.self, from: TraceEvents.json(of: record))
    }
  }

  private struct Thread: Hashable {
    var pid: Int
    var tid: Int
  }

  @Test func `a trial is a process, a task is a thread, and both have their names`() throws {
    let trace = try Trace(Records.passed)
    let names = trace.traceEvents.filter { $0.ph == "M" && $0.name != "process_sort_index" }
    #expect(
      names.map { "\($0.name) \($0.pid) \($0.tid) \($0.args?.name ?? "")" } == [
        "process_name 1 0 0 writeback@unlocked > swapoff@trees-freed [patch]",
        "thread_name 1 61 writeback", "thread_name 1 62 swapoff",
        "process_name 2 0 1 writeback@pinned > swapoff@trees-freed [patch]",
        "thread_name 2 61 writeback", "thread_name 2 62 swapoff",
      ])
  }

  @Test func `a hold lasts from its begin to its release`() throws {
    let holds = try Trace(Records.passed).traceEvents.filter { $0.ph == "X" }
    #expect(holds.map(\.name) == ["held at writeback@unlocked", "held at writeback@pinned"])
    #expect(holds.map(\.dur) == [3e6, 2e6])
    #expect(holds.first?.ts == 1e6)
    var report = Trials.interleaved()
    report.events.removeAll { $0.kind == .release }
    let endless = try Trace(Records.record([(Records.unlocked.0, report)]))
    let hold = try #require(endless.traceEvents.first { $0.ph == "X" })
    #expect(hold.dur == 4e6)
    #expect(hold.args?.released == false)
  }

  @Test func `a hit is an instant of its thread, with slot, result and cpu`() throws {
    let hits = try Trace(Records.passed).traceEvents.filter { $0.ph == "i" }
    #expect(hits.count == 8)
    #expect(hits.allSatisfy { $0.s == "t" && $0.dur == nil && $0.args?.cpu == 0 })
    let done = try #require(hits.first { $0.name == "writeback@done" })
    #expect(done.args?.slot == "0:17")
    #expect(done.args?.result == -12)
  }

  @Test func `time begins at 0, and runs backwards in no thread`() throws {
    var record = PageRecords.record(trials: 40, events: 60)
    // Out of order, as only a guest that lies sends them; and one of a later boot.
    record.trials[3].report?.events.reverse()
    let late = try #require(record.trials.indices.last { record.trials[$0].report != nil })
    for index in record.trials[late].report?.events.indices ?? 0..<0 {
      record.trials[late].report?.events[index].nanoseconds = UInt64(index) * 1000
    }
    let events = try Trace(record).traceEvents.filter { $0.ph != "M" }
    var last: [Thread: Double] = [:]
    for event in events {
      let thread = Thread(pid: event.pid, tid: event.tid)
      let time = try #require(event.ts)
      #expect(time >= last[thread] ?? 0)
      last[thread] = time
      #expect(event.dur ?? 0 >= 0)
    }
    #expect(events.compactMap(\.ts).min() == 0)
    let ends = Dictionary(grouping: events, by: \.pid).mapValues { $0.compactMap(\.ts) }
    let lastTrial = try #require(ends[record.trials[late].index + 1]?.min())
    let before = ends.filter { $0.key <= record.trials[late].index }.values.joined().max()
    #expect(lastTrial > before ?? 0)
  }

  @Test func `a guest's words and numbers leave the trace valid JSON`() throws {
    var report = Trials.interleaved()
    report.events[0].task = "\"},{\u{0}\u{1B}</script>\u{2028}"
    report.events[0].nanoseconds = .max
    report.events[1].nanoseconds = 0
    report.events[2].pid = .min
    report.events[3].memcg = .max
    report.actors[0].name = "\"\\\n"
    let trace = try Trace(Records.record([(Records.unlocked.0, report)]))
    #expect(trace.displayTimeUnit == "ns")
    #expect(trace.traceEvents.contains { $0.args?.name == "\"\\\n" })
  }

  @Test func `a run without events is a trace without any`() throws {
    #expect(
      try Trace(RunRecord(begun: Records.start, commandLine: [], seed: 1)).traceEvents.isEmpty)
  }
}
