import Foundation
import SystemPackage

/// A kernel's configuration, or a fragment of one.
public struct KernelConfig: Hashable, Sendable {
  /// What an option is set to. An option that is not mentioned, one that “is
  /// not set” and one that is `n` are the same.
  public enum Value: Hashable, Sendable, CustomStringConvertible {
    case no, module, yes
    /// A string (without its quotes), number or hexadecimal number.
    case text(String)

    public var description: String {
      switch self {
      case .no: "n"
      case .module: "m"
      case .yes: "y"
      case .text(let text): text
      }
    }
  }

  /// Where a configuration was found.
  public enum Origin: Hashable, Sendable, CustomStringConvertible {
    /// In the image itself, through CONFIG_IKCONFIG.
    case embedded(FilePath)
    /// A file in the image's folder, such as `config-RELEASE`.
    case beside(FilePath)
    /// The `.config` of the tree that the image lies in.
    case buildTree(FilePath)
    /// A file that the user named.
    case file(FilePath)

    public var description: String {
      switch self {
      case .embedded(let image): "\(image) (embedded, CONFIG_IKCONFIG)"
      case .beside(let path): "\(path) (beside the image)"
      case .buildTree(let path): "\(path) (of the build tree)"
      case .file(let path): path.string
      }
    }
  }

  /// Every option mentioned, without its `CONFIG_`, in the order of the text;
  /// where one is mentioned twice, the later line.
  public let options: [(name: String, value: Value)]
  /// Nil for text that is of no kernel, such as a fragment.
  public let origin: Origin?
  private let values: [String: Value]

  /// Parses the text of a `.config` or a fragment.
  ///
  /// - Parameter name: what errors call it.
  public init(
    parsing text: some StringProtocol, name: String, origin: Origin? = nil
  ) throws(KernelError) {
    var order: [String] = []
    var values: [String: Value] = [:]
    let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    for (number, whole) in lines.enumerated() {
      var line = Substring(whole)
      while line.last?.isWhitespace == true { line = line.dropLast() }
      guard !line.isEmpty else { continue }
      guard let (option, value) = KernelConfig.assignment(line) else {
        if line.hasPrefix("#") { continue }
        throw KernelError(
          .config, "read kernel configuration", "\(name):\(number + 1)",
          "not a line of a .config: “\(line.prefix(60))”",
          advice: "Lines read CONFIG_X=y, CONFIG_X=\"text\", or # CONFIG_X is not set.")
      }
      if values.updateValue(value, forKey: option) == nil { order.append(option) }
    }
    options = order.map { ($0, values[$0] ?? .no) }
    self.values = values
    self.origin = origin
  }

  /// The option's value; its name without `CONFIG_`.
  public subscript(option: String) -> Value { values[option] ?? .no }

  /// Whether the text has a line about the option at all.
  public func mentions(_ option: String) -> Bool { values[option] != nil }

  public static func == (a: KernelConfig, b: KernelConfig) -> Bool {
    a.values == b.values && a.origin == b.origin
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(values) }

  /// Reads a configuration file.
  public static func read(
    _ path: FilePath, origin: (FilePath) -> Origin = Origin.file
  ) throws(KernelError) -> KernelConfig {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path.string))
    } catch {
      throw KernelError(
        .notFound, "read kernel configuration", path.string,
        (error as NSError).localizedDescription)
    }
    return try KernelConfig(
      parsing: String(decoding: data, as: UTF8.self), name: path.string, origin: origin(path))
  }

  /// The configuration of the kernel in an image: its own copy, else a file
  /// that lies where builds and distributions put it.
  static func find(
    for path: FilePath, image: BzImage
  ) async throws(KernelError) -> KernelConfig {
    if let embedded = try await embedded(in: path, image: image) { return embedded }
    let directory = path.removingLastComponent()
    let fileName = path.lastComponent?.string ?? ""
    let tree = KernelBuildTree.above(image: path)
    var places: [(FilePath, (FilePath) -> Origin)] = [
      (directory.appending("config-\(image.release)"), Origin.beside),
      (directory.appending("\(fileName).config"), Origin.beside),
    ]
    // In arch/x86/boot these would be somebody else's.
    if tree == nil {
      places += [".config", "config"].map { (directory.appending($0), Origin.beside) }
    }
    if let tree { places.append((tree.appending(".config"), Origin.buildTree)) }
    for (place, origin) in places
    where FileManager.default.fileExists(atPath: place.string) {
      return try read(place, origin: origin)
    }
    throw KernelError(
      .config, "find the configuration of", path.string,
      "not embedded (CONFIG_IKCONFIG), and not at any of its usual places",
      advice: "Put the .config of that build at \(places[1].0.string).",
      details: places.map { "no \($0.0.string)" })
  }

  /// The copy that CONFIG_IKCONFIG=y puts into the image; nil where there is
  /// none.
  static func embedded(
    in path: FilePath, image: BzImage
  ) async throws(KernelError) -> KernelConfig? {
    let text: [UInt8]?
    do {
      let bytes = try Data(contentsOf: URL(fileURLWithPath: path.string), options: .alwaysMapped)
      guard image.payload.upperBound <= bytes.count else { return nil }
      text = try await embeddedText(payload: [UInt8](bytes[image.payload]))
    } catch let error as ToolError {
      // Without the tool the configuration may still lie beside the image.
      guard case .missing = error.reason else {
        throw KernelError(
          .image, "read the embedded configuration of", path.string,
          "its payload does not decompress", advice: "Is the image damaged? Build it anew.",
          details: [error.description])
      }
      return nil
    } catch {
      throw KernelError(.host, "read", path.string, String(describing: error))
    }
    guard let text else { return nil }
    return try KernelConfig(
      parsing: String(decoding: text, as: UTF8.self), name: "embedded in \(path)",
      origin: .embedded(path))
  }

  static func embeddedText(payload: [UInt8]) async throws -> [UInt8]? {
    let kernel =
      if let format = Compression(magic: payload[...]) {
        try await format.decompress(payload[...])
      } else {
        payload
      }
    guard let start = kernel.firstOffset(of: Array("IKCFG_ST".utf8), from: 0),
      let end = kernel.firstOffset(of: Array("IKCFG_ED".utf8), from: start)
    else { return nil }
    return try await Compression.gzip.decompress(kernel[(start + 8)..<end])
  }

  /// Nil where the line assigns nothing: a comment, or no line of a .config.
  private static func assignment(_ line: Substring) -> (String, Value)? {
    if line.hasPrefix("# CONFIG_"), line.hasSuffix(" is not set") {
      return (String(line.dropFirst(9).dropLast(11)), .no)
    }
    guard line.hasPrefix("CONFIG_"), let equals = line.firstIndex(of: "=") else { return nil }
    let name = line[..<equals].dropFirst(7)
    guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else {
      return nil
    }
    let right = line[line.index(after: equals)...]
    switch right {
    case "y": return (String(name), .yes)
    case "m": return (String(name), .module)
    case "n": return (String(name), .no)
    default:
      guard right.hasPrefix("\"") else { return (String(name), .text(String(right))) }
      guard right.count >= 2, right.hasSuffix("\"") else { return nil }
      return (String(name), .text(unescaped(right.dropFirst().dropLast())))
    }
  }

  private static func unescaped(_ text: Substring) -> String {
    var result = ""
    var escaped = false
    for character in text {
      if character == "\\" && !escaped {
        escaped = true
      } else {
        result.append(character)
        escaped = false
      }
    }
    return result
  }
}
