import Foundation
import SystemPackage

/// The guest's disk: a sparse file with an empty ext4, for a swapfile. Made
/// without root.
enum DiskImage {
  /// The disk's file cannot be made.
  struct CreationError: Error, CustomStringConvertible {
    let path: String
    let errno: Errno

    var description: String { "make disk image \(path): \(errno) (\(errno.rawValue))" }
  }

  /// ext4's features, less the journal and the checksums: a file system that
  /// lives for one boot needs neither, and each is a kernel thread or a module
  /// more beside the race. Extents stay: a swapfile's blocks are mapped by them.
  static let features = "^has_journal,^metadata_csum,^resize_inode,^orphan_file"

  /// Makes the image, or makes it anew.
  static func create(at path: String, mebibytes: Int) async throws {
    do {
      let file = try FileDescriptor.open(
        path, .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite])
      defer { try? file.close() }
      try file.resize(to: Int64(mebibytes) << 20)
    } catch let error as Errno {
      throw CreationError(path: path, errno: error)
    }
    try await Tool("mke2fs").run([
      "-q", "-F", "-t", "ext4", "-b", "4096", "-m", "0", "-N", "64", "-O", features, "-E",
      "nodiscard",
      "--", path,
    ])
  }
}
