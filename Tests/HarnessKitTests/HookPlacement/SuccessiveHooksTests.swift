import Foundation
import SystemPackage
import Testing

@testable import HarnessKit

/// Commits on Debian's 6.12, of the few files that get hook points.
@Suite(
  .enabled(
    if: ProcessInfo.processInfo.environment["HARNESS_TEST_SOURCE"] != nil,
    "HARNESS_TEST_SOURCE: Debian's 6.12 source"))
struct SuccessiveHooksTests {
  private let source = FilePath(ProcessInfo.processInfo.environment["HARNESS_TEST_SOURCE"] ?? "")

  /// Runs a test with the build and the commits of changes to mm/zswap.c, oldest first.
  private func withCommits(
    _ changes: [(String, String)], _ body: (SuccessiveBuild, [String]) async throws -> Void
  ) async throws {
    try await withTemporaryDirectory { root in
      let tree = root.appending("linux")
      for file in HookPlan.inputs {
        try write(
          Array(try Data(contentsOf: URL(fileURLWithPath: source.appending(file).string))),
          to: tree.appending(file))
      }
      let git = Tool("git", in: tree)
      try await git.run(["init", "--quiet"])
      var commits: [String] = []
      for (old, new) in [("", "")] + changes {
        let file = tree.appending("mm/zswap.c")
        let text = try String(contentsOfFile: file.string, encoding: .utf8)
        if !old.isEmpty {
          #expect(text.contains(old))
          try write(text.replacing(old, with: new), to: file)
        }
        try await git.run(["add", "-A"])
        try await git.run([
          "-c", "user.name=t", "-c", "user.email=t@example.org", "commit", "--quiet", "-m", "t",
        ])
        commits += try await git.run(["rev-parse", "HEAD"]).lines
      }
      let builds = try SuccessiveBuild(
        repository: tree, fragments: [], checkout: SyntheticTree.checkout,
        cache: Cache(root: root.appending("cache")))
      try await builds.prepareTree()
      try await body(builds, commits)
    }
  }

  private func zswap(_ tree: String, of builds: SuccessiveBuild) async throws -> String {
    try await Tool("git", in: builds.folder.appending("linux"))
      .run(["cat-file", "blob", "\(tree):mm/zswap.c"]).text
  }

  private let unlock = "\tspin_unlock(lock);\n\n\twriteback_result"

  @Test func `a commit that the series does not fit has all points by what is around them`()
    async throws
  {
    let moved = "\tspin_unlock(lock);\n\tcond_resched();\n\n\twriteback_result"
    try await withCommits([(unlock, moved)]) { builds, commits in
      let plain = try await builds.compose(commits[0])
      let changed = try await builds.compose(commits[1])
      #expect(plain.isHooked && changed.isHooked)
      let expected = try await zswap(plain.tree, of: builds).replacing(
        "\n\n\twriteback_result", with: "\n\n\tcond_resched();\n\n\twriteback_result")
      #expect(try await zswap(changed.tree, of: builds) == expected)
    }
  }

  /// ftrace may reach it.
  @Test func `a commit in which a point has no place is left as it is`() async throws {
    try await withCommits([("\tspin_unlock(lock);", "\tdrop(lock);")]) { builds, commits in
      let (tree, isHooked) = try await builds.compose(commits[1])
      #expect(!isHooked)
      #expect(try await !zswap(tree, of: builds).contains("zswap_hook"))
    }
  }
}
