import Mustache

/// How `{{…}}` escapes in the page's template.
///
/// Not the engine's own way: it goes by characters, to which a quote with a
/// combining accent behind it is no quote, and so would let a guest out of an
/// attribute.
package struct PageContentType: MustacheContentType {
  package static let name = "REPORT_PAGE"

  package init() {}

  package func escapeText(_ text: String) -> String { text.pageText }
}

extension String {
  /// As text or attribute of a page. Control characters, and those that turn the
  /// direction of what is written, become U+FFFD: what stands there is what was said.
  package var pageText: String {
    let bytes = Array(utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count + bytes.count / 8)
    var index = 0
    while index < bytes.count {
      let byte = bytes[index]
      let length = String.lengthOfControl(bytes, at: index)
      if length > 0 {
        result += [0xEF, 0xBF, 0xBD]
        index += length
        continue
      }
      switch byte {
      case UInt8(ascii: "&"): result += "&amp;".utf8
      case UInt8(ascii: "<"): result += "&lt;".utf8
      case UInt8(ascii: ">"): result += "&gt;".utf8
      case UInt8(ascii: "\""): result += "&quot;".utf8
      case UInt8(ascii: "'"): result += "&#39;".utf8
      default: result.append(byte)
      }
      index += 1
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// In UTF-8 bytes; 0 where no such character begins.
  private static func lengthOfControl(_ bytes: [UInt8], at index: Int) -> Int {
    func next(_ offset: Int) -> UInt8 {
      index + offset < bytes.count ? bytes[index + offset] : 0
    }
    switch bytes[index] {
    case 0x09, 0x0A: return 0
    case 0x00..<0x20, 0x7F: return 1
    // U+0080 to U+009F.
    case 0xC2: return (0x80...0x9F).contains(next(1)) ? 2 : 0
    // U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069.
    case 0xE2:
      switch (next(1), next(2)) {
      case (0x80, 0x8E), (0x80, 0x8F), (0x80, 0xAA...0xAE), (0x81, 0xA6...0xA9): return 3
      default: return 0
      }
    default: return 0
    }
  }
}
