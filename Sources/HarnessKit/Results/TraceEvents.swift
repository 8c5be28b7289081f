import FoundationEssentials
import GuestWire

/// A run's events in the Chrome trace event format, which Perfetto opens: a process for
/// each trial, a thread for each task, a slice for each hold.
struct TraceEvents: Encodable {
  /// One entry; which fields it has depends on `ph`.
  struct Event: Encodable {
    enum Phase: String, Encodable {
      case metadata = "M"
      case complete = "X"
      case instant = "i"
    }

    struct Arguments: Encodable {
      var name: String?
      var sortIndex: Int?
      var cpu: Int?
      var slot: String?
      var result: Int?
      var memcg: String?
      var kind: String?
      /// Of a hold that never ended.
      var released: Bool?

      enum CodingKeys: String, CodingKey {
        case name
        case sortIndex = "sort_index"
        case cpu
        case slot
        case result
        case memcg
        case kind
        case released
      }
    }

    var name: String
    var cat: String?
    var ph: Phase
    var pid: Int
    var tid: Int
    /// In microseconds, since the run's first event.
    var ts: Double?
    var dur: Double?
    /// The scope of an instant: its thread.
    var s: String?
    var args: Arguments
  }

  let traceEvents: [Event]
  let displayTimeUnit = "ns"

  /// The bytes of `events.json`.
  static func json(of record: RunRecord) throws -> Data {
    try JSONText.line(TraceEvents(of: record))
  }

  init(of record: RunRecord) {
    var clock = Clock()
    traceEvents = record.trials.flatMap { trial in
      trial.report.map { TraceEvents.events(of: trial, $0, &clock) } ?? []
    }
  }

  private static func events(
    of trial: TrialRecord, _ report: TrialReport, _ clock: inout Clock
  ) -> [Event] {
    let process = trial.index + 1
    let recorded = report.events.sorted {
      ($0.nanoseconds, $0.sequence) < ($1.nanoseconds, $1.sequence)
    }
    guard let first = recorded.first, let last = recorded.last else { return [] }
    clock.take(first.nanoseconds, to: last.nanoseconds)
    var events = [
      Event(
        name: "process_name", ph: .metadata, pid: process, tid: 0,
        args: .init(name: "\(trial.index) \(trial.title)")),
      Event(
        name: "process_sort_index", ph: .metadata, pid: process, tid: 0,
        args: .init(sortIndex: trial.index)),
    ]
    var names: [Int: String] = [:]
    for event in recorded where names[event.pid] == nil { names[event.pid] = event.task }
    for actor in report.actors { names[actor.pid] = actor.name }
    for (thread, name) in names.sorted(by: { $0.key < $1.key }) {
      events.append(
        Event(
          name: "thread_name", ph: .metadata, pid: process, tid: thread, args: .init(name: name)))
    }
    for (index, event) in recorded.enumerated() where event.kind != .release {
      var entry = Event(
        name: event.point.rawValue, cat: event.point.actor, ph: .instant, pid: process,
        tid: event.pid, ts: clock.microseconds(event.nanoseconds), args: .init(of: event))
      if event.kind == .hold {
        let release = recorded[index...].first { $0.kind == .release && $0.pid == event.pid }
        let end = release?.nanoseconds ?? last.nanoseconds
        entry.name = "held at \(event.point)"
        entry.ph = .complete
        entry.dur = Double(end - event.nanoseconds) / 1000
        entry.args.released = release != nil
      } else {
        entry.s = "t"
      }
      events.append(entry)
    }
    return events
  }

  /// The run's time. A guest counts from its own boot, so a trial of a later guest may
  /// seem to lie before one of an earlier: it is put behind it.
  private struct Clock {
    private var origin: UInt64?
    /// Nanoseconds of the run, and the guest's time at that moment.
    private var base = 0.0
    private var end = 0.0
    private var guestEnd: UInt64 = 0

    mutating func take(_ first: UInt64, to last: UInt64) {
      if origin == nil || first < guestEnd {
        base = origin == nil ? 0 : end + 1e6
        origin = first
      }
      end = nanoseconds(last)
      guestEnd = last
    }

    private func nanoseconds(_ time: UInt64) -> Double {
      let origin = origin ?? time
      return base + (time >= origin ? Double(time - origin) : 0)
    }

    func microseconds(_ time: UInt64) -> Double { nanoseconds(time) / 1000 }
  }
}

extension TraceEvents.Event.Arguments {
  init(of event: HookEvent) {
    cpu = event.cpu
    slot = event.slot?.description
    result = event.result
    memcg = event.memcg.map(String.init)
    kind = event.kind == .hit ? nil : event.kind.rawValue
  }
}
