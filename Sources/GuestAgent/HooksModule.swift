import CZswapHooks
import Glibc
import GuestWire
import Kmod
import SystemPackage

/// zswap_hooks.ko, loaded with one provider, and its debugfs files.
struct HooksModule {
  static let name = ZSWAP_HOOKS_DIR
  private static let directory = "/sys/kernel/debug/\(ZSWAP_HOOKS_DIR)"

  let provider: Provider
  /// The points that this kernel does not have, and why.
  let absent: [HookPoint: String]

  /// Loads it. An error is one of the module's or its build's.
  static func load(_ provider: Provider) throws -> HooksModule {
    let context = try KmodContext()
    try KmodModule(path: "/modules/\(name).ko", in: context).insert(
      options: "provider=\(provider.rawValue)")
    let absent = try HooksFile.points(try read("points")).compactMap { status in
      status.whyAbsent.map { (status.point, $0) }
    }
    return HooksModule(provider: provider, absent: .init(uniqueKeysWithValues: absent))
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

  /// Whether a CPU that goes offline leaves what zswap compresses with on it.
  static let keepsContext = design.contains("context=pool")

  /// Whether entries have a referenced bit, for which a walk passes them over once.
  static let givesSecondChance = design.contains("second-chance=yes")

  private static let design: Set<Substring> = {
    let text = (try? read("design")) ?? ""
    return Set(text.split(whereSeparator: \.isWhitespace))
  }()

  static func has(_ file: String) -> Bool { KernelFile.exists("\(directory)/\(file)") }

  /// Nil where zswap has no LRU for each memcg.
  static func lru() throws(SystemError) -> LRUListing? {
    KernelTrait.has(.memcgLRU) ? LRUListing(try read("lru")) : nil
  }

  /// The module's points, and those of the second writeback, which are the same.
  func points() throws -> ProviderPoints {
    let own = try HooksFile.points(try Self.read("points"))
    let byName = Dictionary(own.map { ($0.point, $0) }, uniquingKeysWith: { first, _ in first })
    return ProviderPoints(
      provider: provider,
      points: HookPoint.catalogue.compactMap { point in
        guard var status = byName[point.modulePoint] else { return nil }
        status.point = point
        return status
      })
  }

  /// A constraint, and whom it is about.
  struct Order {
    let constraint: Schedule.Constraint
    /// The only process that is held; nil for any.
    let pid: Int32?
    /// The only process that ends the hold; nil for any.
    let other: Int32?
    /// The only slot that is held; nil for any.
    var slot: Slot?
  }

  /// Forgets what was recorded and armed before.
  func clear() throws(SystemError) {
    try Self.write("clear", to: "events")
    try Self.write("clear", to: "schedule")
  }

  /// Arms constraints, beside those that are armed.
  func arm(_ orders: [Order], timeoutMilliseconds: Int) throws(SystemError) {
    let lines = orders.map { order in
      let only = order.pid.map { " pid=\($0)" } ?? ""
      let by = order.other.map { " by=\($0)" } ?? ""
      let slot = order.slot.map { " slot=\($0)" } ?? ""
      return "\(order.constraint.hold.modulePoint) > \(order.constraint.until.modulePoint) "
        + "timeout=\(timeoutMilliseconds)\(only)\(by)\(slot)"
    }
    guard !lines.isEmpty else { return }
    try Self.write(lines.joined(separator: "\n"), to: "schedule")
  }

  /// Ends all holds, those that have not begun as well.
  func release() throws(SystemError) { try Self.write("release", to: "schedule") }

  /// The state of each constraint, in the order in which they were armed.
  func holds() throws -> [HooksFile.Hold] {
    try HooksFile.holds(try Self.read("schedule"))
  }

  /// Lets the pin of the next writeback of that process fail, or nobody's.
  static func failPin(of pid: Int32?) throws(SystemError) {
    try write(pid.map { "writeback@pinned 1 pid=\($0)" } ?? "clear", to: "inject")
  }

  /// Says what the calling process is about to do, or has done.
  ///
  /// - Parameter result: as of a system call: negative for an errno.
  static func mark(_ point: String, _ result: Int32) {
    try? write("\(point) \(result)", to: "mark")
  }

  /// Walks a memcg's LRU.
  ///
  /// - Returns: how many entries the walk counted as isolated, or a negative errno.
  static func walk(_ group: ControlGroup, count: Int) -> Int32 {
    do throws(SystemError) {
      let answer = try KernelFile.ask(
        "\(group.kernelPath) \(count)", of: "\(directory)/writeback")
      return HooksFile.isolated(answer).map(Int32.init(clamping:)) ?? -EPROTO
    } catch {
      return -error.errno.rawValue
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
      guard words.count >= 6, let point = HookPoint(rawValue: String(words[0])),
        let hits = UInt64(words[3])
      else { throw FormatError(file: "points", line: String(line)) }
      points.append(
        PointStatus(
          point: point, provider: Provider(rawValue: String(words[2])), hits: hits,
          available: words[4].split(separator: ",").compactMap { Provider(rawValue: String($0)) },
          whyAbsent: words.count > 6 ? words.dropFirst(6).joined(separator: " ") : nil))
    }
    return points
  }

  /// How many entries a walk counted as isolated; nil for anything else.
  static func isolated(_ text: String) -> Int? {
    let words = text.split(whereSeparator: \.isWhitespace)
    guard words.count == 2, words[0].hasPrefix("walked="), words[1].hasPrefix("isolated=")
    else { return nil }
    return Int(words[1].dropFirst("isolated=".count))
  }

  /// A constraint's state, and the slot that it held.
  struct Hold: Equatable {
    var state: HoldReport.State
    var slot: Slot?
  }

  /// A line for each constraint.
  static func holds(_ text: String) throws(FormatError) -> [Hold] {
    var holds: [Hold] = []
    for line in text.split(separator: "\n") {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard words.count == 6, words[1] == ">",
        let state = HoldReport.State(rawValue: String(words[3])), words[5].hasPrefix("slot=")
      else { throw FormatError(file: "schedule", line: String(line)) }
      holds.append(Hold(state: state, slot: Slot(words[5].dropFirst(5))))
    }
    return holds
  }
}
