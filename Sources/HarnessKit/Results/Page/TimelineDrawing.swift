import GuestWire

/// A timeline as inline SVG: a lane for each actor, a bar for a hold, a tick for each
/// pass, the awaited one as a diamond.
struct TimelineDrawing {
  private let timeline: Timeline
  private let schedule: Schedule?
  private let window: Range<Int>
  private let scale: TimelineScale
  /// The entries that are worth a tooltip: those about the schedule first.
  private let tipped: Set<Int>
  private var body = ""

  private static let width = 1000.0
  private static let left = 132.0
  private static let right = 988.0
  private static let laneHeight = 24.0
  private static let rowHeight = 11.0
  /// Labels above each other in one lane.
  private static let labelRows = 4
  /// Ticks with a tooltip, in one drawing. The others are there, and say nothing.
  private static let tips = 40

  /// Nil where there is no event to draw.
  static func text(_ timeline: Timeline, schedule: Schedule?, title: String) -> String? {
    guard !timeline.entries.isEmpty else { return nil }
    var drawing = TimelineDrawing(timeline, schedule)
    return drawing.draw(title)
  }

  private init(_ timeline: Timeline, _ schedule: Schedule?) {
    self.timeline = timeline
    self.schedule = schedule
    window = timeline.window(schedule)
    let hold = timeline.mainHold(schedule)
    scale = TimelineScale(
      entries: timeline.entries, window: window, hold: hold.map { $0.begin...$0.end },
      from: Self.left + 10, to: Self.right - 64)
    let near = window.filter { timeline.entries[$0].isNear }.prefix(Self.tips)
    let others = window.filter { !timeline.entries[$0].isNear }.prefix(Self.tips - near.count)
    tipped = Set(near).union(others)
  }

  private mutating func draw(_ title: String) -> String {
    var top = 6.0
    var baselines: [Double] = []
    var labels: [TimelineLabels] = []
    let shown = shownLanes
    for lane in shown {
      let placed = labelled(lane)
      labels.append(placed)
      top += Double(placed.rows) * Self.rowHeight + Self.laneHeight
      baselines.append(top - Self.laneHeight / 2)
    }
    let bottom = top + 2
    axis(bottom)
    awaitedLine(from: 4, to: bottom)
    for (number, lane) in shown.enumerated() {
      self.lane(lane, baselines[number], labels[number])
    }
    return #"<svg class="tl" viewBox="0 0 1000 \#(Self.number(bottom + 22))" role="img" "#
      + #"aria-label="\#(title.pageText)">\#(body)</svg>"#
  }

  /// Every actor's, whether it came to a point or not; other tasks' where they did.
  private var shownLanes: [Int] {
    let seen = Set(timeline.entries[window].map(\.lane))
    return timeline.lanes.indices.filter { timeline.lanes[$0].pid != nil || seen.contains($0) }
  }

  // MARK: - A lane

  private mutating func lane(_ lane: Int, _ y: Double, _ labels: TimelineLabels) {
    let name = timeline.lanes[lane].name
    let pid = timeline.lanes[lane].pid.map { " \($0)" } ?? ""
    let room = max(4, 19 - pid.count)
    let short = name.count > room ? name.prefix(room - 1) + "…" : name[...]
    body +=
      #"<path class="b" d="M\#(Self.number(Self.left)) \#(Self.number(y))H988"/>"#
      + #"<text class="n" x="8" y="\#(Self.number(y + 4))">\#(String(short).pageText)"#
      + #"<tspan class="d">\#(pid)</tspan></text>"#
    blocked(lane, y)
    for hold in timeline.holds where timeline.entries[hold.begin].lane == lane {
      bar(hold, y)
    }
    ticks(lane, y)
    flags(labels, y)
    if let awaited = timeline.awaited, timeline.entries[awaited].lane == lane {
      let x = scale[awaited]
      body +=
        #"<path class="a" d="M\#(Self.number(x)) \#(Self.number(y - 6.5))l6 6.5-6 6.5-6-6.5z">"#
        + "<title>\(tip(awaited).pageText)</title></path>"
    }
  }

