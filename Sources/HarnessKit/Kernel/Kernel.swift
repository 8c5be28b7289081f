import Foundation
public import GuestWire
import SystemPackage

/// A kernel to run: its image, and all that has to be known of it to boot it
/// and to build a module for it.
public struct Kernel: Sendable {
  /// The bzImage or vmlinuz itself, also where a package or a folder was named.
  public let image: FilePath
  let header: BzImage
  /// `uname -r`, as the image's header has it.
  public var release: String { header.release }
  /// The image's own copy, or the file that was given or lies at its usual places.
  public let config: KernelConfig
  /// What modules are built against: a build tree or a package's headers.
  /// Nil where there is none; see ``requireBuildTree()``.
  public let buildTree: FilePath?
  /// `lib/modules/<release>` with its modules.dep; nil for a kernel that has
  /// all it needs built in, or whose modules were not installed.
  public let modulesDirectory: FilePath?
  /// The kernel with its symbols, by which stacks are told to the line; nil where it is
  /// not to be had.
  public let vmlinux: FilePath?

  /// What a module has to say of itself to fit.
  public var vermagic: Vermagic { Vermagic(release: release, config: config) }
  /// Who keeps zswap's LRU, by the configuration.
  public var zswapLRU: ZswapLRU { ZswapLRU(config: config) }
  /// By the configuration; empty where no run can reach the hook points.
  public var providers: [Provider] { Preflight.providers(config) }

  /// What of a kernel is named on the command line, as it cannot be found from the image.
  public struct Parts: Hashable, Sendable {
    /// A build tree, headers, or a package of them.
    public var buildTree: FilePath?
    /// A .config; nil for the image's own copy, or the file at its usual places.
    public var config: FilePath?
    /// `lib/modules/<release>`.
    public var modules: FilePath?
    /// The ELF file with the symbols of that build; nil to look for it at its usual places.
    public var vmlinux: FilePath?

    public init(
      buildTree: FilePath? = nil, config: FilePath? = nil, modules: FilePath? = nil,
      vmlinux: FilePath? = nil
    ) {
      self.buildTree = buildTree
      self.config = config
      self.modules = modules
      self.vmlinux = vmlinux
    }
  }

  /// What `--kernel` and the parts beside it mean. Without `--kernel`, the
  /// distribution's kernel; fetched first where it is not there.
  ///
  /// The configuration is read, but not checked: call
  /// ``Preflight/check(_:kernel:)`` before booting.
  public static func resolve(
    _ reference: KernelReference?, parts: Parts = Parts(), cache: Cache
  ) async throws -> Kernel {
    let image = try await (reference ?? .standard)
      .image(cache: cache, withHeaders: parts.buildTree == nil)
    // `harness kernel build` prints a path in the cache, and here it comes back.
    cache.touch(entryOf: image)
    let header = try BzImage.read(image)
    let release = header.release
    let config =
      if let given = parts.config {
        try KernelConfig.read(given)
      } else {
        try await KernelConfig.find(for: image, image: header)
      }
    let buildTree =
      if let given = parts.buildTree {
        try checked(
          DebianPackage.isPackage(given)
            ? try await DebianPackage.read(given).headersTree(cache: cache) : given,
          release: release)
      } else {
        findBuildTree(image, release: release)
      }
    return Kernel(
      image: image, header: header, config: config, buildTree: buildTree,
      modulesDirectory: try parts.modules.map { try checkedModules($0, release: release) }
        ?? findModules(image, release: release),
      vmlinux: try parts.vmlinux.map(checkedSymbols)
        ?? findSymbols(image, buildTree: buildTree, release: release))
  }

  /// The build tree, or an error that says how to give one.
  public func requireBuildTree() throws(KernelError) -> FilePath {
    if let buildTree { return buildTree }
    throw KernelError(
      .notFound, "find the build tree of", image.string,
      "without it the module cannot be built for \(release)",
      advice: "Give it with --kernel-build (the O= folder of the build, the unpacked"
        + " linux-headers-\(release), or its .deb), or give a module built elsewhere with"
        + " --module.",
      details: Kernel.places(image, release: release).map { "no \($0)" })
  }

