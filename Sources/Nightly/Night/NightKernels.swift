import Foundation
import HarnessKit
import SystemPackage

/// The kernels of a night, once they are there: what each name of the plan came to.
public struct NightKernels: Hashable, Sendable, Codable {
  /// What one kernel came to: an image, or why there is none.
  public struct Entry: Hashable, Sendable, Codable {
    /// Of the kernel, in the plan.
    public var name: String
    /// As `--kernel` takes it; nil where there is none.
    public var image: String?
    /// A commit, where a tree was followed.
    public var commit: String?
    /// Why there is no image.
    public var failure: HarnessFailure?

    /// One that is fetched is found again by its name, one that was built by its file.
    fileprivate var isThere: Bool {
      image.map { !$0.hasPrefix("/") || FileManager.default.fileExists(atPath: $0) } ?? false
    }
  }

  /// In the plan's order, each kernel once.
  public var entries: [Entry] = []

  public init() {}

  /// By the plan's name for the kernel; nil where there is no such entry.
  public func entry(_ name: String) -> Entry? { entries.first { $0.name == name } }

  static let file = "kernels.json"

  /// Nil where nobody has written them yet.
  public static func load(from folder: NightFolder) -> NightKernels? {
    FileManager.default.contents(atPath: folder.file(file))
      .flatMap { try? JSONDecoder().decode(NightKernels.self, from: $0) }
  }

  /// Fetches and builds what the plan names. A kernel that cannot be had is an entry that
  /// says so: the others are run. A night that goes on keeps the kernels that it began with,
  /// also those of a branch that has moved since.
  public static func prepare(
    _ plan: Plan, in folder: NightFolder, checkout: Checkout, cache: Cache, progress: StatusLine
  ) async throws -> NightKernels {
    let before = load(from: folder)
    var kernels = NightKernels()
    for kernel in plan.kernels {
      if let known = before?.entry(kernel.name), known.isThere {
        kernels.entries.append(known)
        continue
      }
      progress.phase("kernel \(kernel.name): \(kernel.words)")
      var entry = Entry(name: kernel.name)
      do {
        try await fill(&entry, from: kernel, checkout, cache)
      } catch {
        try Task.checkCancellation()
        entry.failure = HarnessFailure(error)
      }
      kernels.entries.append(entry)
    }
    try folder.write([UInt8](try JSONText.document(kernels)), to: file)
    return kernels
  }

  private static func fill(
    _ entry: inout Entry, from kernel: PlanKernel, _ checkout: Checkout, _ cache: Cache
  ) async throws {
    if case .image(let image) = kernel.source {
      // Fetched once, and not by each cell.
      _ = try await KernelReference(parsing: image).image(cache: cache)
      entry.image = image
      return
    }
    var build = KernelBuild()
    build.fragments = kernel.fragments
    build.mutants = kernel.mutants
    build.patches = kernel.patches.map { FilePath($0) }
    if case .tree(let tree, let branch) = kernel.source {
      if let branch {
        let (commit, source) = try await export(branch, of: tree, cache)
        entry.commit = commit
        build.source = .directory(source)
      } else {
        build.source = .directory(FilePath(tree))
      }
    }
    entry.image = try await build.image(checkout: checkout, cache: cache).string
  }

  /// Trees that are kept.
  private static let keptTrees = 4

  /// A branch as it is now, without touching what is checked out.
  private static func export(
    _ branch: String, of tree: String, _ cache: Cache
  ) async throws -> (commit: String, source: FilePath) {
    let git = Tool.git(in: FilePath(tree))
    let commit =
      try await git.run(["rev-parse", "--verify", "--end-of-options", "\(branch)^{commit}"])
      .lines.first ?? ""
    let entry = try await cache.obtain("trees", commit) { directory in
      let archive = directory.appending("tree.tar")
      let linux = directory.appending("linux")
      try FileManager.default.createDirectory(
        atPath: linux.string, withIntermediateDirectories: true)
      try await git.run(["archive", "--format=tar", "-o", archive.string, commit])
      try await Tool("tar").run(["-xf", archive.string, "-C", linux.string])
      try FileManager.default.removeItem(atPath: archive.string)
    }
    cache.trim("trees", keeping: keptTrees)
    return (commit, entry.appending("linux"))
  }
}