  private mutating func ticks(_ lane: Int, _ y: Double) {
    var silent = ""
    var last = -10.0
    for index in window where timeline.entries[index].lane == lane && index != timeline.awaited {
      let entry = timeline.entries[index]
      guard entry.event.kind != .hold, entry.event.kind != .release else { continue }
      let x = scale[index]
      if tipped.contains(index) {
        let style = entry.event.kind == .hit ? (entry.isNear ? "h" : "o") : "j"
        body +=
          #"<path class="\#(style)" d="M\#(Self.number(x)) \#(Self.number(y - 5))v10">"#
          + "<title>\(tip(index).pageText)</title></path>"
      } else if x - last >= 1.5 {
        silent += "M\(Self.number(x)) \(Self.number(y - 3))v6"
        last = x
      }
    }
    if !silent.isEmpty { body += #"<path class="o" d="\#(silent)"/>"# }
  }

  private mutating func flags(_ labels: TimelineLabels, _ y: Double) {
    guard !labels.flags.isEmpty else { return }
    var poles = ""
    var texts = ""
    for flag in labels.flags {
      let baseline = y - 9 - Double(flag.row) * Self.rowHeight
      let x = Self.number(flag.position)
      poles += "M\(x) \(Self.number(y - 5))V\(Self.number(baseline - 6))"
      let place = Self.number(flag.position + (flag.isLeft ? -3 : 3))
      let styles = [flag.isLeft ? "e" : nil, flag.isAwaited ? "w" : nil].compactMap(\.self)
      let style = styles.isEmpty ? "" : #" class="\#(styles.joined(separator: " "))""#
      texts +=
        #"<text\#(style) x="\#(place)" y="\#(Self.number(baseline))">\#(flag.text.pageText)</text>"#
    }
    body += #"<path class="p" d="\#(poles)"/><g class="l">\#(texts)</g>"#
  }

  private mutating func bar(_ hold: Timeline.Hold, _ y: Double) {
    let entry = timeline.entries[hold.begin]
    let from = scale[hold.begin]
    let width = max(3, scale[hold.end] - from)
    let time = TimeText.text(
      nanoseconds: timeline.entries[hold.end].nanoseconds - entry.nanoseconds)
    let end = hold.isReleased ? "" : ", and never let go"
    let text = "held at \(entry.event.point.place) for \(time)\(end)"
    body +=
      #"<rect class="k" x="\#(Self.number(from))" y="\#(Self.number(y - 7))" "#
      + #"width="\#(Self.number(width))" height="14" rx="2">"#
      + "<title>\(tip(hold.begin).pageText); \(text.pageText)</title></rect>"
    for short in [text, "held \(time)", time]
    where Double(short.count) * TimelineLabels.characterWidth + 10 < width {
      body +=
        #"<text class="t" x="\#(Self.number(from + 5))" y="\#(Self.number(y + 3.5))">"#
        + "\(short.pageText)</text>"
      break
    }
  }

  /// The other actor's sleep, from its last event before the release to its next one.
  private mutating func blocked(_ lane: Int, _ y: Double) {
    guard let blocked = timeline.blocked, timeline.lanes[lane].pid != nil,
      timeline.lanes[lane].name == blocked.actor, let hold = timeline.mainHold(schedule)
    else { return }
    let own = window.filter { timeline.entries[$0].lane == lane }
    guard let from = own.last(where: { $0 < hold.end }) else { return }
    let to = own.first { $0 > hold.end } ?? hold.end
    let start = max(scale[from], scale[hold.begin])
    body +=
      #"<path class="s" d="M\#(Self.number(start)) \#(Self.number(y))"#
      + #"H\#(Self.number(scale[to]))"><title>asleep in \#(blocked.wchan.pageText)</title></path>"#
    let text = "asleep in \(blocked.wchan)"
    if Double(text.count) * TimelineLabels.characterWidth + 24 < scale[to] - start {
      body +=
        #"<text class="z" x="\#(Self.number(start + 12))" y="\#(Self.number(y + 11))">"#
        + "\(text.pageText)</text>"
    }
  }

  // MARK: - Labels

  private func labelled(_ lane: Int) -> TimelineLabels {
    var labels = TimelineLabels(rows: Self.labelRows, right: Self.right)
    if let awaited = timeline.awaited, timeline.entries[awaited].lane == lane {
      labels.placeAwaited(timeline.entries[awaited].event.point.rawValue, at: scale[awaited])
    }
    let own = window.reversed().filter { index in
      let entry = timeline.entries[index]
      return entry.lane == lane && entry.event.kind != .release && entry.event.kind != .hold
        && index != timeline.awaited && !isAtHold(index)
    }
    for index in own where timeline.entries[index].isNear {
      _ = labels.place(label(index), at: scale[index])
    }
    // What is not about the schedule is told in one row, a run of one point once.
    var last: HookPoint?
    for index in own where !timeline.entries[index].isNear {
      let point = timeline.entries[index].event.point
      guard point != last else { continue }
      if labels.place(label(index), at: scale[index], rows: 1) { last = point }
    }
    return labels
  }

  private func label(_ index: Int) -> String {
    let entry = timeline.entries[index]
    let point = entry.event.point
    let name =
      point.actor == timeline.lanes[entry.lane].name ? point.place : point.rawValue
    let result = entry.event.result
    return result == 0 ? name : "\(name) \(GuestErrno.name(ofResult: result))"
  }

  /// The pass that the hold's own bar tells of.
  private func isAtHold(_ index: Int) -> Bool {
    let event = timeline.entries[index].event
    return timeline.holds.contains { hold in
      let held = timeline.entries[hold.begin].event
      return held.pid == event.pid && held.point == event.point && event.kind == .hit
        && index <= hold.begin && hold.begin - index < 4
    }
  }

  private func tip(_ index: Int) -> String {
    let entry = timeline.entries[index]
    let event = entry.event
    var words = [
      "+\(TimeText.text(nanoseconds: entry.nanoseconds))", event.point.rawValue,
      "cpu\(event.cpu)",
    ]
    if let slot = event.slot { words.append(slot.description) }
    if event.result != 0 { words.append(GuestErrno.name(ofResult: event.result)) }
    if timeline.lanes[entry.lane].pid == nil { words.append("\(event.task) \(event.pid)") }
    return words.joined(separator: " ")
  }

  // MARK: - The axis

  private mutating func awaitedLine(from top: Double, to bottom: Double) {
    guard let awaited = timeline.awaited, window.contains(awaited) else { return }
    body +=
      #"<path class="v" d="M\#(Self.number(scale[awaited])) \#(Self.number(top))"#
      + #"V\#(Self.number(bottom))"/>"#
  }

  /// Times stand at events: at those that matter, and where there is room.
  private mutating func axis(_ y: Double) {
    var wanted: [Int] = []
    if let hold = timeline.mainHold(schedule) { wanted += [hold.begin, hold.end] }
    if let awaited = timeline.awaited { wanted.append(awaited) }
    wanted += [window.lowerBound, window.upperBound - 1]
    wanted += window
    var placed: [Double] = []
    var grid = ""
    var texts = ""
    for index in wanted where window.contains(index) {
      let x = scale[index]
      guard !placed.contains(where: { abs($0 - x) < 64 }) else { continue }
      placed.append(x)
      grid += "M\(Self.number(x)) 4V\(Self.number(y + 4))"
      let time = TimeText.text(nanoseconds: timeline.entries[index].nanoseconds)
      let anchor = x > Self.right - 40 ? #" class="e""# : ""
      texts +=
        #"<text\#(anchor) x="\#(Self.number(x))" y="\#(Self.number(y + 15))">\#(time)</text>"#
    }
    body +=
      #"<path class="g" d="\#(grid)"/><path class="x" d="M132 \#(Self.number(y))H988"/>"#
      + #"<g class="m">\#(texts)</g>"#
    let omitted = [
      (window.lowerBound, "earlier"), (timeline.entries.count - window.upperBound, "later"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
    if !omitted.isEmpty {
      body +=
        #"<text class="c" x="8" y="\#(Self.number(y + 15))">"#
        + "\(omitted.joined(separator: ", "))</text>"
    }
  }

  /// To a tenth, which is less than a pixel.
  private static func number(_ value: Double) -> String {
    let tenths = Int((max(-9999, min(value, 9999)) * 10).rounded())
    return tenths % 10 == 0
      ? "\(tenths / 10)" : "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
  }
}
