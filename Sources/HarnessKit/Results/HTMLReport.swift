import GuestWire
import Mustache

/// A run as one page: verdict, claims, the race matrix, findings, and every trial with
/// its timeline. It needs no other file and no network, and runs no script but its own.
public struct HTMLReport {
  /// Throws where the template that is compiled in cannot be parsed.
  public static func text(of record: RunRecord) throws -> String {
    MustacheContentTypes.register(PageContentType(), named: PageContentType.name)
    let template = try MustacheTemplate(string: text(PackageResources.report_mustache))
    let page = ReportPage(record, styleSheet: styleSheet, script: script)
    return template.render(page)
  }

  /// The look of the project's pages.
  package static var styleSheet: String { text(PackageResources.report_css) }

  /// The page's own, which its policy names by hash.
  static var script: String { text(PackageResources.report_js) }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
