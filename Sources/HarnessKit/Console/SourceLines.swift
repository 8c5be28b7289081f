import Foundation
import GuestWire
import SystemPackage

/// Tells the frames of findings to file and line, and to the functions that were inlined
/// there, by a vmlinux with debug information. Two processes a run, however many frames.
struct SourceLines: Sendable {
  let vmlinux: FilePath

  /// The findings with what could be told; the reason where nothing could.
  func annotate(_ findings: [Finding]) async throws -> (findings: [Finding], why: String?) {
    let traced = findings.map { TracedAddress.of($0) }
    guard traced.contains(where: { !$0.isEmpty }) else { return (findings, nil) }
    let symbols = SymbolTable(nm: try await Tool("nm").run(["-S", vmlinux.string]).text)
    var addresses = Set(traced.flatMap { $0.values }.compactMap { symbols.address(of: $0) })
    guard !symbols.isEmpty else {
      return (findings, "\(vmlinux) has no symbols: give the build's own with --vmlinux")
    }
    guard !addresses.isEmpty else {
      return (findings, "\(vmlinux) has none of the functions in this size: another build's?")
    }
    // Whose file's place in the source is known: what stands before it is the builder's.
    let landmark = symbols.address(of: "start_kernel")
    if let landmark { addresses.insert(landmark) }
    let words = addresses.sorted().map { "0x" + String($0, radix: 16) }
    let text = try await Tool("addr2line")
      .run(["-a", "-f", "-i", "-e", vmlinux.string] + words).text
    let places = SourceLines.places(
      addr2line: text, landmark: landmark.map { ($0, "init/main.c") })
    guard places.keys.contains(where: { $0 != landmark }) else {
      return (
        findings,
        "\(vmlinux) has no debug information: CONFIG_DEBUG_INFO_DWARF5=y tells lines "
          + "(harness kernel build --with debuginfo)"
      )
    }
    var annotated = findings
    for (index, frames) in traced.enumerated() {
      for (frame, address) in frames {
        annotated[index].frames[frame].places = symbols.address(of: address)
          .flatMap { places[$0] }
      }
    }
    return (annotated, nil)
  }

  /// Reads addr2line's answers: an address, then a function and its place, the innermost
  /// inlined one first.
  ///
  /// - Parameter landmark: an address, and the end of the file name that it has to have.
  static func places(
    addr2line text: String, landmark: (address: UInt64, file: String)? = nil
  ) -> [UInt64: [StackFrame.Place]] {
    var places: [UInt64: [StackFrame.Place]] = [:]
    var address: UInt64?
    var function: String?
    for line in text.split(separator: "\n") {
      if let hex = line.trimmed.after("0x"), let number = UInt64(hex, radix: 16) {
        address = number
        function = nil
      } else if let name = function, let current = address {
        function = nil
        let place = line.splitOnce(" (discriminator").0
        guard let colon = place.lastIndex(of: ":"),
          let number = Int(place[place.index(after: colon)...]), number > 0
        else { continue }
        places[current, default: []].append(
          StackFrame.Place(
            function: name, file: normalized(String(place[..<colon])), line: number))
      } else {
        function = String(line)
      }
    }
    let root = landmark.flatMap { landmark in
      places[landmark.address]?.last.flatMap { place in
        place.file.hasSuffix(landmark.file) ? String(place.file.dropLast(landmark.file.count)) : nil
      }
    }
    guard let root, !root.isEmpty else { return places }
    return places.mapValues { list in
      list.map { place in
        var place = place
        place.file = place.file.after(root) ?? place.file
        return place
      }
    }
  }

  private static func normalized(_ path: String) -> String {
    FilePath(path).lexicallyNormalized().string
  }
}

/// An address as a call trace has it: `shrink_memcg_cb+0x1c/0x40`.
struct TracedAddress: Hashable, Sendable {
  /// As the symbol table has it, the compiler's suffixes with it.
  var symbol: String
  var offset: UInt64
  var size: UInt64
  /// Of the instruction itself; a return address is that of the one behind the call.
  var isExact: Bool

  /// The frames of a finding that have one, by their index. A frame has lost its offset;
  /// the lines that it comes from have it, in the same order.
  static func of(_ finding: Finding) -> [Int: TracedAddress] {
    let lines = (finding.excerpt ?? finding.details)
    var rest = all(in: lines)[...]
    var found: [Int: TracedAddress] = [:]
    for (index, frame) in finding.frames.enumerated() where frame.module == nil {
      guard
        let position = rest.firstIndex(where: {
          $0.symbol.split(separator: ".").first.map(String.init) == frame.function
        })
      else { continue }
      found[index] = rest[position]
      rest = rest[(position + 1)...]
    }
    return found
  }

  /// All of a text, in order; those of modules left out.
  static func all(in text: String) -> [TracedAddress] {
    text.split(whereSeparator: \.isNewline).flatMap { line -> [TracedAddress] in
      let words = line.split { $0 == " " || $0 == "\t" || $0 == "," }
      // An unreliable frame is no caller.
      return words.indices.compactMap { index -> TracedAddress? in
        let next = words.dropFirst(index + 1).first
        guard index == 0 || words[index - 1] != "?", next?.hasPrefix("[") != true else {
          return nil
        }
        return TracedAddress(parsing: words[index])
      }
    }
  }

  private init?(parsing word: Substring) {
    let isExact = word.hasPrefix("0010:")
    let place = isExact ? word.dropFirst(5) : word
    let sides = place.split(separator: "+", maxSplits: 1)
    guard sides.count == 2 else { return nil }
    let numbers = sides[1].split(separator: "/")
    guard numbers.count == 2, let offset = numbers[0].hexadecimal,
      let size = numbers[1].hexadecimal, offset <= size
    else { return nil }
    self.init(symbol: String(sides[0]), offset: offset, size: size, isExact: isExact)
  }

  init(symbol: String, offset: UInt64, size: UInt64, isExact: Bool) {
    self.symbol = symbol
    self.offset = offset
    self.size = size
    self.isExact = isExact
  }
}

/// The functions of a vmlinux.
struct SymbolTable: Sendable {
  private var functions: [String: [(address: UInt64, size: UInt64)]] = [:]

  /// - Parameter nm: what `nm -S` prints: address, size, type, name.
  init(nm text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.count == 4, "tTwW".contains(words[2]), let address = UInt64(words[0], radix: 16),
        let size = UInt64(words[1], radix: 16)
      else { continue }
      functions[String(words[3]), default: []].append((address, size))
    }
  }

  /// What kallsyms takes for a function's size goes on to the next one.
  private static let padding: UInt64 = 128

  /// Where the instruction is; nil where the table has no such function of that size, or
  /// several.
  func address(of traced: TracedAddress) -> UInt64? {
    let fitting = (functions[traced.symbol] ?? []).filter {
      $0.size <= traced.size && traced.size - $0.size < Self.padding
    }
    guard let function = fitting.first, fitting.count == 1 else { return nil }
    let back: UInt64 = traced.isExact || traced.offset == 0 ? 0 : 1
    return function.address &+ (traced.offset - back)
  }

  /// As of a distribution's headers, whose vmlinux has types alone.
  var isEmpty: Bool { functions.isEmpty }

  func address(of name: String) -> UInt64? { functions[name]?.first?.address }
}

extension StringProtocol {
  fileprivate var hexadecimal: UInt64? {
    hasPrefix("0x") ? UInt64(dropFirst(2), radix: 16) : nil
  }
}
