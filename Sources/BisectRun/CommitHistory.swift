public import Bisect
import Foundation
import HarnessKit
public import SystemPackage

/// The commits between two ends, as the repository has them. It is only read.
public struct CommitHistory: Sendable {
  /// One commit, as git log shows it.
  public struct Commit: Hashable, Sendable {
    /// In full.
    public var hash: String
    /// git's `%s`: the first paragraph of the message, on one line.
    public var subject: String
    /// Files that it changes; none for a merge.
    public var paths: [String]

    public init(hash: String, subject: String, paths: [String] = []) {
      self.hash = hash
      self.subject = subject
      self.paths = paths
    }
  }

  /// Its numbers are places in `commits`.
  public let graph: CommitGraph
  /// By the graph's numbers: the old end first, the new end last.
  public let commits: [Commit]

  /// - Parameters:
  ///   - repository: a Linux tree with its history.
  ///   - paths: only commits that touch these, as git rev-list has it.
  public static func read(
    _ repository: FilePath, from old: String, to new: String, paths: [String] = []
  ) async throws -> CommitHistory {
    let git = Tool.git(in: repository)
    let first = try await resolve(old, in: repository)
    let last = try await resolve(new, in: repository)
    let isAncestor = try await git.run(
      ["merge-base", "--is-ancestor", first, last], accepting: { $0 <= 1 })
    guard isAncestor.status == 0, first != last else {
      throw BisectError(
        "bisect", "\(old)..\(new)", "\(old) is no ancestor of \(new)",
        advice: "The end that came first has to be in the history of the other: "
          + "`git merge-base \(old) \(new)` names a commit that is in both.", fault: .usage)
    }
    let selection = ["\(first)..\(last)", "--"] + paths
    let lines = try await git.run(
      ["rev-list", "--topo-order", "--reverse", "--parents"] + selection
    ).lines
    var numbers = [first: 0]
    var hashes = [first]
    var parents: [[Int]] = [[]]
    for line in lines {
      let words = line.split(separator: " ").map(String.init)
      let known = Set(words.dropFirst().compactMap { numbers[$0] })
      numbers[words[0]] = hashes.count
      // A parent outside of the range is as good as the old end.
      parents.append(known.isEmpty ? [0] : known.sorted())
      hashes.append(words[0])
    }
    // The end that was named is tried itself, also where it touches none of the paths.
    if hashes.last != last {
      let hasChild = Set(parents.joined())
      let tips = (0..<hashes.count).filter { !hasChild.contains($0) }
      parents.append(tips)
      hashes.append(last)
    }
    return CommitHistory(
      graph: try CommitGraph(parents: parents), commits: try await describe(hashes, git))
  }

  /// The commits of `A..B`, the oldest first.
  public static func series(
    _ range: String, in repository: FilePath
  ) async throws -> [Commit] {
    let git = Tool.git(in: repository)
    let found = try await git.run(
      ["rev-list", "--reverse", "--topo-order", "--no-merges", "--end-of-options", range],
      accepting: { $0 <= 128 })
    guard found.status == 0, !found.lines.isEmpty else {
      throw BisectError(
        "test series", range, found.status == 0 ? "there is no commit in it" : "it is no range",
        advice: "Write it as for git log: A..B, or A.. for what HEAD has more than A.",
        fault: .usage)
    }
    return try await describe(found.lines, git)
  }

  /// The full hash of a commit.
  public static func resolve(_ name: String, in repository: FilePath) async throws -> String {
    let result = try await Tool.git(in: repository).run(
      ["rev-parse", "--verify", "--quiet", "--end-of-options", "\(name)^{commit}"],
      accepting: { $0 <= 128 })
    guard result.status == 0, let hash = result.lines.first else {
      throw BisectError(
        "find commit", name, "\(repository) has no such commit",
        advice: "Give a tag, a branch or a hash of that repository; --tree names another one.",
        fault: .usage)
    }
    return hash
  }

  private static func describe(_ hashes: [String], _ git: Tool) async throws -> [Commit] {
    let file = FileManager.default.temporaryDirectory
      .appendingPathComponent("zswap-harness-\(UUID().uuidString)")
    try Data((hashes.joined(separator: "\n") + "\n").utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let text = try await git.run(
      ["log", "--stdin", "--no-walk=unsorted", "--format=%x01%H%x02%s", "--name-only"],
      input: FilePath(file.path)
    ).text
    var found: [String: Commit] = [:]
    for block in text.split(separator: "\u{1}") {
      let lines = block.split(separator: "\n")
      let head = (lines.first ?? "").split(
        separator: "\u{2}", maxSplits: 1, omittingEmptySubsequences: false)
      guard let hash = head.first.map(String.init) else { continue }
      found[hash] = Commit(
        hash: hash, subject: head.count > 1 ? String(head[1]) : "",
        paths: lines.dropFirst().map(String.init))
    }
    return hashes.map { found[$0] ?? Commit(hash: $0, subject: "") }
  }
}
