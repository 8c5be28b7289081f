import Foundation
public import SystemPackage

/// Builds one commit of a repository after the other in one tree, so that each takes only
/// what it changes.
///
/// The repository is read and never written to: the tree is a repository of its own, which
/// borrows the other's objects. What is built is kept apart for each commit.
public struct SuccessiveBuild: Sendable {
  /// A commit's kernel.
  public struct Product: Hashable, Sendable {
    /// `boot/bzImage` in a folder of its own.
    public var image: FilePath
    /// Of the image: two commits with the same kernel have the same.
    public var sha256: String
    /// zswap_hooks.ko, built for this very image; beside `boot`.
    public var module: FilePath
    /// Whether the hook points were compiled in.
    public var isHooked: Bool
  }

  /// The user's.
  let repository: FilePath
  /// Where tree and kernels are.
  let folder: FilePath
  private let lock: FileLock
  let fragments: [String]
  let checkout: Checkout
  let cache: Cache
  let jobs: Int

  /// One at a time builds in the tree of a repository: throws where another process does.
  public init(
    repository: FilePath, fragments: [String], jobs: Int? = nil, checkout: Checkout,
    cache: Cache
  ) throws {
    self.repository = repository
    // The name is for people, the sum tells two of that name apart.
    let name = repository.lastComponent?.string ?? "tree"
    let key = "\(name)-\(Fingerprint.of([repository.string]))"
    folder = cache.path("successive", key)
    try SharedDirectory.make(folder)
    guard let lock = try FileLock.take(folder.appending("lock")) else {
      throw KernelError(
        .host, "build in", folder.string,
        "another process builds commits of this repository there",
        advice: "Wait for it to end.")
    }
    self.lock = lock
    cache.touch("successive", key)
    self.fragments = fragments
    self.jobs = jobs ?? ProcessInfo.processInfo.activeProcessorCount
    self.checkout = checkout
    self.cache = cache
  }

  private var linux: FilePath { folder.appending("linux") }

  /// What was built of a commit before; nil where that is gone.
  public func product(of sha256: String, isHooked: Bool) -> Product? {
    let home = folder.appending("kernels").appending(String(sha256.prefix(24)))
    let product = Product(
      image: home.appending("boot/bzImage"), sha256: sha256,
      module: home.appending(ModuleBuild.fileName), isHooked: isHooked)
    let files = [product.image, product.module]
    return files.allSatisfy { FileManager.default.fileExists(atPath: $0.string) } ? product : nil
  }

  /// Builds a commit.
  public func build(_ commit: String) async throws -> Product {
    try await prepareTree()
    let source = try await compose(commit)
    let config = try ConfigFragments.load(fragments, hooks: source.isHooked, from: checkout)
    try KernelBuild.requireTools(for: config)

    // A harness that was killed leaves the compilers that it had started: what they still write
    // is of another commit.
    let making = folder.appending("making")
    try await Tool("flock").run([making.string, "true"])
    try await git.run(["read-tree", "--reset", "-u", source.tree])
    let make = KernelMake(
      config: config, jobs: jobs,
      compiler: Tool.locate("ccache") == nil ? nil : "ccache \(config.tools.compiler)",
      lock: making)
    let log = folder.appending("make.log")
    try? FileManager.default.removeItem(atPath: log.string)
    let fresh = folder.appending("fresh")
    try? FileManager.default.removeItem(atPath: fresh.string)
    // The next commit's log takes this one's place.
    let kept = folder.appending("\(commit).failed.log")
    try await KernelError.keeping(log: log, at: kept) {
      try await make.configure(linux, log: log)
      try await make.make(linux, log: log, installTo: fresh)
    }
    return try await keep(fresh, isHooked: source.isHooked)
  }

