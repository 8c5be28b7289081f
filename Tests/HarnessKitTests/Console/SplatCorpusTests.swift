import Foundation
import Testing

@testable import HarnessKit

/// Every file of Fixtures/console: see Fixtures/README.
@Suite struct SplatCorpusTests {
  @Test(arguments: ConsoleFixture.all)
  func `every report is found, named alike each time, and nothing else is`(
    fixture: ConsoleFixture
  ) throws {
    var classifier = SplatClassifier()
    var splats = fixture.lines.flatMap { classifier.feed($0) }
    splats += classifier.finish()
    try #require(
      splats.map(\.title) == fixture.expected.map(\.title), "\(splats.map(\.excerpt))")
    for (splat, expected) in zip(splats, fixture.expected) {
      #expect(splat.kind.rawValue == expected.kind)
      #expect(splat.inHarnessModule == expected.inHarness)
      if let task = expected.task { #expect(splat.task == task) }
      let frames = splat.frames.prefix(expected.frames.count).map(\.function)
      #expect(frames == expected.frames)
      #expect(!splat.excerpt.isEmpty)
    }
    #expect(Set(classifier.notices.map(\.kind.rawValue)) == fixture.notices)
  }

  @Test func `a corpus that is not there does not count as read`() {
    #expect(ConsoleFixture.all.count >= 22)
    #expect(ConsoleFixture.all.contains { $0.expected.isEmpty })
  }
}

/// A console with what it must be taken for.
struct ConsoleFixture: Sendable, CustomTestStringConvertible {
  struct Expected: Sendable {
    var title: String
    var kind = ""
    var task: String?
    var frames: [String] = []
    var inHarness = false
  }

  var name: String
  var expected: [Expected] = []
  var notices: Set<String> = []
  var lines: [String] = []

  var testDescription: String { name }

  static let folder = Bundle.module.resourcePath.map { $0 + "/Fixtures/console" } ?? ""

  static let all: [ConsoleFixture] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.filter { $0.hasSuffix(".log") }.sorted().map(ConsoleFixture.init(file:))
  }()

  init(file: String) {
    name = String(file.dropLast(4))
    let data = FileManager.default.contents(atPath: "\(ConsoleFixture.folder)/\(file)") ?? Data()
    var inHeader = true
    for bytes in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
      let line = String(decoding: bytes, as: UTF8.self)
      if inHeader, line.isEmpty {
        inHeader = false
      } else if inHeader {
        read(line)
      } else {
        lines.append(line)
      }
    }
  }

  private mutating func read(_ line: String) {
    let colon = line.firstIndex(of: ":") ?? line.endIndex
    let value = String(line[colon...].dropFirst(2))
    let last = expected.count - 1
    switch line[..<colon] {
    case "NONE": break
    case "TITLE": expected.append(Expected(title: value))
    case "KIND": expected[last].kind = value
    case "TASK": expected[last].task = value
    case "FRAMES": expected[last].frames = value.split(separator: " ").map(String.init)
    case "HARNESS": expected[last].inHarness = value == "yes"
    case "COUNT": expected = Array(repeating: expected[last], count: Int(value) ?? 0)
    case "NOTICE": notices.insert(value)
    default: expected.append(Expected(title: "unknown key in \(name): \(line)"))
    }
  }
}