  private static func places(_ image: FilePath, release: String) -> [FilePath] {
    let root = image.removingLastComponent().removingLastComponent()
    return [
      // Where `harness kernel fetch` and the packages themselves put them.
      root.appending("usr/src/linux-headers-\(release)"),
      root.appending("lib/modules/\(release)/build"),
      FilePath("/lib/modules/\(release)/build"),
    ]
  }

  private static func findBuildTree(_ image: FilePath, release: String) -> FilePath? {
    let above = KernelBuildTree.above(image: image).map { [$0] } ?? []
    return (above + places(image, release: release)).first {
      KernelBuildTree.isBuildTree($0) && (KernelBuildTree.release(of: $0) ?? release) == release
    }
  }

  private static func checked(
    _ tree: FilePath, release: String
  ) throws(KernelError) -> FilePath {
    guard KernelBuildTree.isBuildTree(tree) else {
      throw KernelError(
        .notFound, "use build tree", tree.string,
        "it lacks a Makefile, a .config or include/generated/autoconf.h",
        advice: "Give the O= folder of a finished build; `make modules_prepare` makes the rest.")
    }
    if let other = KernelBuildTree.release(of: tree), other != release {
      throw KernelError(
        .moduleMismatch, "use build tree", tree.string,
        "it is \(other)'s, the kernel is \(release)",
        advice: "Give the tree in which this very image was built.")
    }
    return tree
  }

  private static func findModules(_ image: FilePath, release: String) -> FilePath? {
    let root = image.removingLastComponent().removingLastComponent()
    var places = ["lib/modules", "usr/lib/modules"].map { root.appending($0).appending(release) }
    if let tree = KernelBuildTree.above(image: image) {
      places.append(KernelBuild.modules(of: tree).appending(release))
    }
    places.append(FilePath("/lib/modules").appending(release))
    return places.first {
      FileManager.default.fileExists(atPath: $0.appending("modules.dep").string)
    }
  }

  private static func checkedModules(
    _ folder: FilePath, release: String
  ) throws(KernelError) -> FilePath {
    // INSTALL_MOD_PATH is as good as what it was filled with.
    let places = [folder, folder.appending("lib/modules").appending(release)]
    let found = places.first {
      FileManager.default.fileExists(atPath: $0.appending("modules.dep").string)
    }
    guard let found else {
      throw KernelError(
        .notFound, "use modules", folder.string, "there is no modules.dep in it",
        advice: "Give lib/modules/\(release) as `make modules_install` leaves it"
          + " (INSTALL_MOD_PATH=DIR puts it below a folder of your own).")
    }
    return found
  }

  private static func checkedSymbols(_ file: FilePath) throws(KernelError) -> FilePath {
    let isELF =
      FileManager.default.contents(atPath: file.string, first: 4) == Array("\u{7F}ELF".utf8)
    guard isELF else {
      throw KernelError(
        .notFound, "read symbols from", file.string, "it is no ELF file, or not there",
        advice: "Give the vmlinux of the build: it lies at the top of its O= folder.")
    }
    return file
  }

  private static func findSymbols(
    _ image: FilePath, buildTree: FilePath?, release: String
  ) -> FilePath? {
    let folder = image.removingLastComponent()
    let debug = "usr/lib/debug/boot/vmlinux-\(release)"
    return [
      KernelBuildTree.above(image: image)?.appending("vmlinux"), buildTree?.appending("vmlinux"),
      folder.appending("vmlinux-\(release)"), folder.removingLastComponent().appending(debug),
      FilePath("/").appending(debug),
    ].compactMap(\.self).first { FileManager.default.fileExists(atPath: $0.string) }
  }
}

extension ZswapLRU {
  /// frontswap went (6.6) soon after the zpools' LRUs had (6.5). The module looks for
  /// itself, and refuses what is neither.
  init(config: KernelConfig) { self = config["FRONTSWAP"] == .yes ? .pool : .memcg }
}

extension FileManager {
  /// The first bytes of a file; nil where it cannot be read.
  fileprivate func contents(atPath path: String, first count: Int) -> [UInt8]? {
    guard let file = FileHandle(forReadingAtPath: path) else { return nil }
    defer { try? file.close() }
    return (try? file.read(upToCount: count)).map(Array.init)
  }
}
