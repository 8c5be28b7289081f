/// An ordering constraint between two actors: hold one at a point until the
/// other has passed another point.
///
/// Its text form, `writeback@unlocked > swapoff@trees-freed`, is one line that
/// can be pasted into a mail; `--schedule` and the module's `schedule` file
/// take it as it is.
public struct Schedule: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Where the first actor is held.
  public let hold: HookPoint
  /// What the second actor has to pass before the first goes on.
  public let until: HookPoint
  /// How the actors go about it.
  public let setup: TrialSetup

  public init(hold: HookPoint, until: HookPoint, setup: TrialSetup = TrialSetup()) {
    self.hold = hold
    self.until = until
    self.setup = setup
  }

  public var description: String { "\(hold) > \(until)\(setup.text)" }

  /// Whether an actor of that name takes part.
  public func involves(_ actor: String) -> Bool { hold.actor == actor || until.actor == actor }

  /// Why a text is not a schedule.
  public enum ParseError: Error, Equatable, CustomStringConvertible {
    case shape(String)
    case unknownPoint(String)
    case cannotHold(HookPoint)
    case sameActor(String)
    case unknownOption(String)

    public var description: String {
      switch self {
      case .shape(let text):
        "“\(text)” is not a schedule: write POINT > POINT, such as "
          + "writeback@unlocked > swapoff@trees-freed"
      case .unknownPoint(let name):
        "there is no hook point “\(name)”; there are "
          + HookPoint.catalogue.map(\.rawValue).joined(separator: ", ")
      case .cannotHold(let point):
        "\(point) can only be observed: a lock may be held there, and a task that slept "
          + "with it would deadlock the kernel under test"
      case .sameActor(let actor):
        "both points belong to \(actor): a schedule orders two actors"
      case .unknownOption(let word):
        "“\(word)” is no option of a schedule; there are \(TrialSetup.help)"
      }
    }
  }

  public init(parsing text: String) throws(ParseError) {
    let sides = text.split(separator: ">", omittingEmptySubsequences: false)
      .map { $0.trimmed }
    guard sides.count == 2, !sides[0].isEmpty, !sides[0].contains(" "),
      let last = sides[1].split(separator: " ").first.map(String.init)
    else { throw .shape(text) }
    guard let hold = HookPoint(rawValue: sides[0]) else { throw .unknownPoint(sides[0]) }
    guard let until = HookPoint(rawValue: last) else { throw .unknownPoint(last) }
    var setup = TrialSetup()
    for word in sides[1].split(separator: " ").dropFirst() {
      guard word.contains("=") else { throw .shape(text) }
      guard setup.take(word) else { throw .unknownOption(String(word)) }
    }
    guard hold.maySleep else { throw .cannotHold(hold) }
    guard hold.actor != until.actor else { throw .sameActor(hold.actor) }
    self.init(hold: hold, until: until, setup: setup)
  }

  /// A line of a list of schedules that is none.
  public struct ListError: Error, Equatable, CustomStringConvertible {
    /// From 1.
    public let line: Int
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
