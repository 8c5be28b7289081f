import Foundation
import Testing

@testable import HarnessKit

@Suite struct DiskImageTests {
  @Test func `the image is a sparse ext4 that the checker likes`() async throws {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).img").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try await DiskImage.create(at: path, mebibytes: 64)
    let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
    #expect(size == 64 << 20)
    var status = stat()
    #expect(stat(path, &status) == 0)
    #expect(status.st_blocks * 512 < 4 << 20)
    try await Tool("e2fsck").run(["-fn", path])
  }

  @Test func `an image that cannot be made names its path`() async {
    await #expect(throws: DiskImage.CreationError.self) {
      try await DiskImage.create(at: "/nonexistent/disk.img", mebibytes: 1)
    }
  }
}
