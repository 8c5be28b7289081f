import HarnessKit
import Mustache

/// How `{{…}}` escapes in the templates of this folder: whatever a guest said stays what
/// it is.
enum ContentTypes {
  static func register() {
    MustacheContentTypes.register(PageContentType(), named: PageContentType.name)
    MustacheContentTypes.register(Line(), named: "NIGHT_LINE")
    MustacheContentTypes.register(XML(), named: "NIGHT_XML")
    MustacheContentTypes.register(KTAP(), named: "NIGHT_KTAP")
  }

  /// One line of plain text.
  private struct Line: MustacheContentType {
    func escapeText(_ text: String) -> String { text.oneLine }
  }

  private struct XML: MustacheContentType {
    func escapeText(_ text: String) -> String {
      // No XML has these two, escaped or not.
      text.pageText.replacing("\u{FFFE}", with: "\u{FFFD}").replacing("\u{FFFF}", with: "\u{FFFD}")
    }
  }

  /// One line, without the sign that ends a description.
  private struct KTAP: MustacheContentType {
    func escapeText(_ text: String) -> String { text.oneLine.replacing("#", with: " ") }
  }
}
