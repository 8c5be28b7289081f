import Foundation
import GuestWire
import SystemPackage
import Testing

@testable import HarnessKit

/// The page as a browser makes it.
@Suite struct ReportPageTests {
  /// Two trials, one of them bad, with a guest's words that want to be markup.
  private static let hostile: RunRecord = {
    var report = Trials.interleaved(index: 0)
    report.events[0].task = "<img src=x onerror=alert(1)>"
    report.milliseconds = 12
    var splat = Trials.splat("KASAN: <script>document.title='x'</script> in shrink_memcg_cb")
    splat.excerpt = "</pre><script>throw 1</script>"
    let bad = Trials.judge(Trials.unlocked, report, splats: [splat])
    return Records.record([(bad, report), Records.pinned])
  }()

  @Test func `what a guest says never becomes markup`() throws {
    let page = try HTMLReport.text(of: Self.hostile)
    #expect(!page.contains("<script>document"))
    #expect(!page.contains("<script>throw"))
    #expect(!page.contains("<img"))
    #expect(page.contains("&lt;script&gt;"))
  }

  @Test func `every trial is in the page, and its cell leads to it`() throws {
    let page = try HTMLReport.text(of: Records.failed)
    for trial in Records.failed.trials {
      #expect(page.contains(#"id="trial-\#(trial.index)""#))
      guard trial.schedule != nil else { continue }
      #expect(page.contains(##"href="#trial-\##(trial.index)""##))
    }
  }

  @Test func `a cell shows the worst of its trials`() {
    let good = TrialRecord(Records.unlocked.0, report: Records.unlocked.1)
    var bad = good
    bad.index = 1
    bad.verdict = .notExercised
    bad.outcome = .notExercised("nobody came")
    #expect(Mark(good) == .interleaved)
    #expect([Mark(good), Mark(bad)].max() == .notExercised)
    #expect([Mark.finding, .error, .notExercised, .excluded].max() == .finding)
  }

  @Test func `the trace has a process a trial, and time that does not run backwards`() throws {
    let data = try TraceEvents.json(of: Records.passed)
    let file = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    let events = try #require(file["traceEvents"] as? [[String: Any]])
    #expect(Set(events.compactMap { $0["pid"] as? Int }) == [1, 2])
    #expect(events.contains { $0["ph"] as? String == "X" })
    var last: [String: Double] = [:]
    for event in events where event["ph"] as? String == "i" {
      let thread = "\(event["pid"] ?? "") \(event["tid"] ?? "")"
      let time = try #require(event["ts"] as? Double)
      #expect(time >= last[thread] ?? 0)
      last[thread] = time
    }
  }

  private static let browser = Tool.locate("chromium")

  @Test(
    .enabled(if: ReportPageTests.browser != nil, "apt-get install chromium"),
    arguments: [1280, 390])
  func `a browser shows matrix, timelines and findings, without a script error`(
    width: Int
  ) async throws {
    let browser = try #require(Self.browser)
    try await withTemporaryDirectory { path in
      let folder = URL(filePath: path.string)
      let page = folder.appending(path: "report.html")
      try HTMLReport.text(of: Self.hostile).write(to: page, atomically: true, encoding: .utf8)
      let picture = folder.appending(path: "page.png")
      let options = [
        "--headless", "--no-sandbox", "--disable-gpu", "--window-size=\(width),1200",
        "--user-data-dir=\(folder.appending(path: "profile").path)",
      ]
      let document = try await Tool(browser.string).run(
        options + ["--virtual-time-budget=2000", "--dump-dom", page.absoluteString]
      ).lines.joined(separator: "\n")
      #expect(document.contains(#"data-errors="0""#))
      #expect(document.contains(#"data-matrix="2""#))
      #expect(document.contains(#"data-timelines="2""#))
      #expect(document.contains(#"data-overflow="0""#), "the page is wider than its window")
      #expect(document.contains("KASAN: &lt;script&gt;"))
      _ = try await Tool(browser.string).run(
        options + ["--screenshot=\(picture.path)", page.absoluteString])
      let size = try FileManager.default.attributesOfItem(atPath: picture.path)[.size] as? Int
      #expect(size ?? 0 > 10_000)
    }
  }
}
