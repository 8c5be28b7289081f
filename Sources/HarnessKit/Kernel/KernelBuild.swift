import Foundation
import SystemPackage

/// Builds a kernel that the harness can do its whole job on, once: what is
/// built is kept under a hash of all that went into it.
///
/// An entry is `linux/` (the source) and `linux/build/` (O=). In this layout
/// Kbuild writes relative paths into its dependency files, so that an entry can
/// be renamed and copied and still rebuilds only what changed: a mutant takes
/// seconds.
public struct KernelBuild: Sendable {
  /// It is copied, and never written to.
  public var source: KernelSource = .standard
  /// Names in `qemu/kernel/config`, or paths of files; later ones win.
  public var fragments: [String] = []
  /// Whether the kernel gets its hook points: the series and `hooks.config`.
  public var hooks = true
  /// Files of further changes, applied to the copy in this order.
  public var patches: [FilePath] = []
  /// Names in `qemu/kernel/mutants`, without `.patch`; applied after all patches.
  public var mutants: [String] = []
  /// For make; nil for one for each CPU of the host.
  public var jobs: Int?

  public init() {}

  /// The image's path, built first where it is not there.
  public func image(checkout: Checkout, cache: Cache) async throws -> FilePath {
    let config = try ConfigFragments.load(fragments, hooks: hooks, from: checkout)
    let extra =
      try patches.map { try KernelPatch($0) }
      + mutants.map { try KernelPatch.mutant($0, of: checkout) }
    try KernelBuild.requireTools(for: config)
    let tree = try await source.tree(in: cache)
    // A tree of the user's that has the hook points already is left as it is.
    let isPatched = FileManager.default.fileExists(
      atPath: tree.path.appending(HookPlan.header).string)
    let plan = hooks && !isPatched ? try HookPlan.make(for: tree.path, checkout: checkout) : nil
    let series = plan?.method == .series ? try KernelPatch.series(of: checkout) : []
    let inputs = Inputs(
      tree: tree, config: config, series: series,
      anchored: plan?.method == .anchors ? plan : nil, checkout: checkout,
      compiler: try await KernelBuild.versions(of: config.tools),
      jobs: jobs ?? ProcessInfo.processInfo.activeProcessorCount)
    return try await inputs.build(extra, alwaysFromBase: patches.isEmpty, in: cache)
      .appending("linux/build/arch/x86/boot/bzImage")
  }

  /// Where the modules of a build made here are installed.
  static func modules(of buildTree: FilePath) -> FilePath {
    buildTree.removingLastComponent().removingLastComponent().appending("lib/modules")
  }

  static func requireTools(for config: ConfigFragments) throws(KernelError) {
    // Whatever builds the kernel, gcc builds what runs on the host.
    let tools = config.tools
    let own = tools.compiler == "gcc" ? [] : [tools.compiler]
    let missing = (["make", "gcc"] + own + [tools.linker, "flex", "bison", "bc", "patch", "xz"])
      .filter { Tool.locate($0) == nil }
    guard !missing.isEmpty else { return }
    let packages = missing.map(Tool.package(of:))
    throw KernelError(
      .host, "build", "a kernel", "not installed: \(missing.joined(separator: ", "))",
      advice: "apt-get install \(packages.joined(separator: " ")) libelf-dev")
  }

  private static func versions(
    of tools: (compiler: String, linker: String)
  ) async throws -> String {
    let compiler = try await Tool(tools.compiler).run(["--version"]).lines.first ?? ""
    let linker = try await Tool(tools.linker).run(["--version"]).lines.first ?? ""
    return "\(compiler); \(linker)"
  }
}

/// All that goes into the kernels of one family: those that differ only in
/// what is patched on top.
private struct Inputs: Sendable {
  let tree: KernelSource.Tree
  let config: ConfigFragments
  let series: [KernelPatch]
  /// The hook points, where the series does not fit.
  let anchored: HookPlan?
  let checkout: Checkout
  let compiler: String
  let jobs: Int

  /// To be counted up when the way of building changes what comes out.
  private static let recipe = 1

