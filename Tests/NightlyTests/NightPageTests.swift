import Foundation
import HarnessKit
import SystemPackage
import TestSupport
import Testing

@testable import Nightly

/// The page as a browser shows it. `HARNESS_TEST_PAGES` names a folder that keeps pages
/// and pictures, to be looked at.
@Suite(.enabled(if: BrowserPage.canRender, "apt-get install chromium"), .serialized)
struct NightPageTests {
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

  @Test(arguments: BrowserPage.Scheme.allCases, [1280, 390])
  func `all that a morning needs is there to be read, and nothing overflows`(
    scheme: BrowserPage.Scheme, width: Int
  ) async throws {
    let report = try NightPages.report()
    let height = width == 1280 ? 3200 : 6400
    let page = try BrowserPage(try NightReports.page(of: report)).probed(by: Self.probe)
    let rendering = try await (width == 1280 ? page : page.framed(width: width, height: height))
      .render(
        named: "night-\(scheme.rawValue)-\(width)", width: width, height: height, scheme: scheme)
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
    let page = BrowserPage(try NightReports.page(of: try NightPages.report(hostile: true)))
    let plain = try await page.render(
      named: "night-hostile", width: 1280, height: 1600, scheme: .light)
    #expect(!plain.log.contains("Content Security Policy"), "\(plain.log)")
    #expect(!plain.log.contains("Uncaught"), "\(plain.log)")
    let probed = try await page.probed(by: Self.probe).render(
      named: "night-hostile-probed", width: 1280, height: 1600, scheme: .light)
    #expect(probed.number("alien") == 0)
    #expect(probed.number("scroll") <= 1280)
    #expect(!probed.log.contains("Uncaught"), "\(probed.log)")
  }
}
