import Foundation
import GuestWire
import SystemPackage
import TestSupport
import Testing

@testable import HarnessKit

/// The page as a browser shows it. `HARNESS_TEST_PAGES` names a folder that keeps pages
/// and pictures, to be looked at.
@Suite(.enabled(if: BrowserPage.canRender, "apt-get install chromium"), .serialized)
struct ReportPageTests {
  /// Writes what is there to be seen into the outermost document's element. In the test and not in
  /// the page: the page does not look at itself.
  private static let probe = """
    <script>
    window.addEventListener("load", function () {
      var root = document.documentElement;
      function seen(selector) {
        return Array.from(document.querySelectorAll(selector)).filter(function (node) {
          var box = node.getBoundingClientRect();
          return node.checkVisibility() && box.width > 1 && box.height > 1;
        }).length;
      }
      var top = window.parent.document.documentElement;
      function set(name, value) { top.setAttribute("data-probe-" + name, String(value)); }
      set("inner", window.innerWidth);
      set("scroll", root.scrollWidth);
      set("cells", seen("table.matrix td a"));
      set("tallest", Math.max.apply(null, Array.from(document.querySelectorAll("table.matrix td")).map(
        function (cell) { return Math.ceil(cell.getBoundingClientRect().height); })));
      set("timelines", seen("svg.tl"));
      set("bars", seen("svg.tl .k"));
      set("awaited", seen("svg.tl .a"));
      set("findings", seen("article.finding"));
      set("consoles", seen("article.finding pre.console"));
      set("claims", seen(".claim"));
      set("trials", seen("details.trial > summary"));
      set("tools", seen(".tools"));
      set("dark", matchMedia("(prefers-color-scheme: dark)").matches);
      set("alien", document.querySelectorAll("body img, body iframe, body [onmouseover]").length);
      var button = document.querySelector(".tools button[data-mark='interleaved']");
      if (button) {
        button.click();
        set("filtered", seen("details.trial > summary"));
        button.click();
      }
      location.hash = "#t3";
      setTimeout(function () {
        var target = document.getElementById("t3");
        set("revealed", target && target.open);
        window.scrollTo(0, 0);
        top.dataset.errors = root.dataset.errors;
      }, 50);
    });
    </script>
    """

  @Test(arguments: BrowserPage.Scheme.allCases, [1280, 390])
  func `matrix, timelines and findings are there to be seen, and nothing overflows`(
    scheme: BrowserPage.Scheme, width: Int
  ) async throws {
    let record = PageRecords.record(trials: 250)
    let height = 3800
    let page = try BrowserPage(try HTMLReport.text(of: record)).probed(by: Self.probe)
    let rendering = try await (width == 1280 ? page : page.framed(width: width, height: height))
      .render(
        named: "\(scheme.rawValue)-\(width)", width: width, height: height, scheme: scheme)
    let events = record.trials.filter { TrialMark($0).isTelling }.compactMap(\.report?.events)
    let drawn = events.count
    let held = events.count { $0.contains { $0.kind == .hold } }
    #expect(rendering.facts["errors"] == "0")
    #expect(rendering.number("inner") == width)
    #expect(rendering.number("scroll") <= width, "the page is wider than its window")
    #expect(rendering.number("cells") > 100)
    #expect(rendering.number("tallest") < 40, "the matrix is squeezed")
    #expect(rendering.number("timelines") == drawn)
    #expect(rendering.number("bars") == held)
    #expect(rendering.number("awaited") == drawn)
    #expect(rendering.number("findings") == record.findings.count { $0.known == nil })
    #expect(rendering.number("consoles") > 0)
    #expect(rendering.number("claims") == 8)
    #expect(rendering.number("trials") == 250)
    #expect(rendering.number("tools") == 1)
    #expect(
      rendering.number("filtered")
        == record.trials.count { TrialMark($0) != .interleaved })
    #expect(rendering.facts["revealed"] == "true")
    #expect(rendering.facts["dark"] == "\(scheme == .dark)")
    #expect(!rendering.log.contains("Uncaught"), "\(rendering.log)")
    #expect(rendering.picture.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    #expect(rendering.picture.count > 20_000)
  }

  @Test func `the page runs its script under its policy, and a guest's words stay words`()
    async throws
  {
    let evil = "<img src=x onerror=\"document.title='x'\"><script>throw 1</script>"
    let accent = "\"\u{301} onmouseover=\"throw 2\" x=\"\u{301}"
    var report = Trials.interleaved()
    for index in report.events.indices { report.events[index].task = evil + accent }
    report.actors[0].name = evil + accent
    var judgement = Trials.judge(
      Trials.unlocked, Trials.interleaved(), splats: [Trials.splat(evil + accent)])
    judgement.findings[0].excerpt = evil + accent
    let page = BrowserPage(
      try HTMLReport.text(of: Records.record([(judgement, report), Records.pinned])))
    let plain = try await page.render(
      named: "hostile", width: 1280, height: 1600, scheme: .light)
    #expect(plain.facts["errors"] == "0", "its script did not run")
    #expect(!plain.log.contains("Uncaught"), "\(plain.log)")
    #expect(!plain.log.contains("Content Security Policy"), "\(plain.log)")
    let probed = try await page.probed(by: Self.probe).render(
      named: "hostile-probed", width: 1280, height: 1600, scheme: .light)
    #expect(probed.facts["errors"] == "0")
    #expect(probed.number("alien") == 0)
    #expect(!probed.log.contains("Uncaught"), "\(probed.log)")
  }

  @Test func `the page of a passing run, and of one that broke, can be read`() async throws {
    var broken = RunRecord(begun: Records.start, commandLine: ["harness"], seed: 1)
    broken.reasons = (0..<20).map { "reason \($0)" }
    for (name, record) in [("passed", Records.passed), ("broken", broken)] {
      let page = try BrowserPage(try HTMLReport.text(of: record)).probed(by: Self.probe)
      let rendering = try await page.framed(width: 390, height: 1800).render(
        named: name, width: 390, height: 1800,
        scheme: .light)
      #expect(rendering.number("inner") == 390)
      #expect(rendering.facts["errors"] == "0")
      #expect(rendering.number("scroll") <= 390)
      #expect(rendering.number("claims") == 8)
    }
  }
}
