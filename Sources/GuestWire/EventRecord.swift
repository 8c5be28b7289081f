/// The module's `events` file; the format is in `kmod/uapi/zswap_hooks_uapi.h`.
public struct EventRecord: Hashable, Sendable {
  /// As they were recorded, oldest first.
  public var events: [HookEvent]
  /// Events that the module had no room for.
  public var dropped: UInt64

  /// A record's text that is no longer than so many bytes: what is cut off at its end counts
  /// as dropped, so that it is not taken for what never happened.
  public static func cut(_ text: String, toBytes limit: Int) -> String {
    guard text.utf8.count > limit else { return text }
    var dropped: UInt64 = 0
    var kept: [Substring] = []
    var bytes = 0
    var isFull = false
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "dropped", let count = UInt64(words[1]) {
        dropped += count
        continue
      }
      isFull = isFull || bytes + line.utf8.count >= limit
      if isFull {
        dropped += 1
      } else {
        kept.append(line)
        bytes += line.utf8.count + 1
      }
    }
    return (["dropped \(dropped)"] + kept).joined(separator: "\n") + "\n"
  }

  /// A line that is none of the format's.
  public struct FormatError: Error, Equatable, CustomStringConvertible {
    /// As it stands in the file, without its end.
    public let line: String

    public init(line: String) { self.line = line }

    public var description: String { "zswap_hooks/events: cannot read “\(line)”" }
  }

  /// - Parameter shrinker: the process whose points are those of the second
  ///   writeback, where there is one.
  public init(parsing text: String, shrinker: Int? = nil) throws(FormatError) {
    events = []
    dropped = 0
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "dropped", let count = UInt64(words[1]) {
        dropped = count
      } else if let event = HookEvent(words, shrinker: shrinker) {
        events.append(event)
      } else {
        throw FormatError(line: String(line))
      }
    }
  }
}

extension HookEvent {
  fileprivate init?(_ words: [Substring], shrinker: Int?) {
    guard words.count == 10, let sequence = UInt64(words[0]), let time = UInt64(words[1]),
      let cpu = Int(words[2]), let pid = Int(words[3]),
      var point = HookPoint(rawValue: String(words[5])),
      let kind = HookEvent.Kind(rawValue: String(words[6])), let result = Int(words[9])
    else { return nil }
    if pid == shrinker, point.actor == "writeback",
      let own = HookPoint(rawValue: "shrinker@\(point.place)")
    {
      point = own
    }
    self.init(
      sequence: sequence, nanoseconds: time, cpu: cpu, pid: pid, task: String(words[4]),
      point: point, kind: kind, slot: Slot(words[7]), memcg: UInt64(words[8]), result: result)
  }
}
