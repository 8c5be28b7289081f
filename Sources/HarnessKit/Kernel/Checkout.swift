import Foundation
import SystemPackage

/// The project's own folders that are needed at run time: `qemu/` and `kmod/`.
public struct Checkout: Hashable, Sendable {
  /// The folder with `Package.swift`.
  public let root: FilePath
  /// Fragments of configurations, `NAME.config`; `base` goes into every build.
  public var kernelConfigs: FilePath { root.appending("qemu/kernel/config") }
  /// Lines of mm/zswap.c that no run reaches, and why.
  public var unreached: FilePath { root.appending("qemu/kernel/unreached.txt") }
  /// The series that gives a kernel its hook points; its file `series` is the order.
  public var patches: FilePath { root.appending("qemu/kernel/patches") }
  /// Kernels that are broken on purpose, `ID.patch`: see `Mutant`.
  public var mutants: FilePath { root.appending("qemu/kernel/mutants") }
  /// The sources of zswap_hooks.ko.
  public var kmod: FilePath { root.appending("kmod") }

  public init(root: FilePath) { self.root = root }

  /// The commit that it is at, with `-dirty` where it differs from that; nil where it is no git
  /// repository's top.
  func revision() async -> String? {
    let git = Tool.git(in: root)
    guard let prefix = try? await git.run(["rev-parse", "--show-prefix"]), prefix.lines.isEmpty
    else { return nil }
    return try? await git.run(["describe", "--always", "--dirty", "--abbrev=12"]).lines.first
  }

  /// `$ZSWAP_HARNESS_ROOT`, else the first folder with `Package.swift` and `qemu/kernel` on the way up from the executable and from the current
  /// directory.
  public static func locate(
    environment: [String: String] = ProcessInfo.processInfo.environment,
    from starts: [FilePath]? = nil
  ) throws(KernelError) -> Checkout {
    if let given = environment["ZSWAP_HARNESS_ROOT"] {
      guard isCheckout(FilePath(given)) else {
        throw KernelError(
          .host, "use ZSWAP_HARNESS_ROOT", given, "no Package.swift and qemu/ in it",
          advice: "Set it to the checkout's folder, or unset it.")
      }
      return Checkout(root: FilePath(given))
    }
    let files = FileManager.default
    let executable = (try? files.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    let starts = starts ?? [FilePath(executable), FilePath(files.currentDirectoryPath)]
    for start in starts {
      var directory = start
      while !directory.isEmpty {
        if isCheckout(directory) { return Checkout(root: directory) }
        guard directory.removeLastComponent() else { break }
      }
    }
    throw KernelError(
      .host, "find", "the checkout",
      "no folder with Package.swift and qemu/ above the executable"
        + " or the current directory",
      advice: "Run inside the checkout, or set ZSWAP_HARNESS_ROOT to it.")
  }

  private static func isCheckout(_ path: FilePath) -> Bool {
    ["Package.swift", "qemu/kernel"].allSatisfy {
      FileManager.default.fileExists(atPath: path.appending($0).string)
    }
  }
}
