import Foundation
import HarnessKit

/// A page, to be looked at by headless Chromium.
public struct BrowserPage {
  public enum Scheme: String, CaseIterable, Sendable {
    case light
    case dark
  }

  /// What the browser measured, and what it wrote to its log.
  public struct Rendering: Sendable {
    /// The `data-` attributes of the outermost document's element, less `probe-`.
    public var facts: [String: String]
    public var log: String
    /// A PNG.
    public var picture: Data

    public func number(_ name: String) -> Int { facts[name].flatMap { Int($0) } ?? -1 }
  }

  /// Why a page cannot be probed.
  public struct NoPolicy: Error {}

  /// Whether there is a browser here.
  public static var canRender: Bool { Tool.locate("chromium") != nil }

  public var text: String

  public init(_ text: String) { self.text = text }

  /// With a script of the test's, which the page's own policy would not let run.
  public func probed(by script: String) throws -> BrowserPage {
    guard
      let policy = text.firstMatch(
        of: /<meta http-equiv="Content-Security-Policy"[^>]*>/)?.output
    else { throw NoPolicy() }
    return BrowserPage(
      text.replacing(policy, with: "").replacing("</body>", with: script + "</body>"))
  }

  /// A browser's window is not as narrow as a telephone: the page in a frame that is.
  public func framed(width: Int, height: Int) -> BrowserPage {
    let quoted = text.replacing("&", with: "&amp;").replacing("\"", with: "&quot;")
    return BrowserPage(
      """
      <!doctype html><html><head><meta name="color-scheme" content="light dark">
      <style>body { margin: 0; } iframe { width: \(width)px; height: \(height)px; border: 0; }</style>
      </head><body><iframe srcdoc="\(quoted)"></iframe></body></html>
      """)
  }

  /// Renders it. `HARNESS_TEST_PAGES` names a folder that keeps pages and pictures.
  public func render(
    named name: String, width: Int, height: Int, scheme: Scheme
  ) async throws -> Rendering {
    let temporary = FileManager.default.temporaryDirectory
      .appending(path: "page-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: temporary, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: temporary) }
    let kept = ProcessInfo.processInfo.environment["HARNESS_TEST_PAGES"].map { URL(filePath: $0) }
    let file = (kept ?? temporary).appending(path: "\(name).html")
    let picture = (kept ?? temporary).appending(path: "\(name).png")
    try Data(text.utf8).write(to: file)
    // Its log is read for the page's errors, and its profile goes with the folder.
    let result = try await Tool("chromium").run([
      "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
      "--hide-scrollbars", "--no-first-run", "--user-data-dir=\(temporary.path)/profile",
      "--enable-logging=stderr", "--v=0", "--window-size=\(width),\(height)",
      // 0 is dark, 1 is light.
      "--blink-settings=preferredColorScheme=\(scheme == .dark ? 0 : 1)",
      "--virtual-time-budget=3000", "--screenshot=\(picture.path)", "--dump-dom",
      "file://\(file.path)",
    ])
    var facts: [String: String] = [:]
    let start = result.text.firstRange(of: "<html")?.upperBound ?? result.text.endIndex
    let root = result.text[start...].prefix { $0 != ">" }
    for match in root.matches(of: /data-(?:probe-)?([a-z-]+)="([^"]*)"/) {
      facts[String(match.output.1)] = String(match.output.2)
    }
    return Rendering(facts: facts, log: result.errors, picture: try Data(contentsOf: picture))
  }
}
