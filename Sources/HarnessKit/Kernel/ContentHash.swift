import Foundation
import SystemPackage

/// SHA-256 by coreutils' sha256sum, as hexadecimal digits.
enum ContentHash {
  static func of(_ text: String) async throws -> String { try await of(bytes: Array(text.utf8)) }

  static func of(bytes: [UInt8]) async throws -> String {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("zswap-harness-\(UUID().uuidString)")
    try Data(bytes).write(to: file, options: .withoutOverwriting)
    defer { try? FileManager.default.removeItem(at: file) }
    return try await of(file: FilePath(file.path))
  }

  static func of(file: FilePath) async throws -> String {
    // From standard input: a name with a backslash would change the output.
    let line = try await Tool("sha256sum").run([], input: file).text
    return String(line.prefix { $0.isHexDigit })
  }

  /// Of each file, in one call.
  static func of(files: [String]) async throws -> [String] {
    guard !files.isEmpty else { return [] }
    let lines = try await Tool("sha256sum").run(["--"] + files).lines
    // A backslash stands before the sum of a file with an odd name.
    let sums = lines.map { String($0.drop { $0 == "\\" }.prefix(64)) }
    guard sums.count == files.count else {
      throw ToolError(
        command: "sha256sum", reason: .notRun("\(sums.count) sums of \(files.count) files"),
        lastLines: [])
    }
    return sums
  }
}
