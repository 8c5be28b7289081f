import Foundation
import SystemPackage

/// The formats in which a kernel may carry its payload.
enum Compression: String, CaseIterable, Sendable {
  case gzip, xz, zstd, lz4, bzip2, lzma, lzop

  init?(magic bytes: ArraySlice<UInt8>) {
    guard let found = Compression.allCases.first(where: { bytes.starts(with: $0.magic) }) else {
      return nil
    }
    self = found
  }

  private var magic: [UInt8] {
    switch self {
    case .gzip: [0x1F, 0x8B, 0x08]
    case .xz: [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0x00]
    case .zstd: [0x28, 0xB5, 0x2F, 0xFD]
    case .lz4: [0x02, 0x21, 0x4C, 0x18]
    case .bzip2: [0x42, 0x5A, 0x68]
    case .lzma: [0x5D, 0x00, 0x00]
    case .lzop: [0x89, 0x4C, 0x5A, 0x4F]
    }
  }

  /// Decompresses with the program of that name.
  ///
  /// The kernel's build appends the size to some formats' payloads, at which
  /// their tools complain after they have written everything. So a complaint
  /// counts only where nothing came out.
  func decompress(_ bytes: ArraySlice<UInt8>) async throws -> [UInt8] {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("zswap-harness-\(UUID().uuidString)")
    try Data(bytes).write(to: file, options: .withoutOverwriting)
    defer { try? FileManager.default.removeItem(at: file) }
    let result = try await Tool(rawValue).run(
      ["-dc"], input: FilePath(file.path), accepting: { _ in true })
    guard !result.output.isEmpty else {
      throw ToolError(
        command: "\(rawValue) -dc", reason: .exited(result.status),
        lastLines: result.errors.split(separator: "\n").suffix(4).map(String.init))
    }
    return result.output
  }
}
