import GuestWire

/// The race matrix of one provider, as the template takes it.
struct MatrixSection {
  let provider: String
  let whole: Table
  let parts: [Table]
  /// Points that no trial of it names, in words.
  let notHeld: String?
  let notAwaited: String?

  struct Table {
    let caption: String
    let columns: [Column]
    let groups: [Group]
  }

  /// The rows of one actor.
  struct Group {
    let actor: String
    let rows: [Row]
  }

  struct Column {
    let actor: String
    let place: String
    let style: String
  }

  struct Row {
    let actor: String
    let place: String
    let cells: [Cell]
  }

  struct Cell {
    let style: String
    let link: Link?
  }

  struct Link {
    let trial: Int
    let letter: String
    let tip: String
    /// Where it is more than one.
    let count: Int?
  }

  init(_ matrix: (whole: RaceMatrix, parts: [RaceMatrix])) {
    provider = matrix.whole.provider.rawValue
    whole = MatrixSection.table(matrix.whole)
    parts = matrix.parts.map(MatrixSection.table)
    let held = Set(matrix.whole.holds)
    let awaited = Set(matrix.whole.untils)
    let catalogue = HookPoint.catalogue.groupedByActor
    notHeld = catalogue.filter { $0.maySleep && !held.contains($0) }.words
    notAwaited = catalogue.filter { !awaited.contains($0) }.words
  }

  private static func table(_ matrix: RaceMatrix) -> Table {
    let starts = zip(matrix.untils, [nil] + matrix.untils.map(Optional.some)).map { point, before in
      point.actor != before?.actor
    }
    let columns = zip(matrix.untils, starts).map { point, isFirst in
      Column(actor: point.actor, place: point.place, style: isFirst ? "first" : "")
    }
    var groups: [Group] = []
    for actor in matrix.holds.map(\.actor) where groups.last?.actor != actor {
      let rows = matrix.holds.filter { $0.actor == actor }.map { hold in
        Row(
          actor: hold.actor, place: hold.place,
          cells: zip(matrix.untils, starts).map { until, isFirst in
            cell(matrix, hold, until, isFirst)
          })
      }
      groups.append(Group(actor: actor, rows: rows))
    }
    let caption = matrix.options.map { $0.isEmpty ? "without options" : $0 } ?? ""
    return Table(caption: caption, columns: columns, groups: groups)
  }

  private static func cell(
    _ matrix: RaceMatrix, _ hold: HookPoint, _ until: HookPoint, _ isFirst: Bool
  ) -> Cell {
    let edge = isFirst ? " first" : ""
    let trials = matrix.trials(of: hold, until: until)
    guard let shown = RaceMatrix.shown(of: trials) else {
      return Cell(style: (hold.actor == until.actor ? "same" : "none") + edge, link: nil)
    }
    let mark = TrialMark(shown)
    return Cell(
      style: mark.style + edge,
      link: Link(
        trial: shown.index, letter: mark.letter, tip: tip(hold, until, trials, shown),
        count: trials.count > 1 ? trials.count : nil))
  }

  private static func tip(
    _ hold: HookPoint, _ until: HookPoint, _ trials: [TrialRecord], _ shown: TrialRecord
  ) -> String {
    var lines = ["\(hold) > \(until)"]
    if trials.count > 1 {
      let marks = Dictionary(grouping: trials, by: TrialMark.init)
      let counts = marks.keys.sorted(by: >).map { "\(marks[$0]?.count ?? 0) \($0.name)" }
      lines.append("\(trials.count) trials: " + counts.joined(separator: ", "))
    }
    let said = shown.failingFindings.map(\.title) + shown.failures.map(\.message)
    lines.append(
      "trial \(shown.index): " + (said.first ?? shown.outcome.description).oneLine.shortened(160))
    return lines.joined(separator: "\n")
  }
}

extension [HookPoint] {
  /// `writeback@ submit done · swapoff@ begin`; nil for none.
  fileprivate var words: String? {
    guard !isEmpty else { return nil }
    var actors: [String] = []
    for point in self where !actors.contains(point.actor) { actors.append(point.actor) }
    return actors.map { actor in
      "\(actor)@ " + filter { $0.actor == actor }.map(\.place).joined(separator: " ")
    }.joined(separator: " · ")
  }
}

extension String {
  func shortened(_ length: Int) -> String {
    count <= length ? self : prefix(length - 1) + "…"
  }
}
