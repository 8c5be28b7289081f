import Foundation

/// A line from QEMU's monitor (QMP). Pure.
public enum QMPMessage: Hashable, Sendable {
  /// The first line: QEMU's version.
  case greeting(version: String)
  case event(QMPEvent)
  /// The answer to a command; `value` where it is an object's `status`, the
  /// one field that anybody here asks for.
  case success(id: Int?, status: String?)
  case failure(id: Int?, kind: String, text: String)
  /// JSON, but none of the above: a newer QEMU.
  case unknown

  /// The line is not a JSON object.
  public struct ParseError: Error, Equatable, CustomStringConvertible {
    public let line: String

    public var description: String { "QEMU's monitor wrote what is not JSON: “\(line)”" }
  }

  public init(parsing line: some Collection<UInt8>) throws(ParseError) {
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
