import Foundation
import SystemPackage

/// Builds `kmod/` for exactly one kernel, once.
struct ModuleBuild: Sendable {
  let sources: FilePath
  let cache: Cache
  static let fileName = "zswap_hooks.ko"

  init(checkout: Checkout, cache: Cache) {
    self.init(sources: checkout.kmod, cache: cache)
  }

  init(sources: FilePath, cache: Cache) {
    self.sources = sources
    self.cache = cache
  }

  /// The module for a kernel, built where it is not there, and checked to be
  /// that kernel's.
  ///
  /// - Parameter prebuilt: a module built elsewhere, taken instead.
  func module(for kernel: Kernel, prebuilt: FilePath? = nil) async throws -> FilePath {
    if let prebuilt {
      try Vermagic.check(module: prebuilt, kernel: kernel)
      return prebuilt
    }
    let tree = try kernel.requireBuildTree()
    guard FileManager.default.fileExists(atPath: sources.appending("Kbuild").string) else {
      throw KernelError(
        .notFound, "build the module in", sources.string, "there is no Kbuild in it",
        advice: "Run inside a whole checkout, or set ZSWAP_HARNESS_ROOT to one.")
    }
    let names = try sourceNames()
    let manifest = try await manifest(names, tree, kernel)
    let key = String(try await ContentHash.of(manifest).prefix(24))
    let failureLog = cache.path("modules", ".\(key).failed.log")
    let entry = try await cache.obtain("modules", key) { directory in
      for name in names {
        let target = directory.appending(name)
        try FileManager.default.createDirectory(
          atPath: target.removingLastComponent().string, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
          atPath: sources.appending(name).string, toPath: target.string)
      }
      try await build(directory, for: kernel, tree, failureLog: failureLog)
    }
    let module = entry.appending(ModuleBuild.fileName)
    try Vermagic.check(module: module, kernel: kernel)
    return module
  }

  private func build(
    _ directory: FilePath, for kernel: Kernel, _ tree: FilePath, failureLog: FilePath
  ) async throws {
    let log = directory.appending("make.log")
    // BTF for the module would take pahole, and nobody reads it.
    var arguments = [
      "-C", tree.string, "M=\(directory)", "W=1", "CONFIG_DEBUG_INFO_BTF_MODULES=",
    ]
    arguments += try toolchain(of: tree)
    do {
      try await KernelError.keeping(log: log, at: failureLog) {
        try await MakeRun(log: log, title: "building \(ModuleBuild.fileName)").run(
          arguments + ["modules"], in: directory)
      }
    } catch let error as KernelError where error.fault == .kernelUnusable {
      throw KernelError(
        .build, KernelError.moduleBuild, sources.string,
        KnownReleases.problem(with: kernel.release) ?? "it does not build against \(tree)",
        advice: error.advice, details: error.details)
    }
    guard
      FileManager.default.fileExists(atPath: directory.appending(ModuleBuild.fileName).string)
    else {
      throw KernelError(
        .build, KernelError.moduleBuild, sources.string, "make made no \(ModuleBuild.fileName)",
        advice: "Its Kbuild has to say obj-m := zswap_hooks.o.")
    }
  }

  /// The files that a build takes; not what an earlier one left.
  private func sourceNames() throws -> [String] {
    let made = [".o", ".ko", ".mod", ".mod.c", ".cmd", ".symvers", ".order", ".d"]
    return try FileManager.default.subpathsOfDirectory(atPath: sources.string).filter { name in
      var isDirectory: ObjCBool = false
      let path = sources.appending(name).string
      return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        && !isDirectory.boolValue && !made.contains(where: name.hasSuffix)
    }.sorted()
  }

  private func manifest(
    _ names: [String], _ tree: FilePath, _ kernel: Kernel
  ) async throws -> String {
    // A tree that is built in again may have other structures under the same vermagic.
    let image = try await ContentHash.of(file: kernel.image)
    var lines = ["recipe 3", "kernel \(kernel.vermagic)", "image \(image)", "tree \(tree)"]
    // zswap's source as well, where it is at hand: kmod/Kbuild looks at its structures.
    for file in [
      ".config", "Module.symvers", "include/generated/utsrelease.h", "mm/zswap.c",
      "source/mm/zswap.c",
    ] {
      let path = tree.appending(file)
      guard FileManager.default.fileExists(atPath: path.string) else { continue }
      lines.append("\(file) \(try await ContentHash.of(file: path))")
    }
    for name in names {
      lines.append("\(name) \(try await ContentHash.of(file: sources.appending(name)))")
    }
    return lines.joined(separator: "\n")
  }

  /// What make has to be told for a module to be built by its kernel's compiler: clang's options
  /// are none of gcc's. Of a compiler's versions another will do where the very one is not there.
  private func toolchain(of tree: FilePath) throws(KernelError) -> [String] {
    guard let named = ModuleBuild.compiler(of: tree) else { return [] }
    let isThere = Tool.locate(named) != nil
    guard named.contains("clang") else {
      if isThere { return [] }
      Progress.note("\(named), which built this kernel, is not installed; using gcc")
      return ["CC=gcc"]
    }
    // All of clang's tools are of that version then: LLVM=-14.
    if isThere, named.hasPrefix("clang-") { return ["LLVM=\(named.dropFirst("clang".count))"] }
    guard Tool.locate("clang") != nil else {
      throw KernelError(
        .host, KernelError.moduleBuild, sources.string,
        "\(named), which built this kernel, is missing",
        advice: "apt-get install clang lld llvm; or give a module built elsewhere with --module.")
    }
    return ["LLVM=1"]
  }

  /// What built the kernel, where the tree's Makefile would take something else, or may.
  static func compiler(of tree: FilePath) -> String? {
    if let named = namedCompiler(tree) { return named }
    guard let config = try? KernelConfig.read(tree.appending(".config")),
      config["CC_IS_CLANG"] == .yes
    else { return nil }
    guard case .text(let text) = config["CLANG_VERSION"], let version = Int(text) else {
      return "clang"
    }
    return "clang-\(version / 10000)"
  }

  /// `x86_64-linux-gnu-gcc-12`, from Debian's .kernelvariables.
  static func namedCompiler(_ tree: FilePath) -> String? {
    let file = tree.appending(".kernelvariables").string
    guard let data = FileManager.default.contents(atPath: file) else { return nil }
    let lines = String(decoding: data, as: UTF8.self).split(separator: "\n")
    func value(_ suffix: String) -> String? {
      lines.first { $0.contains(suffix) }?.split(separator: " ").last.map(String.init)
    }
    guard let compiler = value("CC = ")?.replacing("$(CROSS_COMPILE)", with: "") else { return nil }
    // Of 6.1's headers, it is one of make's variables, and counts for cross builds.
    let prefix = value("CROSS_COMPILE = ").flatMap { $0.contains("$(") ? nil : $0 }
    return (prefix ?? "") + compiler
  }
}
