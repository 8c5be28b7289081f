import GuestWire

/// One line of a guest's console, taken apart: printk's prefix, and the message.
struct ConsoleLine: Hashable, Sendable {
  /// Who printed it, where the kernel has CONFIG_PRINTK_CALLER: the one thing
  /// that keeps two reports apart when two CPUs print at once.
  enum Caller: Hashable, Sendable {
    /// A task, by its thread id.
    case task(Int)
    /// An interrupt on a CPU.
    case cpu(Int)
  }

  /// The message, without escape sequences, carriage returns and prefix.
  let text: String
  /// Seconds since boot, from `[   12.345678]`.
  let seconds: Double?
  /// From `[    T123]` or `[    C1]`.
  let caller: Caller?

  /// Bytes of a line that are looked at. printk's own limit is 1 KiB; what a
  /// guest writes to the serial port by hand has none.
  static let limit = 2048

  init(_ raw: some StringProtocol) {
    var scanner = Scanner(ConsoleLine.clean(raw))
    scanner.skipLevel()
    seconds = scanner.timestamp()
    caller = scanner.caller()
    if seconds != nil || caller != nil { scanner.skipSpace() }
    text = scanner.rest
  }

  /// A line, cut where another line of the kernel begins within it: a program
  /// that had written half a line when the kernel reported something must not
  /// hide the report. Without carriage returns, and up to the limit.
  static func torn(_ raw: some StringProtocol) -> [String] {
    let bytes = raw.utf8.prefix(limit).filter { $0 != UInt8(ascii: "\r") }
    var parts: [String] = []
    var start = 0
    for index in bytes.indices.dropFirst()
    where bytes[index] == UInt8(ascii: "[") && isTimestamp(bytes[index...]) {
      parts.append(String(decoding: bytes[start..<index], as: UTF8.self))
      start = index
    }
    return parts + [String(decoding: bytes[start...], as: UTF8.self)]
  }

  /// `[   12.345678]`, with the six digits that printk gives.
  private static func isTimestamp(_ bytes: ArraySlice<UInt8>) -> Bool {
    let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
    let seconds = bytes.dropFirst().prefix(16).drop { $0 == UInt8(ascii: " ") }
      .drop { digits.contains($0) }
    guard seconds.first == UInt8(ascii: ".") else { return false }
    let fraction = bytes[seconds.startIndex...].dropFirst()
    return fraction.prefix(6).allSatisfy { digits.contains($0) }
      && fraction.dropFirst(6).first == UInt8(ascii: "]")
  }

  /// Without ANSI sequences and control characters (but tabs), cut to the limit.
  private static func clean(_ raw: some StringProtocol) -> [UInt8] {
    var bytes: [UInt8] = []
    var input = raw.utf8.prefix(limit).makeIterator()
    while let byte = input.next() {
      if byte == 0x1B {
        guard let kind = input.next(), kind == UInt8(ascii: "[") else { continue }
        while let parameter = input.next(), !(0x40...0x7E).contains(parameter) {}
      } else if byte >= 0x20 && byte != 0x7F || byte == UInt8(ascii: "\t") {
        bytes.append(byte)
      }
    }
    return bytes
  }

  /// Reads printk's prefixes off the front of a line.
  private struct Scanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var rest: String { String(decoding: bytes[position...], as: UTF8.self) }

    /// `<6>`, as /dev/kmsg and some early consoles have it.
    mutating func skipLevel() {
      guard let (inside, end) = bracketed("<", ">"), inside.count <= 3,
        Int(inside) != nil
      else { return }
      position = end
    }

    mutating func timestamp() -> Double? {
      guard let (inside, end) = bracketed("[", "]"), inside.contains("."),
        let seconds = Double(inside.trimmed), seconds >= 0, seconds.isFinite
      else { return nil }
      position = end
      return seconds
    }

    mutating func caller() -> Caller? {
      guard let (inside, end) = bracketed("[", "]") else { return nil }
      let word = inside.trimmed
      guard let letter = word.first, let number = Int(word.dropFirst()), number >= 0 else {
        return nil
      }
      switch letter {
      case "T":
        position = end
        return .task(number)
      case "C":
        position = end
        return .cpu(number)
      default: return nil
      }
    }

    mutating func skipSpace() {
      if position < bytes.count, bytes[position] == UInt8(ascii: " ") { position += 1 }
    }

    /// The short text between two brackets that start at the position.
    private func bracketed(
      _ open: Unicode.Scalar, _ close: Unicode.Scalar
    ) -> (inside: String, end: Int)? {
      guard position < bytes.count, bytes[position] == UInt8(ascii: open),
        let end = bytes[position...].prefix(24).firstIndex(of: UInt8(ascii: close))
      else { return nil }
      return (String(decoding: bytes[(position + 1)..<end], as: UTF8.self), end + 1)
    }
  }
}
