import Foundation
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct HookTreeTests {
  private let checkout = SyntheticTree.checkout

  private func withTree(_ body: (FilePath, HookTree) async throws -> Void) async throws {
    try await withTemporaryDirectory { root in
      try SyntheticTree.make(at: root)
      try await body(root, try HookTree(root))
    }
  }

  private func text(_ path: FilePath) -> String {
    String(
      decoding: FileManager.default.contents(atPath: path.string) ?? Data(), as: UTF8.self)
  }

  @Test func `undo gives back every byte, and leaves no file behind`() async throws {
    try await withTree { root, tree in
      let before = try SyntheticTree.contents(of: root)
      #expect(try await tree.place(checkout: checkout).hasChanged)
      let after = try SyntheticTree.contents(of: root)
      #expect(after["mm/zswap.c"] != before["mm/zswap.c"])
      #expect(after[HookPlan.implementation] != nil)
      #expect(try await tree.undo().hasChanged)
      #expect(try SyntheticTree.contents(of: root) == before)
    }
  }

  @Test func `git has nothing to say after an undo`() async throws {
    try await withTree { root, tree in
      let git = Tool("git", in: root)
      try await git.run(["init", "--quiet"])
      try await git.run(["add", "-A"])
      try await git.run([
        "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "t",
      ])
      _ = try await tree.place(checkout: checkout)
      #expect(try await git.run(["status", "--porcelain"]).lines.count >= 6)
      _ = try await tree.undo()
      #expect(try await git.run(["status", "--porcelain"]).lines == [])
    }
  }

  @Test func `a second run changes nothing and says so`() async throws {
    try await withTree { root, tree in
      _ = try await tree.place(checkout: checkout)
      let once = try SyntheticTree.contents(of: root)
      let report = try await tree.place(checkout: checkout)
      #expect(!report.hasChanged)
      #expect(report.lines.first?.contains("already") == true)
      #expect(try SyntheticTree.contents(of: root) == once)
    }
  }

  @Test func `show changes nothing and names each point`() async throws {
    try await withTree { root, tree in
      let before = try SyntheticTree.contents(of: root)
      let report = try await tree.show(checkout: checkout)
      #expect(try SyntheticTree.contents(of: root) == before)
      for point in HookPlan.pointNames {
        #expect(report.lines.contains { $0.hasPrefix("\(point) ") })
      }
      #expect(
        report.lines.contains {
          $0.hasPrefix("invalidate@erased ") && $0.hasSuffix("mm/zswap.c:14 in zswap_invalidate()")
        })
      #expect(
        report.lines.contains {
          $0.hasPrefix("load@enter ") && $0.contains("NOT PLACED: there is no zswap_load")
        })
    }
  }

  @Test func `the header names the points that have no place`() async throws {
    try await withTree { root, tree in
      _ = try await tree.place(checkout: checkout)
      let header = text(root.appending(HookPlan.header))
      let absent = try #require(header.split(separator: "ZSWAP_HOOKS_ABSENT").last)
      #expect(absent.contains("ZSWAP_HOOK_LOAD_ENTER)"))
      #expect(!absent.contains("ZSWAP_HOOK_INVALIDATE_ERASED)"))
    }
  }

  @Test func `what was edited since stays, and the hook points go`() async throws {
    try await withTree { root, tree in
      _ = try await tree.place(checkout: checkout)
      let file = root.appending("mm/zswap.c")
      try write("/* mine */\n" + text(file) + "/* too */\n", to: file)
      let report = try await tree.undo()
      #expect(report.lines.contains { $0.hasPrefix("mm/zswap.c: was edited since") })
      #expect(text(file) == "/* mine */\n\(SyntheticTree.files["mm/zswap.c"]!)/* too */\n")
    }
  }

  @Test func `a hook line that was edited is left, and named`() async throws {
    try await withTree { root, tree in
      _ = try await tree.place(checkout: checkout)
      let file = root.appending("mm/zswap.c")
      try write(text(file).replacing("ERASED, swp, 0", with: "ERASED, swp, 7"), to: file)
      let report = try await tree.undo()
      #expect(report.lines.contains("  look at line 11: it was changed, and is left"))
      #expect(!text(file).contains("INVALIDATE_ENTER"))
    }
  }

  @Test func `a file of ours that was edited is kept under another name`() async throws {
    try await withTree { root, tree in
      _ = try await tree.place(checkout: checkout)
      let file = root.appending(HookPlan.implementation)
      try write(text(file) + "/* mine */\n", to: file)
      _ = try await tree.undo()
      #expect(text(file) == "")
      #expect(text(FilePath(file.string + ".edited")).hasSuffix("/* mine */\n"))
    }
  }

  @Test func `a run that broke off is undone`() async throws {
    try await withTree { root, tree in
      let before = try SyntheticTree.contents(of: root)
      _ = try await tree.place(checkout: checkout)
      // As if it had been killed before its last two files.
      try write(before["mm/zswap.c"]!, to: root.appending("mm/zswap.c"))
      try FileManager.default.removeItem(
        atPath: root.appending(HookPlan.implementation).string)
      await #expect(throws: KernelError.self) { try await tree.place(checkout: checkout) }
      _ = try await tree.undo()
      #expect(try SyntheticTree.contents(of: root) == before)
    }
  }

  @Test func `half of the hook points without a record is refused`() async throws {
    try await withTree { root, tree in
      try write("/* zswap_hooks */\n", to: root.appending(HookPlan.header))
      let before = try SyntheticTree.contents(of: root)
      await #expect {
        try await tree.place(checkout: checkout)
      } throws: {
        "\($0)".contains("some of the hook points already")
      }
      await #expect(throws: KernelError.self) { try await tree.undo() }
      #expect(try SyntheticTree.contents(of: root) == before)
    }
  }

  @Test func `a record that names other files is refused`() async throws {
    try await withTree { root, tree in
      let record = HookRecord(files: [
        .init(path: "../victim", before: nil, after: "", changes: [])
      ])
      try write(Array(JSONEncoder().encode(record)), to: root.appending(HookRecord.name))
      await #expect(throws: KernelError.self) { try await tree.undo() }
    }
  }

  @Test func `what is no kernel's source is refused`() async throws {
    try await withTemporaryDirectory { root in
      #expect(throws: KernelError.self) { try HookTree(root) }
      try SyntheticTree.make(at: root)
      try write("all:\n", to: root.appending("Makefile"))
      #expect { try HookTree(root) } throws: { "\($0)".contains("no VERSION") }
    }
  }

  @Test func `a link in place of a file is refused`() async throws {
    try await withTree { root, tree in
      let file = root.appending("mm/zswap.c")
      try FileManager.default.moveItem(
        atPath: file.string, toPath: root.appending("elsewhere.c").string)
      try FileManager.default.createSymbolicLink(
        atPath: file.string, withDestinationPath: "../elsewhere.c")
      await #expect(throws: KernelError.self) { try await tree.place(checkout: checkout) }
      #expect(!text(root.appending("elsewhere.c")).contains("zswap_hook("))
    }
  }

  /// Trees of the cache, and those that `cp -al` makes, share their files.
  @Test func `a tree of hard links keeps its other side, and a file its mode`() async throws {
    try await withTemporaryDirectory { root in
      let original = root.appending("a")
      try SyntheticTree.make(at: original)
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o600], ofItemAtPath: original.appending("mm/zswap.c").string)
      let before = try SyntheticTree.contents(of: original)
      try await Tool("cp", in: root).run(["-al", "a", "b"])
      _ = try await HookTree(root.appending("b")).place(checkout: checkout)
      #expect(try SyntheticTree.contents(of: original) == before)
      let mode =
        try FileManager.default.attributesOfItem(
          atPath: root.appending("b/mm/zswap.c").string)[.posixPermissions] as? Int
      #expect(mode == 0o600)
    }
  }

  /// As far as root can have such a tree.
  @Test func `a tree with a folder that cannot be written into is left alone`() async throws {
    try await withTree { root, tree in
      try FileManager.default.removeItem(atPath: root.appending("include").string)
      let before = try SyntheticTree.contents(of: root)
      await #expect {
        try await tree.place(checkout: checkout)
      } throws: {
        "\($0)".contains("include/linux: No such file or directory (2)")
      }
      #expect(try SyntheticTree.contents(of: root) == before)
    }
  }
}