  private func keep(_ fresh: FilePath, isHooked: Bool) async throws -> Product {
    let built = linux.appending("build/arch/x86/boot/bzImage")
    let sha256 = try await ContentHash.of(file: built)
    if let known = product(of: sha256, isHooked: isHooked) { return known }
    let files = FileManager.default
    try files.createDirectory(
      atPath: fresh.appending("boot").string, withIntermediateDirectories: true)
    try files.copyItem(atPath: built.string, toPath: fresh.appending("boot/bzImage").string)
    // Now, while the tree is this kernel's.
    let kernel = try await Kernel.resolve(.image(built), cache: cache)
    let module = try await ModuleBuild(checkout: checkout, cache: cache)
      .module(for: kernel)
    try files.copyItem(
      atPath: module.string, toPath: fresh.appending(ModuleBuild.fileName).string)
    let kernels = folder.appending("kernels")
    try files.createDirectory(atPath: kernels.string, withIntermediateDirectories: true)
    let home = kernels.appending(String(sha256.prefix(24)))
    try? files.removeItem(atPath: home.string)
    try files.moveItem(atPath: fresh.string, toPath: home.string)
    guard let product = product(of: sha256, isHooked: isHooked) else {
      throw KernelError(.host, "keep the kernel", home.string, "it is not there after the copy")
    }
    return product
  }

  // MARK: The tree

  private var git: Tool { .git(in: linux) }

  func prepareTree() async throws {
    let files = FileManager.default
    let objects =
      try await Tool.git(in: repository)
      .run(["rev-parse", "--path-format=absolute", "--git-path", "objects"]).lines.first ?? ""
    if !files.fileExists(atPath: linux.appending(".git/harness-ready").string) {
      try? files.removeItem(atPath: linux.appending(".git").string)
      try files.createDirectory(atPath: linux.string, withIntermediateDirectories: true)
      try await git.run(["init", "--quiet", "--initial-branch=none", "."])
      for (name, value) in [
        ("gc.auto", "0"), ("core.autocrlf", "false"), ("core.hooksPath", "/dev/null"),
        ("core.excludesFile", "/dev/null"),
      ] {
        try await git.run(["config", name, value])
      }
      try Data().write(to: URL(fileURLWithPath: linux.appending(".git/harness-ready").string))
    }
    try Data("\(objects)\n".utf8).write(
      to: URL(fileURLWithPath: linux.appending(".git/objects/info/alternates").string))
    // Of a build that was killed while git wrote.
    try? files.removeItem(atPath: linux.appending(".git/index.lock").string)
  }

  /// The commit's files with the hook points put in where they fit.
  func compose(_ commit: String) async throws -> (tree: String, isHooked: Bool) {
    let index = folder.appending("compose.index")
    try? FileManager.default.removeItem(atPath: index.string)
    let git = Tool.git(in: linux, environment: ["GIT_INDEX_FILE": index.string])
    try await git.run(["read-tree", commit])
    let plain = try await git.run(["write-tree"]).lines.first ?? ""
    let own = try await git.run(["ls-files", HookPlan.header])
    if !own.lines.isEmpty { return (plain, true) }
    var sources: [String: [UInt8]] = [:]
    for file in HookPlan.inputs {
      let blob = try await git.run(
        ["cat-file", "blob", "\(plain):\(file)"], accepting: { $0 <= 128 })
      if blob.status == 0 { sources[file] = blob.output }
    }
    // Where a point is missing without a reason, ftrace may have it.
    guard let plan = try? HookPlan.make(sources, of: commit, checkout: checkout),
      plan.missed.isEmpty
    else { return (plain, false) }
    let scratch = folder.appending("compose.blob")
    for file in plan.files {
      try Data(file.after).write(to: URL(fileURLWithPath: scratch.string))
      let blob = try await git.run(["hash-object", "-w", "--no-filters", scratch.string]).lines
        .first
      try await git.run([
        "update-index", "--add", "--cacheinfo", "100644,\(blob ?? ""),\(file.path)",
      ])
    }
    return (try await git.run(["write-tree"]).lines.first ?? plain, true)
  }
}
