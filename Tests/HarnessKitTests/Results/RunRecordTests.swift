import Foundation
import GuestWire
import Testing

@testable import HarnessKit

@Suite struct RunRecordTests {
  private static let samples = [
    Records.passed, Records.failed, Records.compared,
    Records.record([], failures: [HarnessFailure(.kernelUnusable, "no zswap")]),
    RunRecord(begun: Records.start, commandLine: ["harness"], seed: 1),
  ]

  @Test(arguments: samples.indices)
  func `a record reads back as it was written`(index: Int) throws {
    let record = RunRecordTests.samples[index]
    #expect(try RunRecord(json: record.json()) == record)
  }

  @Test(arguments: samples.indices)
  func `a record is what its schema says`(index: Int) throws {
    let docs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs")
    let schema = try #require(
      JSONSerialization.jsonObject(
        with: Data(contentsOf: docs.appending(path: "result.schema.json"))) as? [String: Any])
    let json = try JSONSerialization.jsonObject(with: RunRecordTests.samples[index].json())
    var validator = SchemaValidator(root: schema)
    validator.check(json, against: schema, at: "$")
    #expect(validator.problems == [])
    #expect(validator.checked > 20)
  }

  @Test func `the schema's check has teeth`() throws {
    let schema: [String: Any] = [
      "type": "object", "required": ["a"], "properties": ["a": ["type": "string"]],
    ]
    var validator = SchemaValidator(root: schema)
    validator.check(["b": 1], against: schema, at: "$")
    validator.check(["a": 1], against: schema, at: "$")
    #expect(validator.problems == ["$: no a", "$: b is not described", "$.a: not a string"])
  }

  @Test func `every field of a record is described`() throws {
    let docs = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../../docs")
    let text = try String(contentsOf: docs.appending(path: "result-schema.md"), encoding: .utf8)
    for sample in RunRecordTests.samples {
      let json = try JSONSerialization.jsonObject(with: sample.json()) as? [String: Any]
      for key in (json ?? [:]).keys { #expect(text.contains("`\(key)`"), "\(key)") }
      for trial in json?["trials"] as? [[String: Any]] ?? [] {
        for key in trial.keys { #expect(text.contains("`\(key)`"), "\(key)") }
      }
    }
  }

  @Test func `a run that has begun is an error until it has ended`() {
    let begun = RunRecord(begun: Records.start, commandLine: [], seed: 1)
    #expect(begun.status == .error)
    #expect(begun.exitCode == 2)
    #expect(begun.error?.message == "did not finish")
    #expect(begun.claims.allSatisfy { $0.result == .notExercised })
  }

  @Test func `status and exit code are one thing`() {
    #expect(Records.passed.status == .pass)
    #expect(Records.passed.exitCode == 0)
    #expect(Records.passed.error == nil)
    #expect(Records.failed.status == .fail)
    #expect(Records.failed.exitCode == 1)
  }

  @Test func `a seed keeps all of its bits`() {
    #expect(Records.passed.seed == "0xffffffffffffffff")
  }

  @Test func `a record of another schema is refused`() throws {
    var record = Records.passed
    record.schemaVersion = 2
    let json = try record.json()
    #expect(throws: DecodingError.self) { try RunRecord(json: json) }
  }
}

/// As much of JSON Schema as result.schema.json uses.
private struct SchemaValidator {
  let root: [String: Any]
  var problems: [String] = []
  var checked = 0

  init(root: [String: Any]) { self.root = root }

  mutating func check(_ value: Any, against schema: [String: Any], at path: String) {
    if let reference = schema["$ref"] as? String {
      let name = String(reference.dropFirst("#/$defs/".count))
      guard let target = (root["$defs"] as? [String: Any])?[name] as? [String: Any] else {
        problems.append("\(path): no definition \(name)")
        return
      }
      check(value, against: target, at: path)
      return
    }
    checked += 1
    let type = schema["type"] as? String ?? ""
    guard isOf(type, value) else {
      problems.append("\(path): not a \(type)")
      return
    }
    if let allowed = schema["enum"] as? [Any],
      !allowed.contains(where: { "\($0)" == "\(value)" })
    {
      problems.append("\(path): \(value) is none of \(allowed)")
    }
    if let pattern = schema["pattern"] as? String, let text = value as? String,
      text.range(of: pattern, options: .regularExpression) == nil
    {
      problems.append("\(path): \(text) is not \(pattern)")
    }
    if let items = schema["items"] as? [String: Any] {
      for (index, item) in (value as? [Any] ?? []).enumerated() {
        check(item, against: items, at: "\(path)[\(index)]")
      }
    }
    guard let properties = schema["properties"] as? [String: [String: Any]],
      let object = value as? [String: Any]
    else { return }
    for key in schema["required"] as? [String] ?? [] where object[key] == nil {
      problems.append("\(path): no \(key)")
    }
    for key in object.keys.sorted() {
      if let inner = properties[key], let item = object[key] {
        check(item, against: inner, at: "\(path).\(key)")
      } else {
        problems.append("\(path): \(key) is not described")
      }
    }
  }

  private func isOf(_ type: String, _ value: Any) -> Bool {
    switch type {
    case "string": value is String
    case "object": value is [String: Any]
    case "array": value is [Any]
    case "integer": value is Int || value is UInt64
    case "number": value is Double || value is Int
    default: false
    }
  }
}