  func build(
    _ extra: [KernelPatch], alwaysFromBase: Bool, in cache: Cache
  ) async throws -> FilePath {
    let manifest = manifest(with: extra)
    let key = String(try await ContentHash.of(manifest).prefix(24))
    if let found = cache.used("kernels", key) { return found }

    var base: FilePath?
    if !extra.isEmpty {
      let baseKey = String(try await ContentHash.of(self.manifest(with: [])).prefix(24))
      base = cache.used("kernels", baseKey)
      // A mutant seldom comes alone: its base is worth building. A patch may
      // bring options that the fragments ask for, and its base not build.
      if base == nil && alwaysFromBase {
        base = try await build([], alwaysFromBase: true, in: cache)
      }
    }
    let failureLog = cache.path("kernels", ".\(key).failed.log")
    let waiting = { Progress.note("waiting: another process builds this kernel (\(key))") }
    return try await cache.obtain("kernels", key, waiting: waiting) { directory in
      let linux = directory.appending("linux")
      if let base {
        try await copy(base, to: linux)
      } else {
        try await Tool("cp").run(["-al", tree.path.string, linux.string])
        for patch in series { try await patch.apply(to: linux) }
      }
      if anchored != nil {
        try await anchor(in: linux, with: extra)
      } else {
        for patch in extra { try await patch.apply(to: linux) }
      }
      let log = directory.appending("make.log")
      try await KernelError.keeping(log: log, at: failureLog) {
        let make = KernelMake(config: config, jobs: jobs)
        try await make.configure(linux, log: log)
        try await make.make(linux, log: log, installTo: directory)
      }
      try Data(manifest.utf8).write(
        to: URL(fileURLWithPath: directory.appending("manifest").string))
      try Data(linux.string.utf8).write(
        to: URL(fileURLWithPath: directory.appending("built-at").string))
    }
  }

  /// A patch is made for the source as it is, and so goes first; what it has moved, the anchors
  /// find. A mutant is made for a source with the points in it.
  private func anchor(in linux: FilePath, with extra: [KernelPatch]) async throws {
    for file in HookPlan.inputs {
      // As a base has them, they have points already.
      try await Tool("cp").run([
        "-al", "--remove-destination", tree.path.appending(file).string,
        linux.appending(file).string,
      ])
    }
    for patch in extra where !patch.isMutant { try await patch.apply(to: linux) }
    let plan = try HookPlan.make(for: linux, checkout: checkout)
    Progress.note(plan.summary)
    try plan.write(into: linux)
    for patch in extra where patch.isMutant { try await patch.apply(to: linux) }
  }

  /// The text that the key is a hash of.
  private func manifest(with extra: [KernelPatch]) -> String {
    (["recipe \(Inputs.recipe)", "source \(tree.identity)", "compiler \(compiler)"]
      + ["--- configuration", config.text]
      + (anchored.map { ["--- hook points", $0.text] } ?? [])
      + (series + extra).flatMap { ["--- \($0.name)", $0.text] }).joined(separator: "\n")
  }

  /// Copies a finished build so that make finds nothing to do in it.
  private func copy(_ entry: FilePath, to linux: FilePath) async throws {
    let old = entry.appending("linux")
    let files = FileManager.default
    try files.createDirectory(atPath: linux.string, withIntermediateDirectories: true)
    // The source by hard links: patch(1) replaces a file, never writes into it.
    let names = try files.contentsOfDirectory(atPath: old.string).filter { $0 != "build" }
    try await Tool("cp").run(
      ["-al", "-t", linux.string] + names.map { old.appending($0).string })
    try await Tool("cp").run([
      "-a", "--reflink=auto", old.appending("build").string, linux.appending("build").string,
    ])
    // tools/ is built with absolute paths, by its own rules. Left alone,
    // objtool would be built again, and after it every object that it checks.
    let builtAt = String(
      decoding: files.contents(atPath: entry.appending("built-at").string) ?? Data(),
      as: UTF8.self)
    let tools = linux.appending("build/tools")
    guard !builtAt.isEmpty, let walk = files.enumerator(atPath: tools.string) else { return }
    while let name = walk.nextObject() as? String {
      guard name.hasSuffix(".cmd") || name.hasSuffix(".d") else { continue }
      let url = URL(fileURLWithPath: tools.appending(name).string)
      guard let text = try? String(contentsOf: url, encoding: .utf8), text.contains(builtAt)
      else { continue }
      try text.replacing(builtAt, with: linux.string)
        .write(to: url, atomically: false, encoding: .utf8)
    }
  }
}
