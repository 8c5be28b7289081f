import Foundation
import Testing

@testable import HarnessKit

@Suite struct ScheduleGuideTests {
  @Test func `the page on schedules has every claim, point and word as they are`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let page = try String(contentsOf: root.appending(path: "docs/schedules.md"), encoding: .utf8)
    #expect(page == ScheduleGuide.markdown, "harness list --page >docs/schedules.md")
  }
}
