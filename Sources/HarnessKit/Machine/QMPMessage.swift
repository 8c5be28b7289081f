import Foundation

/// A line from QEMU's monitor (QMP). Pure.
enum QMPMessage: Hashable, Sendable {
  /// The first line: QEMU's version.
  case greeting(version: String)
  case event(QMPEvent)
  /// The answer to a command; `status` where it is an object that has one, the
  /// one field that anybody here asks for.
  case success(id: Int?, status: String?)
  case failure(id: Int?, kind: String, text: String)
  /// JSON, but none of the above: a newer QEMU.
  case unknown

  /// The line is not a JSON object.
  struct ParseError: Error, Equatable, CustomStringConvertible {
    let line: String

    var description: String { "QEMU's monitor wrote what is not JSON: “\(line)”" }
  }

  init(parsing line: some Collection<UInt8>) throws(ParseError) {
    let raw: Raw
    do {
      raw = try JSONDecoder().decode(Raw.self, from: Data(line))
    } catch {
      throw ParseError(line: String(decoding: line.prefix(200), as: UTF8.self))
    }
    if let version = raw.greeting?.version.qemu {
      self = .greeting(version: "\(version.major).\(version.minor).\(version.micro)")
    } else if let name = raw.event {
      self = .event(QMPEvent(name: name, reason: raw.data?.reason))
    } else if let failure = raw.error {
      self = .failure(id: raw.id, kind: failure.kind, text: failure.desc)
    } else if let answer = raw.answer {
      self = .success(id: raw.id, status: answer.status)
    } else {
      self = .unknown
    }
  }

  private struct Raw: Decodable {
    struct Greeting: Decodable {
      struct Version: Decodable {
        struct Numbers: Decodable {
          let major: Int
          let minor: Int
          let micro: Int
        }
        let qemu: Numbers
      }
      let version: Version
    }
    struct EventData: Decodable {
      let reason: String?
    }
    struct Failure: Decodable {
      let kind: String
      let desc: String
      enum CodingKeys: String, CodingKey {
        case kind = "class"
        case desc
      }
    }
    /// Any JSON value; its status, where it is an object that has one.
    struct Answer: Decodable {
      let status: String?
      enum CodingKeys: String, CodingKey { case status }

      init(from decoder: any Decoder) throws {
        let object = try? decoder.container(keyedBy: CodingKeys.self)
        status = try? object?.decodeIfPresent(String.self, forKey: .status)
      }
    }

    let greeting: Greeting?
    let event: String?
    let data: EventData?
    let error: Failure?
    let answer: Answer?
    let id: Int?

    enum CodingKeys: String, CodingKey {
      case greeting = "QMP"
      case answer = "return"
      case event, data, error, id
    }

    init(from decoder: any Decoder) throws {
      let object = try decoder.container(keyedBy: CodingKeys.self)
      greeting = try? object.decodeIfPresent(Greeting.self, forKey: .greeting)
      event = try? object.decodeIfPresent(String.self, forKey: .event)
      data = try? object.decodeIfPresent(EventData.self, forKey: .data)
      error = try? object.decodeIfPresent(Failure.self, forKey: .error)
      answer = try? object.decodeIfPresent(Answer.self, forKey: .answer)
      id = try? object.decodeIfPresent(Int.self, forKey: .id)
    }
  }
}

/// The arguments of those commands that have any.
enum QMPArguments: Hashable, Sendable, Encodable {
  /// Of `migrate` and `migrate-incoming`: a shell's command on the other end.
  case shell(String)
  /// Of `migrate-set-capabilities`: memory in a shared file stays there.
  case ignoreSharedMemory

  private struct Capability: Encodable {
    let capability: String
    let state: Bool
  }

  private enum CodingKeys: String, CodingKey { case uri, capabilities }

  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: CodingKeys.self)
    switch self {
    case .shell(let command): try object.encode("exec:\(command)", forKey: .uri)
    case .ignoreSharedMemory:
      try object.encode(
        [Capability(capability: "x-ignore-shared", state: true)], forKey: .capabilities)
    }
  }

  private struct Line: Encodable {
    let execute: String
    let id: Int
    let arguments: QMPArguments?
  }

  /// A command as QEMU reads it, its line feed included.
  static func line(_ command: String, id: Int, _ arguments: QMPArguments?) -> [UInt8] {
    guard let line = try? JSONText.line(Line(execute: command, id: id, arguments: arguments))
    else { preconditionFailure("strings and numbers have a JSON form") }
    return [UInt8](line)
  }
}
