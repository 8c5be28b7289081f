import Yams

/// What is wrong with a YAML file, and where.
public struct PlanError: Error, Hashable, Sendable, CustomStringConvertible {
  /// A plan, or a list of known findings, as it was named.
  public let file: String
  /// From 1; 0 where the whole file is meant.
  public let line: Int
  /// From 1; 0 where the whole file is meant.
  public let column: Int
  /// Begins with the way to the value, where there is one: `kernels[0].image: …`.
  public let message: String

  public var description: String {
    line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
  }
}

/// One value of a YAML file, with the way to it.
struct YAMLValue {
  let file: String
  /// `kernels[0].image`
  let path: String
  let node: Node

  /// The document of a file.
  static func document(_ text: String, file: String) throws(PlanError) -> YAMLValue {
    do {
      guard let node = try Yams.compose(yaml: text) else {
        throw PlanError(file: file, line: 0, column: 0, message: "there is nothing in it")
      }
      return YAMLValue(file: file, path: "", node: node)
    } catch let error as PlanError {
      throw error
    } catch let error as YamlError {
      throw PlanError(error, file: file)
    } catch {
      throw PlanError(file: file, line: 0, column: 0, message: "\(error)")
    }
  }

  func error(_ message: String) -> PlanError {
    PlanError(
      file: file, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0,
      message: path.isEmpty ? message : "\(path): \(message)")
  }

  func string() throws(PlanError) -> String {
    guard let scalar = node.scalar else { throw error("a text is wanted here") }
    guard !scalar.string.isEmpty else { throw error("this is empty") }
    return scalar.string
  }

  /// A name that becomes part of paths and keys.
  func name() throws(PlanError) -> String {
    let text = try string()
    let isName = text.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || "._+-".contains($0))
    }
    guard isName, !text.hasPrefix("."), text.count <= 64 else {
      throw error("“\(text)” is no name: letters, digits and ._+- are, 64 at the most")
    }
    return text
  }

  func integer(_ range: ClosedRange<Int>) throws(PlanError) -> Int {
    let text = try string()
    guard let value = Int(text) else { throw error("“\(text)” is no whole number") }
    guard range.contains(value) else {
      throw error("\(value) is not in \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func seed() throws(PlanError) -> UInt64 {
    let text = try string()
    guard let value = UInt64(text) else { throw error("“\(text)” is no seed: 0 to 2^64-1") }
    return value
  }

  func number(_ range: ClosedRange<Double>) throws(PlanError) -> Double {
    let text = try string()
    guard let value = Double(text) else { throw error("“\(text)” is no number") }
    guard range.contains(value) else {
      throw error("\(text) is not in \(range.lowerBound) to \(range.upperBound)")
    }
    return value
  }

  func time() throws(PlanError) -> TimeSpan {
    let text = try string()
    guard let span = TimeSpan(text) else {
      throw error("“\(text)” is no time: write 90s, 10m, 8h or 30d")
    }
    return span
  }

  func choice(_ words: [String]) throws(PlanError) -> String {
    let text = try string()
    guard words.contains(text) else {
      throw error("there is no “\(text)”; there are \(words.joined(separator: ", "))")
    }
    return text
  }

  func list() throws(PlanError) -> [YAMLValue] {
    guard let sequence = node.sequence else { throw error("a list is wanted here") }
    return sequence.enumerated().map { index, node in
      YAMLValue(file: file, path: "\(path)[\(index)]", node: node)
    }
  }

  /// A list of texts; one text stands for a list of one, or for several between commas.
  func strings() throws(PlanError) -> [String] {
    if node.scalar != nil {
      return try string().split(separator: ",").map { $0.drop { $0 == " " } }.map(String.init)
    }
    var strings: [String] = []
    for value in try list() { strings.append(try value.string()) }
    return strings
  }

  /// Its fields; one that is not among the keys is an error.
  func fields(_ keys: [String]) throws(PlanError) -> YAMLFields {
    guard let mapping = node.mapping else {
      throw error("fields are wanted here: \(keys.joined(separator: ", "))")
    }
    var values: [String: YAMLValue] = [:]
    for (key, value) in mapping {
      let keyValue = YAMLValue(file: file, path: path, node: key)
      let name = try keyValue.string()
      guard keys.contains(name) else {
        throw keyValue.error(
          "there is no field “\(name)”; there are \(keys.joined(separator: ", "))")
      }
      values[name] = YAMLValue(
        file: file, path: path.isEmpty ? name : "\(path).\(name)", node: value)
    }
    return YAMLFields(owner: self, values: values)
  }
}

/// The fields of a mapping.
struct YAMLFields {
  let owner: YAMLValue
  fileprivate let values: [String: YAMLValue]

  subscript(key: String) -> YAMLValue? { values[key] }

  func required(_ key: String) throws(PlanError) -> YAMLValue {
    guard let value = values[key] else { throw owner.error("there is no \(key)") }
    return value
  }

  /// What is made of a field, where it is there.
  func optional<Value>(
    _ key: String, _ body: (YAMLValue) throws(PlanError) -> Value
  ) throws(PlanError) -> Value? {
    guard let value = values[key] else { return nil }
    return try body(value)
  }
}

extension PlanError {
  fileprivate init(_ error: YamlError, file: String) {
    switch error {
    case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
      .composer(_, let problem, let mark, _):
      self.init(
        file: file, line: mark.line, column: mark.column, message: "this is no YAML: \(problem)")
    case .duplicatedKeysInMapping(let duplicates, let context):
      self.init(
        file: file, line: context.mark.line, column: context.mark.column,
        message: "\(duplicates.sorted().joined(separator: ", ")) stands there twice")
    default:
      self.init(file: file, line: 0, column: 0, message: "this is no YAML: \(error)")
    }
  }
}
