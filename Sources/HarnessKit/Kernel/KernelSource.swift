import Foundation
public import SystemPackage

/// Where a kernel's source comes from.
public enum KernelSource: Hashable, Sendable {
  /// A package of Debian's that holds a source archive; an installed one is
  /// taken as it is.
  case debianPackage(String)
  /// A tree of the user's. It is copied, never written to.
  case directory(FilePath)

  /// The runs' folder is in the tree where the harness is called there, and no part of it.
  private static let runs = "runs"

  /// What the project's patches were made for.
  public static let standard = KernelSource.debian("6.12")

  /// The source of a series as Debian has it, such as 6.1.
  public static func debian(_ series: String) -> KernelSource {
    .debianPackage("linux-source-\(series)")
  }

  /// The source as a cache entry: where the tree is, and what says that two are
  /// the same.
  struct Tree: Sendable {
    let path: FilePath
    let identity: String
  }

  /// Where the source is; fetched first where it is not there.
  public func path(in cache: Cache) async throws -> FilePath { try await tree(in: cache).path }

  func tree(in cache: Cache) async throws -> Tree {
    switch self {
    case .debianPackage(let name): try await debianTree(name, in: cache)
    case .directory(let path): try await userTree(path, in: cache)
    }
  }

  private func debianTree(_ package: String, in cache: Cache) async throws -> Tree {
    let installed = FilePath("/usr/src/\(package).tar.xz")
    let isInstalled = FileManager.default.fileExists(atPath: installed.string)
    let version: String?
    if isInstalled {
      version = try await Tool("dpkg-query").run(["-W", "-f", "${Version}", package]).text
    } else {
      version = try await DebianArchive().candidate(of: package)
    }
    guard let version else {
      // Offline, or without lists: what is there already will do.
      if let found = cache.entries("sources").first(where: {
        $0.lastComponent?.string.hasPrefix("\(package)_") == true
      }), let name = found.lastComponent?.string {
        return Tree(path: found.appending("linux"), identity: name)
      }
      try await DebianArchive().requireLists()
      throw KernelError(
        .notFound, "find package", package, "apt knows no such package",
        advice: "Run `apt-get update`, or give a source tree with --source.")
    }
    let identity = "\(package)_\(version.replacing(":", with: "%3a"))"
    let entry = try await cache.obtain("sources", identity) { directory in
      var archive = installed
      if !isInstalled {
        try await DebianArchive().unpack(package, version: version, into: directory)
        archive = directory.appending("usr/src/\(package).tar.xz")
      }
      let progress = Progress("unpacking \(package) \(version)")
      let tree = directory.appending("linux")
      try FileManager.default.createDirectory(
        atPath: tree.string, withIntermediateDirectories: true)
      try await Tool("tar").run(
        ["-xJf", archive.string, "-C", tree.string, "--strip-components=1"])
      try? FileManager.default.removeItem(atPath: directory.appending("usr").string)
      progress.finish()
    }
    return Tree(path: entry.appending("linux"), identity: identity)
  }

  private func userTree(_ path: FilePath, in cache: Cache) async throws -> Tree {
    let real = FilePath(URL(fileURLWithPath: path.string).resolvingSymlinksInPath().path)
    for file in ["Makefile", "Kconfig", "mm/zswap.c"]
    where !FileManager.default.fileExists(atPath: real.appending(file).string) {
      throw KernelError(
        .notFound, "use source tree", path.string, "there is no \(file) in it",
        advice: "Give the top folder of a Linux source tree.")
    }
    // A repository may be above the tree, or track only the few files that
    // somebody works on: then git does not know what the source is.
    let git = Tool.git(in: real)
    if let top = try? await git.run(["rev-parse", "--show-toplevel"]),
      top.lines.first == real.string,
      (try? await git.run(
        ["ls-files", "--error-unmatch", "Makefile", "Kconfig", "init/main.c"])) != nil
    {
      return try await gitTree(real, in: cache)
    }
    let listing = try await Tool("find", in: real).run([
      ".", "(", "-name", ".git", "-o", "-path", "./\(Self.runs)", ")", "-prune", "-o", "-type", "f",
      "-printf", "%P %s %T@\n",
    ])
    let sorted = listing.lines.sorted().joined(separator: "\n")
    let identity = "tree-" + String(try await ContentHash.of(sorted).prefix(16))
    let entry = try await cache.obtain("sources", identity) { directory in
      let progress = Progress("copying \(path)")
      let tree = directory.appending("linux")
      try await Tool("cp").run(["-a", "--reflink=auto", real.string, tree.string])
      for other in [".git", Self.runs] {
        try? FileManager.default.removeItem(atPath: tree.appending(other).string)
      }
      // A tree that was built in cannot be built from: Kbuild refuses.
      try await Tool("make", in: tree).run(["-s", "mrproper"])
      progress.finish()
    }
    return Tree(path: entry.appending("linux"), identity: identity)
  }

  /// The files that git would commit with `add -A`, changes not yet committed
  /// included, build products and the harness's `runs/` not. Its object database
  /// and index stay as they are.
  private func gitTree(_ path: FilePath, in cache: Cache) async throws -> Tree {
    let scratch = FilePath(FileManager.default.temporaryDirectory.path)
      .appending("zswap-harness-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(atPath: scratch.string) }
    try FileManager.default.createDirectory(
      atPath: scratch.appending("objects").string, withIntermediateDirectories: true)
    let plain = Tool.git(in: path)
    let places = try await plain.run([
      "rev-parse", "--path-format=absolute", "--git-path", "objects", "--git-path", "index",
    ]).lines
    guard places.count == 2 else {
      throw KernelError(.host, "find the git repository of", path.string, "unexpected answer")
    }
    if FileManager.default.fileExists(atPath: places[1]) {
      try FileManager.default.copyItem(
        atPath: places[1], toPath: scratch.appending("index").string)
    }
    let git = Tool.git(
      in: path,
      environment: [
        "GIT_INDEX_FILE": scratch.appending("index").string,
        "GIT_OBJECT_DIRECTORY": scratch.appending("objects").string,
        "GIT_ALTERNATE_OBJECT_DIRECTORIES": places[0],
      ])
    try await git.run(["add", "-A", "."])
    // Not by a pathspec that leaves them out: git fails on one for what it ignores.
    try await git.run(["rm", "-rfq", "--cached", "--ignore-unmatch", "--", Self.runs])
    let identity = "git-" + (try await git.run(["write-tree"]).lines.first ?? "")
    let entry = try await cache.obtain("sources", identity) { directory in
      let progress = Progress("copying \(path)")
      try await git.run(["checkout-index", "-a", "--prefix=\(directory.string)/linux/"])
      progress.finish()
    }
    return Tree(path: entry.appending("linux"), identity: identity)
  }
}
