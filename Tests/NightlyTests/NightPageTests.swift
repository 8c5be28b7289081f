import Foundation
import HarnessKit
import SystemPackage
import Testing

@testable import Nightly

/// The page as a browser shows it. `HARNESS_TEST_PAGES` names a folder that keeps pages
/// and pictures, to be looked at.
@Suite(.enabled(if: Tool.locate("chromium") != nil, "apt-get install chromium"), .serialized)
struct NightPageTests {
  enum Scheme: String, CaseIterable {
    case light
    case dark
  }

  /// Writes what there is to be seen into the outermost document's element: the worst
  /// contrast of a text and what is behind it among it (WCAG 2, 1.4.3).
  private static let probe = """
    <script>
    window.addEventListener("load", function () {
      var root = document.documentElement;
      var top = window.parent.document.documentElement;
      function set(name, value) { top.setAttribute("data-probe-" + name, String(value)); }
      function seen(selector) {
        return Array.from(document.querySelectorAll(selector)).filter(function (node) {
          var box = node.getBoundingClientRect();
          return node.checkVisibility() && box.width > 1 && box.height > 1;
        }).length;
      }
      function rgba(text) { return text.match(/[\\d.]+/g).map(Number); }
      function behind(node) {
        for (; node; node = node.parentElement) {
          var colour = rgba(getComputedStyle(node).backgroundColor);
          if (colour.length < 4 || colour[3] === 1) return colour;
        }
        return matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
      }
      function luminance(colour) {
        var parts = colour.slice(0, 3).map(function (value) {
          value /= 255;
          return value <= 0.03928 ? value / 12.92 : Math.pow((value + 0.055) / 1.055, 2.4);
        });
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2];
      }
      var worst = 21, where = "", texts = 0;
      Array.from(document.querySelectorAll("body *")).forEach(function (node) {
        var own = Array.from(node.childNodes).some(function (child) {
          return child.nodeType === 3 && child.data.trim() !== "";
        });
        if (!own || !node.checkVisibility() || node.closest("svg, script")) return;
        texts += 1;
        var a = luminance(rgba(getComputedStyle(node).color)), b = luminance(behind(node));
        var ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < worst) { worst = ratio; where = node.tagName + "." + node.className; }
      });
      set("texts", texts);
      set("contrast", Math.floor(worst * 100));
      set("worst", where);
      set("inner", window.innerWidth);
      set("scroll", root.scrollWidth);
      set("items", seen("article.item"));
      set("cells", seen("table.cells td .mark"));
      set("trends", seen("svg.spark"));
      set("ticks", seen("svg.spark rect"));
      set("nights", seen("table.nights tbody tr"));
      set("changed", seen("td.changed"));
      set("first", document.querySelector("section").id);
      set("alien", document.querySelectorAll("body img, body iframe, [onmouseover]").length);
      set("dark", matchMedia("(prefers-color-scheme: dark)").matches);
    });
    </script>
    """

  private struct Rendering {
    var facts: [String: String]
    var log: String
    var picture: Data

    func number(_ name: String) -> Int { facts[name].flatMap { Int($0) } ?? -1 }
  }

  private static func render(
    _ page: String, named name: String, width: Int, height: Int, scheme: Scheme
  ) async throws -> Rendering {
    try await withTemporaryFolder { temporary in
      let folder = ProcessInfo.processInfo.environment["HARNESS_TEST_PAGES"] ?? temporary
      let file = "\(folder)/night-\(name).html"
      let picture = "\(folder)/night-\(name).png"
      try Data(page.utf8).write(to: URL(filePath: file))
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
      for match in root.matches(of: /data-probe-([a-z-]+)="([^"]*)"/) {
        facts[String(match.output.1)] = String(match.output.2)
      }
      return Rendering(
        facts: facts, log: result.errors, picture: try Data(contentsOf: URL(filePath: picture)))
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
  func `all that a morning needs is there to be read, and nothing overflows`(
    scheme: Scheme, width: Int
  ) async throws {
    let report = try NightPages.report()
    let height = width == 1280 ? 3200 : 6400
    let page = try Self.probed(try NightReports.page(of: report))
    let rendering = try await Self.render(
      width == 1280 ? page : Self.framed(page, width: width, height: height),
      named: "\(scheme.rawValue)-\(width)", width: width, height: height, scheme: scheme)
    #expect(rendering.facts["dark"] == "\(scheme == .dark)")
    #expect(rendering.number("inner") == width)
    #expect(rendering.number("scroll") <= width, "the page is wider than its window")
    #expect(rendering.facts["first"] == "new", "what is new is not at the top")
    #expect(rendering.number("items") >= 8)
    #expect(rendering.number("cells") == report.cells.count)
    #expect(rendering.number("changed") == 2)
    #expect(rendering.number("trends") == report.cells.count)
    #expect(rendering.number("ticks") > 300)
    #expect(rendering.number("nights") == NightReport.shownNights)
    #expect(rendering.number("texts") > 100)
    #expect(rendering.number("contrast") >= 450, "\(rendering.facts["worst"] ?? "")")
    #expect(!rendering.log.contains("Uncaught"), "\(rendering.log)")
    #expect(rendering.picture.starts(with: [0x89, 0x50, 0x4E, 0x47]))
    #expect(rendering.picture.count > 20_000)
  }

  @Test func `the page keeps its policy, and a guest's words stay words`() async throws {
    let page = try NightReports.page(of: try NightPages.report(hostile: true))
    let plain = try await Self.render(
      page, named: "hostile", width: 1280, height: 1600, scheme: .light)
    #expect(!plain.log.contains("Content Security Policy"), "\(plain.log)")
    #expect(!plain.log.contains("Uncaught"), "\(plain.log)")
    let probed = try await Self.render(
      try Self.probed(page), named: "hostile-probed", width: 1280, height: 1600, scheme: .light)
    #expect(probed.number("alien") == 0)
    #expect(probed.number("scroll") <= 1280)
    #expect(!probed.log.contains("Uncaught"), "\(probed.log)")
  }
}
