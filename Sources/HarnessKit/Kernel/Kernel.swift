import Foundation
public import GuestWire
import SystemPackage

/// A kernel to run: its image, and all that has to be known of it to boot it
/// and to build a module for it.
public struct Kernel: Sendable {
  public let image: FilePath
  public let header: BzImage
  public var release: String { header.release }
  public let config: KernelConfig
  /// What modules are built against: a build tree or a package's headers.
  /// Nil where there is none; see ``requireBuildTree()``.
  public let buildTree: FilePath?
  /// `lib/modules/<release>` with its modules.dep; nil for a kernel that has
  /// all it needs built in, or whose modules were not installed.
  public let modulesDirectory: FilePath?

  public var vermagic: Vermagic { Vermagic(release: release, config: config) }
  public var zswapLRU: ZswapLRU { ZswapLRU(config: config) }
  public var providers: [Provider] { Preflight.providers(config) }

  /// What `--kernel` and `--kernel-build` mean. Without `--kernel`, the
  /// distribution's kernel; fetched first where it is not there.
  ///
  /// The configuration is read, but not checked: call
  /// ``Preflight/check(_:kernel:)`` before booting.
  public static func resolve(
    _ reference: KernelReference?, buildTree given: FilePath? = nil, cache: Cache
  ) async throws -> Kernel {
    let image = try await (reference ?? .standard).image(cache: cache)
    let header = try BzImage.read(image)
    let config = try await KernelConfig.find(for: image, image: header)
    let buildTree =
      try given.map { try checked($0, release: header.release) }
      ?? findBuildTree(image, release: header.release)
    let modules = findModules(image, buildTree: buildTree, release: header.release)
    return Kernel(
      image: image, header: header, config: config, buildTree: buildTree,
      modulesDirectory: modules)
  }

  /// The build tree, or an error that says how to give one.
  public func requireBuildTree() throws(KernelError) -> FilePath {
    if let buildTree { return buildTree }
    throw KernelError(
      .notFound, "find the build tree of", image.string,
      "without it the module cannot be built for \(release)",
      advice: "Give it with --kernel-build DIR (the O= folder of the build, or the unpacked"
        + " linux-headers-\(release)), or give a module built elsewhere with --module.",
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

  private static func findModules(
    _ image: FilePath, buildTree: FilePath?, release: String
  ) -> FilePath? {
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
}

extension ZswapLRU {
  /// frontswap went (6.6) soon after the zpools' LRUs had (6.5). The module looks for
  /// itself, and refuses what is neither.
  init(config: KernelConfig) { self = config["FRONTSWAP"] == .yes ? .pool : .memcg }
}
