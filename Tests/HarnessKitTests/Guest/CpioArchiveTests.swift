import Foundation
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct CpioArchiveTests {
  private func sample() -> [UInt8] {
    Initramfs.archive([
      .init("/init", mode: 0o755, Array("#!agent".utf8)),
      .init("/lib/x/libc.so.6", Array("12345".utf8)),
    ])
  }

  @Test func `cpio reads what we write, in our order`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "image.cpio")
    try AtomicFile.write(sample(), to: file)
    let listing = try await Tool("cpio").run(["-itv", "--quiet", "-F", file.path]).lines
    let rows = listing.map { $0.split(separator: " ") }
    #expect(
      rows.compactMap { $0.last.map(String.init) } == [
        ".zswap-harness", "dev", "lib", "lib/x", "mnt", "modules", "proc", "run", "sys", "tmp",
        "dev/console",
        "dev/null", "init", "lib/x/libc.so.6",
      ])
    #expect(rows[1][0] == "drwxr-xr-x")
    #expect(rows[10][0] == "crw-------")
    #expect(rows[10].contains("5,"))
    #expect(rows[12][0] == "-rwxr-xr-x")
    try await Tool("cpio", in: FilePath(folder.path)).run([
      "-i", "--quiet", "-F", file.path, "init", "lib/x/libc.so.6", "lib", "lib/x",
    ])
    let library = try Data(contentsOf: folder.appending(path: "lib/x/libc.so.6"))
    #expect(String(decoding: library, as: UTF8.self) == "12345")
  }

  @Test func `the same entries are the same bytes`() {
    #expect(sample() == sample())
    #expect(sample().count % 512 == 0)
  }

  @Test func `a symbolic link's target is its contents`() {
    var archive = CpioArchive()
    archive.addSymbolicLink("/lib64", to: "usr/lib64")
    let text = String(decoding: archive.encoded(), as: UTF8.self)
    #expect(text.hasPrefix("070701" + "00000001" + "0000a1ff"))
    #expect(text.contains("lib64\0usr/lib64") || text.contains("lib64\0\0\0\0\0usr/lib64"))
  }
}
