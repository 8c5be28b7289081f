import Foundation
import SystemPackage

/// Runs a test in a folder of its own, and removes it.
@discardableResult
func withTemporaryDirectory<Result>(
  _ body: (FilePath) async throws -> Result
) async throws -> Result {
  let path = FilePath(FileManager.default.temporaryDirectory.path)
    .appending("zswap-harness-test-\(UUID().uuidString)")
  try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path.string) }
  return try await body(path)
}

func write(_ bytes: [UInt8], to path: FilePath) throws {
  try FileManager.default.createDirectory(
    atPath: path.removingLastComponent().string, withIntermediateDirectories: true)
  try Data(bytes).write(to: URL(fileURLWithPath: path.string))
}

func write(_ text: String, to path: FilePath) throws { try write(Array(text.utf8), to: path) }
