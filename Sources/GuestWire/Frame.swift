import FoundationEssentials

/// The framing of the virtio-serial channel: magic, length, checksum, payload.
///
/// The guest is not trusted: the length is bounded before anything is
/// allocated, the checksum is checked before anything is decoded, and both
/// failures are errors that name what was wrong.
public enum Frame {
  /// "ZSWF", big endian.
  public static let magic: UInt32 = 0x5A53_5746
  /// A report with its events stays well below this.
  public static let maximumPayload = 1 << 20
  /// Bytes before the payload: magic, its length and its checksum, four each, big endian.
  public static let headerSize = 12

  /// What is wrong with a frame, or with a message that was to become one.
  public enum FrameError: Error, Equatable, CustomStringConvertible {
    /// What stands where a frame should begin.
    case badMagic(UInt32)
    /// A payload's length in bytes: of a message to be sent, or as a header claims it.
    case tooLong(Int)
    /// The header's checksum is `expected`; that of the payload which came is `actual`.
    case badChecksum(expected: UInt32, actual: UInt32)
    /// The payload came whole, and is no JSON of the message's type.
    case undecodable(String)

    public var description: String {
      switch self {
      case .badMagic(let value):
        "frame starts with 0x\(String(value, radix: 16)), not with the magic number"
      case .tooLong(let length):
        "frame of \(length) bytes, more than the \(Frame.maximumPayload) allowed"
      case .badChecksum(let expected, let actual):
        "frame's checksum is 0x\(String(actual, radix: 16)), "
          + "its header says 0x\(String(expected, radix: 16))"
      case .undecodable(let why):
        "frame's payload is not a message: \(why)"
      }
    }
  }

  /// The bytes of a message on the wire.
  public static func encode(_ message: some Encodable) throws -> [UInt8] {
    let payload = try JSONEncoder().encode(message)
    guard payload.count <= maximumPayload else { throw FrameError.tooLong(payload.count) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(headerSize + payload.count)
    for word in [magic, UInt32(payload.count), crc32(payload)] {
      withUnsafeBytes(of: word.bigEndian) { bytes.append(contentsOf: $0) }
    }
    bytes.append(contentsOf: payload)
    return bytes
  }

  /// The message in a payload that a `FrameReader` gave.
  ///
  /// - Throws: `undecodable`, and nothing else.
  public static func decode<Message: Decodable>(
    _ type: Message.Type, from payload: [UInt8]
  ) throws(FrameError) -> Message {
    do {
      return try JSONDecoder().decode(type, from: Data(payload))
    } catch {
      throw .undecodable(String(describing: error))
    }
  }

  /// CRC-32 as in zlib (polynomial 0xEDB88320, reflected).
  static func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc = crcTable[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8)
    }
    return ~crc
  }

  private static let crcTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in
      value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1
    }
  }
}

/// Cuts a stream of bytes into payloads.
public struct FrameReader: Sendable {
  private var buffer: [UInt8] = []
  private var failure: Frame.FrameError?

  public init() {}

  /// Takes over what has come, wherever in a frame it begins or ends; `next` looks at it.
  public mutating func append(_ bytes: some Sequence<UInt8>) {
    buffer.append(contentsOf: bytes)
  }

  /// The next whole payload, or nil until more bytes have come. After an error
  /// the stream has no frame boundaries any more: every later call throws it
  /// again.
  public mutating func next() throws(Frame.FrameError) -> [UInt8]? {
    if let failure { throw failure }
    guard buffer.count >= Frame.headerSize else { return nil }
    let magic = word(at: 0)
    guard magic == Frame.magic else { throw fail(.badMagic(magic)) }
    let length = Int(word(at: 4))
    guard length <= Frame.maximumPayload else { throw fail(.tooLong(length)) }
    guard buffer.count >= Frame.headerSize + length else { return nil }
    let payload = Array(buffer[Frame.headerSize..<Frame.headerSize + length])
    let expected = word(at: 8)
    let actual = Frame.crc32(payload)
    guard expected == actual else {
      throw fail(.badChecksum(expected: expected, actual: actual))
    }
    buffer.removeFirst(Frame.headerSize + length)
    return payload
  }

  private mutating func fail(_ error: Frame.FrameError) -> Frame.FrameError {
    failure = error
    return error
  }

  private func word(at offset: Int) -> UInt32 {
    buffer[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }
}
