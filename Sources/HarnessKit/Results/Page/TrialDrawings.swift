import GuestWire

/// Timelines and lists of events for a page, within a budget: a run of hundreds of
/// trials must still be a file that one can mail.
///
/// Trials with something to look at come first, then the first trial of each pair.
/// Another trial of a pair that came out well looks like that one.
struct TrialDrawings {
  struct Drawing {
    var timeline: String
    /// A line for each event; nil where the budget is used up.
    var events: String?
    /// Events that the list leaves out.
    var unlisted: Int
  }

  private(set) var drawings: [Int: Drawing] = [:]
  /// For each trial that is not drawn itself, the one of its pair that is.
  private(set) var likeness: [Int: Int] = [:]

  private struct Key: Hashable {
    var provider: Provider
    var schedule: Schedule?
  }

  /// In UTF-8 bytes.
  static let timelineBudget = 3_000_000
  static let eventBudget = 900_000
  /// Events that one list has.
  private static let listed = 60

  init(
    of record: RunRecord, timelineBudget: Int = Self.timelineBudget,
    eventBudget: Int = Self.eventBudget
  ) {
    var timelineBudget = timelineBudget
    var eventBudget = eventBudget
    var firsts: [Key: Int] = [:]
    let telling = record.trials.filter { TrialMark($0).isTelling }
    let others = record.trials.filter { !TrialMark($0).isTelling }
    for trial in telling + others {
      let key = Key(provider: trial.provider, schedule: trial.schedule)
      if let first = firsts[key], !TrialMark(trial).isTelling {
        likeness[trial.index] = first
        continue
      }
      guard timelineBudget > 0, let report = trial.report else { continue }
      let timeline = Timeline(report, schedule: trial.schedule)
      guard
        let drawing = TimelineDrawing.text(
          timeline, schedule: trial.schedule,
          title: "timeline of trial \(trial.index), \(trial.title)")
      else { continue }
      timelineBudget -= drawing.utf8.count
      // One that came out well says how its pair looks, one that did not says it less.
      if !TrialMark(trial).isTelling { firsts[key] = trial.index }
      var events: String?
      let listing = EventListing(timeline, schedule: trial.schedule, limit: Self.listed)
      if eventBudget > 0 {
        events = listing.text
        eventBudget -= listing.text.utf8.count
      }
      drawings[trial.index] = Drawing(
        timeline: drawing, events: events, unlisted: listing.unlisted)
    }
  }
}

/// The events of a timeline as text, in columns.
struct EventListing {
  private(set) var text = ""
  private(set) var unlisted: Int

  init(_ timeline: Timeline, schedule: Schedule?, limit: Int) {
    let window = timeline.window(schedule)
    let near = window.filter { timeline.entries[$0].isNear || schedule == nil }.prefix(limit)
    let others = window.filter { !timeline.entries[$0].isNear }
    let chosen = (near + others.prefix(limit - near.count)).sorted()
    unlisted = timeline.entries.count - Set(chosen).count
    var previous: Int?
    for index in chosen where index != previous {
      if let previous, index > previous + 1 { text += "\(" ".padded(to: 13))…\n" }
      text += EventListing.line(timeline.entries[index]) + "\n"
      previous = index
    }
  }

  private static func line(_ entry: Timeline.Entry) -> String {
    let event = entry.event
    let time = TimeText.fixed(Double(entry.nanoseconds) / 1000, 3)
    var line = time.leftPadded(to: 14)
    line += "  cpu\(event.cpu)"
    line += "  " + "\(event.task.oneLine)[\(event.pid)]".padded(to: 18)
    line += "  " + event.point.rawValue.padded(to: 22)
    line += "  " + event.kind.rawValue.padded(to: 7)
    if let slot = event.slot { line += "  \(slot)" }
    if event.result != 0 { line += "  \(GuestErrno.name(ofResult: event.result))" }
    return line
  }
}
