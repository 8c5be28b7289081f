import Foundation
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct KernelSourceTests {
  /// A tree that has what a kernel's is told by.
  private static func make(_ tree: FilePath) throws {
    try write("mrproper:\n", to: tree.appending("Makefile"))
    for file in ["Kconfig", "mm/zswap.c", "init/main.c"] {
      try write("\(file)\n", to: tree.appending(file))
    }
  }

  private static func identity(of tree: FilePath, _ cache: Cache) async throws -> String {
    try await KernelSource.directory(tree).tree(in: cache).identity
  }

  /// That of a tree before and after a run was made in it, and after a change.
  private static func expectRunsToBeNoPart(
    of tree: FilePath, prepare: (FilePath) async throws -> Void
  ) async throws {
    let cache = Cache(root: tree.removingLastComponent().appending("cache"))
    try make(tree)
    try await prepare(tree)
    let before = try await identity(of: tree, cache)
    try write("{}", to: tree.appending("runs/20261127T130000Z-bzImage/result.json"))
    #expect(try await identity(of: tree, cache) == before)
    try write("int x;", to: tree.appending("mm/zswap.c"))
    let after = try await KernelSource.directory(tree).tree(in: cache)
    #expect(after.identity != before)
    let files = try FileManager.default.contentsOfDirectory(atPath: after.path.string)
    #expect(files.contains("mm") && !files.contains("runs"))
  }

  private static func repository(_ tree: FilePath) async throws {
    let git = Tool("git", in: tree)
    try await git.run(["init", "-q", "."])
    try await git.run(["add", "-A"])
    try await git.run([
      "-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "-qm", "x",
    ])
  }

  @Test func `what the harness leaves in a repository is no part of its source`() async throws {
    try await withTemporaryDirectory { folder in
      try await Self.expectRunsToBeNoPart(
        of: folder.appending("linux"), prepare: Self.repository)
    }
  }

  @Test func `nor is it where git ignores it`() async throws {
    try await withTemporaryDirectory { folder in
      try await Self.expectRunsToBeNoPart(of: folder.appending("linux")) { tree in
        try await Self.repository(tree)
        try write("runs/\n", to: tree.appending(".git/info/exclude"))
      }
    }
  }

  @Test func `nor where there is no repository`() async throws {
    try await withTemporaryDirectory { folder in
      try await Self.expectRunsToBeNoPart(of: folder.appending("linux")) { _ in }
    }
  }
}
