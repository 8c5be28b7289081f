import Foundation
public import SystemPackage

/// Where the kernel's own build keeps things.
public enum KernelBuildTree {
  /// The tree that an image at `arch/x86/boot/bzImage` was built in.
  public static func above(image: FilePath) -> FilePath? {
    // A link to a build's image is as good as the image.
    let real = FilePath(URL(fileURLWithPath: image.string).resolvingSymlinksInPath().path)
    for path in [image, real] {
      var tree = path
      for expected in ["boot", "x86", "arch"] {
        tree.removeLastComponent()
        guard tree.lastComponent?.string == expected else {
          tree = FilePath()
          break
        }
      }
      // arch/x86_64/boot/bzImage is a link that the build makes as well.
      guard !tree.isEmpty else { continue }
      tree.removeLastComponent()
      if isBuildTree(tree) { return tree }
    }
    return nil
  }

  /// Whether modules can be built there.
  static func isBuildTree(_ path: FilePath) -> Bool {
    ["Makefile", ".config", "include/generated/autoconf.h"].allSatisfy {
      FileManager.default.fileExists(atPath: path.appending($0).string)
    }
  }
}

extension KernelBuildTree {
  /// The release of the kernel built there; nil where the tree does not say.
  static func release(of tree: FilePath) -> String? {
    // Headers of Debian's 6.1 have upstream's version in kernel.release, and
    // override it.
    let override = lines(of: tree.appending(".kernelvariables"))
      .first { $0.hasPrefix("override KERNELRELEASE = ") }?
      .split(separator: " ").last.map(String.init)
    return override ?? lines(of: tree.appending("include/config/kernel.release")).first
  }

  private static func lines(of file: FilePath) -> [String] {
    guard let data = FileManager.default.contents(atPath: file.string) else { return [] }
    return String(decoding: data, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
