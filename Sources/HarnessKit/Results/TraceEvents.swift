import FoundationEssentials
import GuestWire

/// A run's events in Chrome's trace format, which Perfetto opens: a process for
/// each trial, a thread for each task.
public struct TraceEvents {
  private struct File: Encodable {
    var traceEvents: [Event]
    var displayTimeUnit = "ms"
  }

  private struct Event: Encodable {
    var name: String
    var ph: String
    var pid: Int
    var tid: Int
    /// Microseconds since the run's first event.
    var ts: Double?
    var dur: Double?
    /// Of an instant: its thread.
    var s: String?
    var args: [String: String]
  }

  /// The bytes of `events.json`.
  public static func json(of record: RunRecord) throws -> Data {
    let reported = record.trials.compactMap { trial in
      trial.report.map { (trial, $0) }
    }
    let origin = reported.flatMap { $0.1.events.map(\.nanoseconds) }.min() ?? 0
    let events = reported.flatMap { Self.events(of: $0.0, $0.1, origin: origin) }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(File(traceEvents: events))
  }

  private static func events(
    of trial: TrialRecord, _ report: TrialReport, origin: UInt64
  ) -> [Event] {
    let process = trial.index + 1
    func microseconds(_ time: UInt64) -> Double {
      Double(time > origin ? time - origin : 0) / 1000
    }
    var result = [
      Event(
        name: "process_name", ph: "M", pid: process, tid: 0,
        args: ["name": "\(trial.index) \(trial.title)"])
    ]
    for lane in Timeline(report).lanes {
      result.append(
        Event(
          name: "thread_name", ph: "M", pid: process, tid: lane.pid, args: ["name": lane.name]))
      for hold in lane.holds {
        result.append(
          Event(
            name: "held at \(hold.point)", ph: "X", pid: process, tid: lane.pid,
            ts: microseconds(hold.begin), dur: Double(hold.end - hold.begin) / 1000, args: [:]))
      }
      for event in lane.hits {
        result.append(
          Event(
            name: event.point.rawValue, ph: "i", pid: process, tid: lane.pid,
            ts: microseconds(event.nanoseconds), s: "t",
            args: [
              "cpu": "\(event.cpu)", "result": "\(event.result)",
              "slot": event.slot?.description ?? "-", "kind": event.kind.rawValue,
            ]))
      }
    }
    return result
  }
}

/// A trial's events by task: one lane each.
struct Timeline {
  struct Hold {
    var point: HookPoint
    var begin: UInt64
    var end: UInt64
  }

  struct Lane {
    var pid: Int
    /// The actor's, or the task's.
    var name: String
    var hits: [HookEvent] = []
    var holds: [Hold] = []
  }

  private(set) var lanes: [Lane] = []
  /// In nanoseconds; nil without events.
  let span: ClosedRange<UInt64>?

  init(_ report: TrialReport) {
    let times = report.events.map(\.nanoseconds)
    let range = times.min().flatMap { first in times.max().map { first...$0 } }
    span = range
    let actors = Dictionary(
      report.actors.map { ($0.pid, $0.name) }, uniquingKeysWith: { first, _ in first })
    var open: [Int: (HookPoint, UInt64)] = [:]
    for event in report.events {
      if !lanes.contains(where: { $0.pid == event.pid }) {
        lanes.append(Lane(pid: event.pid, name: actors[event.pid] ?? event.task))
      }
      guard let index = lanes.firstIndex(where: { $0.pid == event.pid }) else { continue }
      switch event.kind {
      case .hit, .inject: lanes[index].hits.append(event)
      case .hold: open[event.pid] = (event.point, event.nanoseconds)
      case .release:
        guard let (point, begin) = open.removeValue(forKey: event.pid) else { continue }
        lanes[index].holds.append(
          Hold(point: point, begin: begin, end: max(begin, event.nanoseconds)))
      }
    }
    // Held to the end of what was recorded.
    for (pid, (point, begin)) in open {
      guard let index = lanes.firstIndex(where: { $0.pid == pid }), let range else { continue }
      lanes[index].holds.append(
        Hold(point: point, begin: begin, end: max(begin, range.upperBound)))
    }
  }
}
