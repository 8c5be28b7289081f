/// A chain of points: each actor is held at its point until the next one has been
/// passed.
///
/// Its text form, `writeback@unlocked > swapoff@trees-freed`, is one line that
/// can be pasted into a mail; `--schedule` takes it as it is. A third actor makes it
/// longer: `invalidate@begin > writeback@pinned > swapoff@trees-freed` holds invalidate
/// at its begin until writeback is pinned, and writeback until swapoff has freed the
/// trees. An actor starts when the one before it is held and those that have been let
/// go have returned or sleep.
public struct Schedule: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Two neighbours of the chain: who comes to `hold` is held there until somebody
  /// has passed `until`. What the module knows of a schedule.
  public struct Constraint: Hashable, Sendable, CustomStringConvertible {
    /// Where the task that comes is put to sleep.
    public let hold: HookPoint
    /// What another actor has to pass for that sleep to end before its time is up.
    public let until: HookPoint

    public init(hold: HookPoint, until: HookPoint) {
      self.hold = hold
      self.until = until
    }

    public var description: String { "\(hold) > \(until)" }
  }

  /// Two at the least. The last one holds nobody.
  public let points: [HookPoint]
  /// How the actors go about it.
  public let setup: TrialSetup

  /// A pair. That the first may hold, and the second is another's, is the caller's care.
  public init(hold: HookPoint, until: HookPoint, setup: TrialSetup = TrialSetup()) {
    points = [hold, until]
    self.setup = setup
  }

  /// A chain.
  ///
  /// - Throws: a `ParseError`, but neither `unknownPoint` nor `unknownOption`.
  public init(points: [HookPoint], setup: TrialSetup = TrialSetup()) throws(ParseError) {
    self.points = points
    self.setup = setup
    try check()
  }

  /// Where the first actor is held.
  public var hold: HookPoint { points[0] }
  /// What has to be passed before the first goes on.
  public var until: HookPoint { points[1] }

  /// Each point but the last, with the one after it; in the chain's order.
  public var constraints: [Constraint] {
    zip(points, points.dropFirst()).map { Constraint(hold: $0, until: $1) }
  }

  /// The one that all the others lead to: a pair's only one.
  public var lastConstraint: Constraint {
    Constraint(hold: points[points.count - 2], until: points[points.count - 1])
  }

  /// Each once, in the order in which they start.
  public var actors: [String] {
    var actors: [String] = []
    for point in points where !actors.contains(point.actor) { actors.append(point.actor) }
    return actors
  }

  public var description: String {
    points.map(\.rawValue).joined(separator: " > ") + setup.text
  }

  /// Whether an actor of that name takes part.
  public func involves(_ actor: String) -> Bool { points.contains { $0.actor == actor } }

  /// The most actors and points: the guest has so many hands.
  public static let actorsLimit = 3
  /// One actor may have more than one of them.
  public static let pointsLimit = 4

  /// What the page holder does: one thing at a time.
  private static let holdersActors: Set<String> = ["invalidate", "load", "store", "fork"]

  private func check() throws(ParseError) {
    guard (2...Self.pointsLimit).contains(points.count) else { throw .shape(description) }
    for constraint in constraints {
      guard constraint.hold.maySleep else { throw .cannotHold(constraint.hold) }
      guard constraint.hold.actor != constraint.until.actor else {
        throw .sameActor(constraint.hold.actor)
      }
    }
    guard actors.count <= Self.actorsLimit else { throw .shape(description) }
    let order = HookPoint.catalogue
    for (position, point) in points.enumerated() {
      guard let before = points[..<position].last(where: { $0.actor == point.actor }) else {
        continue
      }
      guard let one = order.firstIndex(of: before), let two = order.firstIndex(of: point), one < two
      else { throw .backwards(before, point) }
    }
    let byHolder = actors.filter { actor in
      if actor == "store", setup.again != .no { return false }
      return Self.holdersActors.contains(actor) || actor == "writeback" && setup.via == .limit
    }
    guard byHolder.count <= 1 else { throw .sameProcess(byHolder) }
  }

  /// Why a text is not a schedule.
  public enum ParseError: Error, Equatable, CustomStringConvertible {
    /// The text is no chain of points, or has too many points or actors, or one point only.
    case shape(String)
    /// A name that is none of the catalogue's.
    case unknownPoint(String)
    /// A task is to be held where it may not sleep.
    case cannotHold(HookPoint)
    /// Two neighbours of the chain are points of this actor.
    case sameActor(String)
    /// An actor's point, and a later one of the chain that its path does not pass after it.
    case backwards(HookPoint, HookPoint)
    /// These actors are all played by the pages' owner.
    case sameProcess([String])
    /// A `KEY=VALUE` word whose key or value is none of `TrialSetup`'s.
    case unknownOption(String)

    public var description: String {
      switch self {
      case .shape(let text):
        "“\(text)” is not a schedule: write POINT > POINT, such as "
          + "writeback@unlocked > swapoff@trees-freed; or up to \(Schedule.pointsLimit) points "
          + "of up to \(Schedule.actorsLimit) actors"
      case .unknownPoint(let name):
        "there is no hook point “\(name)”; there are "
          + HookPoint.catalogue.map(\.rawValue).joined(separator: ", ")
      case .cannotHold(let point):
        "\(point) can only be observed: a lock may be held there, and a task that slept "
          + "with it would deadlock the kernel under test"
      case .sameActor(let actor):
        "both points belong to \(actor): a schedule orders two actors"
      case .backwards(let before, let point):
        "\(point) does not come after \(before) on its actor's path"
      case .sameProcess(let actors):
        "\(actors.joined(separator: " and ")) are done by one process, the pages' owner: one of "
          + "them at a time"
      case .unknownOption(let word):
        "“\(word)” is no option of a schedule; there are \(TrialSetup.help)"
      }
    }
  }

  /// The schedule of a text form; white space around each `>` may be left out.
  public init(parsing text: String) throws(ParseError) {
    let sides = text.split(separator: ">", omittingEmptySubsequences: false)
      .map { $0.trimmed }
    let words = sides[sides.count - 1].split(separator: " ")
    let names = sides.dropLast() + words.prefix(1).map(String.init)
    guard sides.count >= 2, names.count == sides.count,
      names.allSatisfy({ !$0.isEmpty && !$0.contains(" ") })
    else { throw .shape(text) }
    var points: [HookPoint] = []
    for name in names {
      guard let point = HookPoint(rawValue: name) else { throw .unknownPoint(name) }
      points.append(point)
    }
    var setup = TrialSetup()
    for word in words.dropFirst() {
      guard word.contains("=") else { throw .shape(text) }
      guard setup.take(word) else { throw .unknownOption(String(word)) }
    }
    try self.init(points: points, setup: setup)
  }

  /// A line of a list of schedules that is none.
  public struct ListError: Error, Equatable, CustomStringConvertible {
    /// From 1.
    public let line: Int
    /// Why the line is no schedule.
    public let error: ParseError

    public init(line: Int, error: ParseError) {
      self.line = line
      self.error = error
    }

    public var description: String { "line \(line): \(error)" }
  }

  /// The schedules of a text, one a line; what follows a `#` is left out.
  public static func list(parsing text: String) throws(ListError) -> [Schedule] {
    var schedules: [Schedule] = []
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      let words = line.prefix { $0 != "#" }.trimmed
      guard !words.isEmpty else { continue }
      do throws(ParseError) {
        schedules.append(try Schedule(parsing: words))
      } catch {
        throw ListError(line: number + 1, error: error)
      }
    }
    return schedules
  }

  public init(from decoder: any Decoder) throws {
    let text = try decoder.singleValueContainer().decode(String.self)
    do {
      try self.init(parsing: text)
    } catch {
      throw DecodingError.dataCorrupted(
        .init(codingPath: decoder.codingPath, debugDescription: "\(error)"))
    }
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension StringProtocol {
  /// Without the white space at both ends.
  public var trimmed: String {
    let head = drop { $0.isWhitespace }
    guard let last = head.lastIndex(where: { !$0.isWhitespace }) else { return "" }
    return String(head[...last])
  }
}
