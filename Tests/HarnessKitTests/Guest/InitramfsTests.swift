import Foundation
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct InitramfsTests {
  @Test func `the same contents are the same image, other contents another`() async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let cache = folder.appending(path: "cache")
    let agent = folder.appending(path: "agent")
    try AtomicFile.write([UInt8](try Data(contentsOf: URL(filePath: "/bin/sleep"))), to: agent)
    let initramfs = Initramfs(agent: agent.path, modules: nil, hooksModule: nil)

    let first = try await initramfs.image(cache: cache)
    #expect(try await initramfs.image(cache: cache) == first)
    let listing = try await Tool("cpio").run(["-it", "--quiet", "-F", first.path]).text
    for name in ["init", ".zswap-harness", "lib64/ld-linux-x86-64.so.2", "modules/order"] {
      #expect(listing.split(separator: "\n").contains(Substring(name)))
    }

    try AtomicFile.write([UInt8](try Data(contentsOf: URL(filePath: "/bin/cat"))), to: agent)
    let second = try await initramfs.image(cache: cache)
    #expect(second.key != first.key)
    #expect(second.path != first.path)
  }

  @Test func `an image that was deleted is made again`() async throws {
    let cache = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: cache) }
    let initramfs = Initramfs(agent: "/bin/sleep", modules: nil, hooksModule: nil)
    let image = try await initramfs.image(cache: cache)
    try FileManager.default.removeItem(atPath: image.path)
    _ = try await initramfs.image(cache: cache)
    #expect(FileManager.default.fileExists(atPath: image.path))
  }

  @Test func `modules are loaded from an unpacked package's directory, decompressed`() async throws
  {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: folder) }
    let modules = folder.appending(path: "lib/modules/6.99")
    let module = modules.appending(path: "kernel/fs/ext4.ko")
    try AtomicFile.write(Array("module".utf8), to: module)
    try await Tool("xz").run([module.path])
    try AtomicFile.write(
      Array("kernel/fs/ext4.ko.xz:\n".utf8), to: modules.appending(path: "modules.dep"))
    let image = try await Initramfs(
      agent: "/bin/sleep", modules: ModuleDirectory(path: modules),
      wantedModules: ["ext4", "nowhere"], hooksModule: nil
    ).image(cache: folder.appending(path: "cache"))
    #expect(image.absentModules == ["nowhere"])
    try await Tool("cpio", in: FilePath(folder.path)).run([
      "-id", "--quiet", "-F", image.path, "modules/*",
    ])
    let order = try String(
      contentsOf: folder.appending(path: "modules/order"), encoding: .utf8)
    #expect(order == "/modules/ext4.ko\n")
    let contents = try String(
      contentsOf: folder.appending(path: "modules/ext4.ko"), encoding: .utf8)
    #expect(contents == "module")
  }

  @Test func `a tool that fails is an error with its own words`() async {
    let error = await #expect(throws: ToolError.self) {
      try await Tool("xz").run(["-dc", "--", "/nonexistent.xz"])
    }
    #expect(error?.description.contains("/nonexistent.xz: No such file") == true)
  }
}
