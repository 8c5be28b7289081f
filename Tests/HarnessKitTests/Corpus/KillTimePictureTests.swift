import Foundation
import Testing

@testable import HarnessKit

@Suite struct KillTimePictureTests {
  private let picture = KillTimePicture(
    title: "Seconds <to> the kill",
    rows: [
      .init(name: "harness", seconds: [1, 1, 1, 2.5, 1e9], survivors: 0),
      .init(name: "none", seconds: [], survivors: 3),
    ])

  @Test func `every kill is a mark inside of the picture`() throws {
    let svg = picture.svg
    let marks = svg.split(separator: "\n").filter { $0.hasPrefix("<circle") }
    #expect(marks.count == 5)
    #expect(Set(marks).count == 5)
    for mark in marks {
      let x = try #require(mark.split(separator: "\"").dropFirst().first.flatMap { Double($0) })
      #expect((150...650).contains(x))
    }
  }

  @Test func `what survived is said, and a row without a kill has no median`() {
    let svg = picture.svg
    #expect(svg.contains(">3 of 3<"))
    #expect(svg.contains(">0 of 5<"))
    #expect(svg.components(separatedBy: "stroke-width").count == 2)
  }

  @Test func `a title stays text`() {
    #expect(picture.svg.contains("Seconds &lt;to&gt; the kill"))
  }
}
