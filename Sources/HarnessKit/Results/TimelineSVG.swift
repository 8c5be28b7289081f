import GuestWire

/// A trial's timeline as inline SVG: a lane for each task, a bar for a hold, a
/// tick for each point that was passed.
///
/// Events stand at equal distances, in their order: a trial is microseconds of
/// events and milliseconds of nothing between them. The time is below.
struct TimelineSVG {
  private static let step = 15
  private static let laneHeight = 34
  private static let left = 92
  private static let top = 8
  /// More would not be looked at; the record has them.
  private static let limit = 120

  static func text(of report: TrialReport, schedule: Schedule?) -> String {
    let timeline = Timeline(report)
    // Other slots' events say little about this one: those of the held slot, those
    // without a slot, and all ends of holds.
    let held = report.events.first { $0.kind == .hold }
    let events = report.events.filter {
      $0.kind != .hit || $0.slot == nil || held?.slot == nil || $0.slot == held?.slot
        || $0.point.actor == "swapoff"
    }
    let shown = Array(events.prefix(limit))
    guard !shown.isEmpty, let span = timeline.span else { return "" }
    let lanes = timeline.lanes.filter { lane in shown.contains { $0.pid == lane.pid } }
    let width = left + shown.count * step + 150
    let height = top + lanes.count * laneHeight + 22
    var svg =
      #"<svg class="timeline" role="img" viewBox="0 0 \#(width) \#(height)" width="\#(width)" "#
      + #"height="\#(height)"><title>Events of the held slot, in order</title>"#
    func x(_ index: Int) -> Int { left + index * step + step / 2 }
    func y(_ lane: Int) -> Int { top + lane * laneHeight + laneHeight / 2 }
    for (number, lane) in lanes.enumerated() {
      let middle = y(number)
      svg += #"<text class="lane" x="0" y="\#(middle + 4)">\#(lane.name.html)</text>"#
      svg +=
        #"<line class="axis" x1="\#(left)" x2="\#(width - 150)" y1="\#(middle)" y2="\#(middle)"/>"#
      var begin: Int?
      for (index, event) in shown.enumerated() where event.pid == lane.pid {
        switch event.kind {
        case .hold: begin = index
        case .release:
          if let from = begin { svg += bar(x(from), x(index), middle, event.point) }
          begin = nil
        case .hit, .inject:
          let isAwaited = event.point == schedule?.until
          let kind = isAwaited ? "awaited" : event.point.isMark ? "mark" : "hit"
          let result = event.result == 0 ? "" : " (\(GuestErrno.name(ofResult: event.result)))"
          let slot = event.slot.map { " \($0)" } ?? ""
          let time = microseconds(event.nanoseconds, since: span.lowerBound)
          svg +=
            #"<circle class="\#(kind)" cx="\#(x(index))" cy="\#(middle)" r="\#(isAwaited ? 5 : 3)">"#
            + "<title>\((event.point.rawValue + slot + result).html), "
            + "\(time) µs, CPU \(event.cpu)</title></circle>"
        }
      }
      if let from = begin { svg += bar(x(from), x(shown.count - 1), middle, shown[from].point) }
    }
    if let index = shown.firstIndex(where: { $0.kind == .hit && $0.point == schedule?.until }),
      let lane = lanes.firstIndex(where: { $0.pid == shown[index].pid })
    {
      svg +=
        #"<text class="label" x="\#(x(index) + 7)" y="\#(y(lane) - 8)">"#
        + "\(shown[index].point.rawValue.html)</text>"
    }
    let length = microseconds(span.upperBound, since: span.lowerBound)
    svg +=
      #"<text class="label" x="\#(left)" y="\#(height - 5)">\#(shown.count) of "#
      + "\(report.events.count) events in \(length) µs</text></svg>"
    return svg
  }

  private static func bar(_ from: Int, _ to: Int, _ middle: Int, _ point: HookPoint) -> String {
    #"<rect class="held" x="\#(from)" y="\#(middle - 7)" width="\#(max(2, to - from))" height="14" "#
      + #"rx="3"><title>held at \#(point.rawValue.html)</title></rect>"#
      + #"<text class="label" x="\#(from)" y="\#(middle - 10)">\#(point.rawValue.html)</text>"#
  }

  private static func microseconds(_ time: UInt64, since origin: UInt64) -> UInt64 {
    (time - min(time, origin)) / 1000
  }
}

extension String {
  /// As text or attribute of a page: a guest's words must not become markup.
  var html: String {
    var result = ""
    for scalar in oneLine.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
