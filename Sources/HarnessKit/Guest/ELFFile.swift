/// What the dynamic loader would read of an ELF file: which libraries it wants,
/// and which interpreter. x86-64 only. Every offset in the file is checked.
struct ELFFile: Hashable, Sendable {
  /// DT_NEEDED, in the file's order.
  let needed: [String]
  /// PT_INTERP; nil for a library or a static executable.
  let interpreter: String?

  enum ParseError: Error, Equatable, CustomStringConvertible {
    case notELF
    case foreign(machine: UInt16)
    case damaged(String)

    var description: String {
      switch self {
      case .notELF: "not a 64-bit little-endian ELF file"
      case .foreign(let machine): "built for another machine (e_machine \(machine), not x86-64)"
      case .damaged(let what): "damaged ELF file: \(what)"
      }
    }
  }

  private static let x86Machine: UInt64 = 62
  private enum Segment {
    static let load: UInt64 = 1
    static let dynamic: UInt64 = 2
    static let interpreter: UInt64 = 3
  }
  private enum Tag {
    static let null: UInt64 = 0
    static let needed: UInt64 = 1
    static let stringTable: UInt64 = 5
  }

  init(parsing bytes: [UInt8]) throws(ParseError) {
    let file = Bytes(bytes)
    guard bytes.count >= 64, bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]), bytes[4] == 2,
      bytes[5] == 1
    else { throw .notELF }
    let machine = try file.integer(at: 18, size: 2)
    guard machine == Self.x86Machine else { throw .foreign(machine: UInt16(machine)) }

    let headers = try file.integer(at: 32, size: 8)
    let headerSize = try file.integer(at: 54, size: 2)
    let headerCount = try file.integer(at: 56, size: 2)
    var interpreter: String?
    var dynamic: (offset: UInt64, size: UInt64)?
    var loads: [(address: UInt64, offset: UInt64, size: UInt64)] = []
    for index in 0..<headerCount {
      let header = try Bytes.sum(headers, index * headerSize)
      let offset = try file.integer(at: Bytes.sum(header, 8), size: 8)
      let address = try file.integer(at: Bytes.sum(header, 16), size: 8)
      let size = try file.integer(at: Bytes.sum(header, 32), size: 8)
      switch try file.integer(at: header, size: 4) {
      case Segment.load: loads.append((address, offset, size))
      case Segment.dynamic: dynamic = (offset, size)
      case Segment.interpreter: interpreter = try file.string(at: offset)
      default: break
      }
    }

    var names: [UInt64] = []
    var stringTable: UInt64?
    if let dynamic {
      for index in 0..<dynamic.size / 16 {
        let entry = try Bytes.sum(dynamic.offset, index * 16)
        let tag = try file.integer(at: entry, size: 8)
        let value = try file.integer(at: Bytes.sum(entry, 8), size: 8)
        if tag == Tag.null { break }
        if tag == Tag.needed { names.append(value) }
        if tag == Tag.stringTable { stringTable = value }
      }
    }
    var needed: [String] = []
    if !names.isEmpty {
      // The table is given by address; the segment that holds it tells where
      // it is in the file.
      guard let address = stringTable,
        let segment = loads.first(where: { address >= $0.address && address - $0.address < $0.size }
        )
      else { throw .damaged("no string table") }
      let table = try Bytes.sum(segment.offset, address - segment.address)
      for name in names { needed.append(try file.string(at: Bytes.sum(table, name))) }
    }
    self.needed = needed
    self.interpreter = interpreter
  }

  /// Bounds-checked reads.
  private struct Bytes {
    let bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func sum(_ first: UInt64, _ second: UInt64) throws(ParseError) -> UInt64 {
      let (sum, overflow) = first.addingReportingOverflow(second)
      if overflow { throw .damaged("an offset overflows") }
      return sum
    }

    func integer(at offset: UInt64, size: Int) throws(ParseError) -> UInt64 {
      guard offset <= UInt64(bytes.count), bytes.count - Int(offset) >= size else {
        throw .damaged("it ends before offset \(offset)")
      }
      return bytes[Int(offset)..<Int(offset) + size].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    func string(at offset: UInt64) throws(ParseError) -> String {
      guard offset < UInt64(bytes.count), let end = bytes[Int(offset)...].firstIndex(of: 0) else {
        throw .damaged("an unterminated name at offset \(offset)")
      }
      return String(decoding: bytes[Int(offset)..<end], as: UTF8.self)
    }
  }
}
