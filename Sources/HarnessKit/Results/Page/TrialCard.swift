import GuestWire

/// A trial, as the template takes it.
struct TrialCard {
  let index: Int
  let style: String
  let letter: String
  /// Its schedule or stress, without the provider.
  let what: String
  let provider: String
  let scenario: String
  let outcome: String
  let time: String
  let isOpen: Bool
  let findings: [Reference]
  let remarks: [Remark]
  let rule: String?
  let stack: [String]
  let figures: [String]
  let drawing: Drawing?
  /// The trial whose timeline speaks for this one.
  let like: Int?
  let bare: String?

  struct Reference {
    let id: String?
    let title: String
  }

  struct Remark {
    let kind: String
    let text: String
  }

  struct Drawing {
    let timeline: String
    let events: String?
    let unlisted: Int?
  }

  static func all(of record: RunRecord, findings: [FindingCard]) -> [TrialCard] {
    let drawings = TrialDrawings(of: record)
    let ids = Dictionary(
      findings.map { ($0.fingerprint, $0.id) }, uniquingKeysWith: { first, _ in first })
    return record.trials.map { TrialCard($0, drawings, ids, record.kernel?.zswapLRU ?? .memcg) }
  }

  private init(
    _ trial: TrialRecord, _ drawings: TrialDrawings, _ ids: [String: String], _ lru: ZswapLRU
  ) {
    let mark = TrialMark(trial)
    index = trial.index
    style = mark.style
    letter = mark.letter
    what = trial.what
    provider = trial.provider.rawValue
    scenario = trial.scenario
    outcome = ([trial.outcome.description] + trial.failingFindings.map(\.title))
      .joined(separator: "; ").oneLine.shortened(200)
    time =
      trial.report.map { report in
        let longest = report.phases.max { $0.microseconds < $1.microseconds }
        return "\(report.milliseconds) ms"
          + (longest.map { ", \($0.microseconds / 1000) of them: \($0.name)" } ?? "")
      } ?? "no report"
    isOpen = mark.isTelling
    findings = trial.findings.map { finding in
      Reference(
        id: ids[finding.fingerprint],
        title: (finding.known == nil ? "" : "known upstream: ") + finding.title)
    }
    remarks =
      trial.failures.map { Remark(kind: "error", text: $0.message) }
      + trial.reasons.map { Remark(kind: "doubt", text: $0) }
      + trial.notes.prefix(16).map { Remark(kind: "note", text: $0) }
    let drawn = drawings.drawings[trial.index]
    drawing = drawn.map {
      Drawing(
        timeline: $0.timeline, events: $0.events, unlisted: $0.unlisted > 0 ? $0.unlisted : nil)
    }
    rule =
      drawn == nil ? nil : trial.schedule.flatMap { ScheduleRule.rule(for: $0, on: lru) }?.reason
    stack = trial.report?.hold?.blocked?.stack.prefix(24).map { $0 } ?? []
    figures = trial.report.map(TrialCard.figures) ?? []
    like = drawings.likeness[trial.index]
    bare =
      drawn != nil || like != nil
      ? nil
      : trial.report?.events.isEmpty == false
        ? "Not drawn, for the length of the page: its events are in events.json."
        : "It has left no event."
  }

  /// What was counted, in words.
  private static func figures(of report: TrialReport) -> [String] {
    let pages = report.pages
    var figures = ["\(pages.intact) of \(pages.checked) pages intact"]
    for (name, count) in [
      ("stale", pages.stale), ("foreign", pages.foreign), ("lost", pages.lost),
      ("corrupt", pages.corrupt),
    ] where count > 0 {
      figures.append("\(count) \(name)")
    }
    let restless = report.rest.filter { $0.expected != $0.observed }
    for figure in restless.prefix(8) {
      figures.append("\(figure.name) \(figure.observed), not \(figure.expected)")
    }
    if restless.isEmpty, !report.rest.isEmpty {
      figures.append("\(report.rest.count) figures at rest as they should be")
    }
    for (name, count) in report.counts.sorted(by: { $0.key < $1.key }).prefix(8) {
      figures.append("\(count) \(name)")
    }
    if report.eventsDropped > 0 { figures.append("\(report.eventsDropped) events dropped") }
    return figures
  }
}
