import Foundation
import GuestWire
import SystemPackage
import Testing

@testable import HarnessKit

/// The page as a browser shows it. `HARNESS_TEST_PAGES` names a folder that keeps pages
/// and pictures, to be looked at.
@Suite(.enabled(if: Tool.locate("chromium") != nil, "apt-get install chromium"), .serialized)
struct ReportPageTests {
  enum Scheme: String, CaseIterable {
    case light
    case dark
  }

  /// What the browser measured, and what it wrote to its log.
  private struct Rendering {
    var facts: [String: String]
    var log: String
    var picture: Data

    func number(_ name: String) -> Int { facts[name].flatMap { Int($0) } ?? -1 }
  }

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

  private static func render(
    _ page: String, named name: String, width: Int, height: Int, scheme: Scheme
  ) async throws -> Rendering {
    try await withTemporaryDirectory { temporary in
      let kept = ProcessInfo.processInfo.environment["HARNESS_TEST_PAGES"].map { FilePath($0) }
      let folder = kept ?? temporary
      let file = folder.appending("\(name).html")
      try write(page, to: file)
      let picture = folder.appending("\(name).png")
      // Its log is read for the page's errors, and its profile goes with the folder.
      let result = try await Tool("chromium").run([
        "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
        "--hide-scrollbars", "--no-first-run", "--user-data-dir=\(temporary)/profile",
        "--enable-logging=stderr", "--v=0", "--window-size=\(width),\(height)",
        // 0 is dark, 1 is light.
        "--blink-settings=preferredColorScheme=\(scheme == .dark ? 0 : 1)",
        "--virtual-time-budget=3000", "--screenshot=\(picture)", "--dump-dom", "file://\(file)",
      ])
      var facts: [String: String] = [:]
      let start = result.text.firstRange(of: "<html")?.upperBound ?? result.text.endIndex
      let root = result.text[start...].prefix { $0 != ">" }
      for match in root.matches(of: /data-([a-z-]+)="([^"]*)"/) {
        facts[String(match.output.1)] = String(match.output.2)
      }
      return Rendering(
        facts: facts, log: result.errors,
        picture: try Data(contentsOf: URL(filePath: picture.string)))
    }
  }

  /// With the probe, which the page's policy would not let run.
  private static func probed(_ page: String) throws -> String {
    let policy = try #require(
      page.firstMatch(of: /<meta http-equiv="Content-Security-Policy"[^>]*>/)?.output)
    return page.replacing(policy, with: "").replacing("</body>", with: probe + "</body>")
  }

  /// A browser's window is not as narrow as a telephone: the page in a frame that is.
  private static func framed(_ page: String, width: Int, height: Int) -> String {
    """
    <!doctype html><html><head><meta name="color-scheme" content="light dark">
    <style>body { margin: 0; } iframe { width: \(width)px; height: \(height)px; border: 0; }</style>
    </head><body><iframe srcdoc="\(page.pageText)"></iframe></body></html>
    """
  }

  @Test(arguments: Scheme.allCases, [1280, 390])
  func `matrix, timelines and findings are there to be seen, and nothing overflows`(
    scheme: Scheme, width: Int
  ) async throws {
    let record = PageRecords.record(trials: 250)
    let height = 3800
    let page = try Self.probed(try HTMLReport.text(of: record))
    let rendering = try await Self.render(
      width == 1280 ? page : Self.framed(page, width: width, height: height),
      named: "\(scheme.rawValue)-\(width)", width: width, height: height, scheme: scheme)
    let events = record.trials.filter { TrialMark($0).isTelling }.compactMap(\.report?.events)
    let drawn = events.count
    let held = events.count { $0.contains { $0.kind == .hold } }
    #expect(rendering.facts["errors"] == "0")
    #expect(rendering.number("probe-inner") == width)
    #expect(rendering.number("probe-scroll") <= width, "the page is wider than its window")
    #expect(rendering.number("probe-cells") > 100)
    #expect(rendering.number("probe-tallest") < 40, "the matrix is squeezed")
    #expect(rendering.number("probe-timelines") == drawn)
    #expect(rendering.number("probe-bars") == held)
    #expect(rendering.number("probe-awaited") == drawn)
    #expect(rendering.number("probe-findings") == record.findings.count { $0.known == nil })
    #expect(rendering.number("probe-consoles") > 0)
    #expect(rendering.number("probe-claims") == 8)
    #expect(rendering.number("probe-trials") == 250)
    #expect(rendering.number("probe-tools") == 1)
    #expect(
      rendering.number("probe-filtered")
        == record.trials.count { TrialMark($0) != .interleaved })
    #expect(rendering.facts["probe-revealed"] == "true")
    #expect(rendering.facts["probe-dark"] == "\(scheme == .dark)")
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
    let page = try HTMLReport.text(of: Records.record([(judgement, report), Records.pinned]))
    let plain = try await Self.render(
      page, named: "hostile", width: 1280, height: 1600, scheme: .light)
    #expect(plain.facts["errors"] == "0", "its script did not run")
    #expect(!plain.log.contains("Uncaught"), "\(plain.log)")
    #expect(!plain.log.contains("Content Security Policy"), "\(plain.log)")
    let probed = try await Self.render(
      try Self.probed(page), named: "hostile-probed", width: 1280, height: 1600, scheme: .light)
    #expect(probed.facts["errors"] == "0")
    #expect(probed.number("probe-alien") == 0)
    #expect(!probed.log.contains("Uncaught"), "\(probed.log)")
  }

  @Test func `the page of a passing run, and of one that broke, can be read`() async throws {
    var broken = RunRecord(begun: Records.start, commandLine: ["harness"], seed: 1)
    broken.reasons = (0..<20).map { "reason \($0)" }
    for (name, record) in [("passed", Records.passed), ("broken", broken)] {
      let page = try Self.probed(try HTMLReport.text(of: record))
      let rendering = try await Self.render(
        Self.framed(page, width: 390, height: 1800), named: name, width: 390, height: 1800,
        scheme: .light)
      #expect(rendering.number("probe-inner") == 390)
      #expect(rendering.facts["errors"] == "0")
      #expect(rendering.number("probe-scroll") <= 390)
      #expect(rendering.number("probe-claims") == 8)
    }
  }
}
