import CZswapHooks
import GuestWire
import Kmod
import SystemPackage

/// zswap_hooks.ko, loaded with one provider, and its debugfs files.
struct HooksModule {
  static let name = ZSWAP_HOOKS_DIR
  private static let directory = "/sys/kernel/debug/\(ZSWAP_HOOKS_DIR)"

  let provider: Provider

  /// Loads it. An error is one of the module's or its build's.
  static func load(_ provider: Provider) throws -> HooksModule {
    let context = try KmodContext()
    try KmodModule(path: "/modules/\(name).ko", in: context).insert(
      options: "provider=\(provider.rawValue)")
    return HooksModule(provider: provider)
  }

  func unload() throws {
    let context = try KmodContext()
    try KmodModule(name: Self.name, in: context).remove()
  }

  static func write(_ text: String, to file: String) throws(SystemError) {
    try KernelFile.write(text, to: "\(directory)/\(file)")
  }

  static func read(_ file: String) throws(SystemError) -> String {
    try KernelFile.read("\(directory)/\(file)")
  }

  func points() throws -> ProviderPoints {
    ProviderPoints(provider: provider, points: try HooksFile.points(try Self.read("points")))
  }

  /// Arms one constraint; `pid` is the only process that is ever held.
  func arm(_ schedule: Schedule, pid: Int32, timeoutMilliseconds: Int) throws(SystemError) {
    try Self.write("clear", to: "schedule")
    try Self.write("clear", to: "events")
    try Self.write(
      "\(schedule) timeout=\(timeoutMilliseconds) pid=\(pid)", to: "schedule")
  }

  func state() throws -> HoldReport.State {
    try HooksFile.holdState(try Self.read("schedule"))
  }

  func events() throws -> (events: [HookEvent], dropped: UInt64) {
    try HooksFile.events(try Self.read("events"))
  }

  /// Walks a memcg's LRU.
  static func walk(_ group: ControlGroup, count: Int) -> Int32 {
    do {
      try write("\(group.kernelPath) \(count)", to: "writeback")
      return 0
    } catch {
      return error.errno.rawValue
    }
  }
}

/// Parsers of the module's files; the formats are in kmod/uapi/zswap_hooks_uapi.h.
enum HooksFile {
  struct FormatError: Error, Equatable, CustomStringConvertible {
    let file: String
    let line: String
    var description: String { "zswap_hooks/\(file): cannot read “\(line)”" }
  }

  static func points(_ text: String) throws(FormatError) -> [PointStatus] {
    var points: [PointStatus] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 6, let point = HookPoint(rawValue: String(words[0])),
        let hits = UInt64(words[3])
      else { throw FormatError(file: "points", line: String(line)) }
      points.append(
        PointStatus(
          point: point, provider: Provider(rawValue: String(words[2])), hits: hits,
          available: words[4].split(separator: ",").compactMap { Provider(rawValue: String($0)) }))
    }
    return points
  }

  /// The state of the one constraint that a trial has.
  static func holdState(_ text: String) throws(FormatError) -> HoldReport.State {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 6, words[1] == ">",
      let state = HoldReport.State(rawValue: String(words[3]))
    else { throw FormatError(file: "schedule", line: text) }
    return state
  }

  static func events(
    _ text: String
  ) throws(FormatError) -> (events: [HookEvent], dropped: UInt64) {
    var events: [HookEvent] = []
    var dropped: UInt64 = 0
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      if words.count == 2, words[0] == "dropped", let count = UInt64(words[1]) {
        dropped = count
      } else if let event = event(words) {
        events.append(event)
      } else {
        throw FormatError(file: "events", line: String(line))
      }
    }
    return (events, dropped)
  }

  private static func event(_ words: [Substring]) -> HookEvent? {
    guard words.count == 10, let sequence = UInt64(words[0]), let time = UInt64(words[1]),
      let cpu = Int(words[2]), let pid = Int(words[3]),
      let point = HookPoint(rawValue: String(words[5])),
      let kind = HookEvent.Kind(rawValue: String(words[6])), let result = Int(words[9])
    else { return nil }
    return HookEvent(
      sequence: sequence, nanoseconds: time, cpu: cpu, pid: pid, task: String(words[4]),
      point: point, kind: kind, slot: slot(words[7]), memcg: UInt64(words[8]), result: result)
  }

  private static func slot(_ word: Substring) -> Slot? {
    let parts = word.split(separator: ":")
    guard parts.count == 2, let type = Int(parts[0]), let offset = UInt64(parts[1]) else {
      return nil
    }
    return Slot(type: type, offset: offset)
  }
}
