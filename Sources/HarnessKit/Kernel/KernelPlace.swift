import Foundation
import SystemPackage

/// What a path given as a kernel means: an image, a package that has one, or a folder in
/// which one was built or unpacked.
enum KernelPlace {
  /// The image itself.
  ///
  /// - Parameter withHeaders: whether the headers of a package are looked for as well.
  static func image(
    at path: FilePath, withHeaders: Bool, cache: Cache
  ) async throws -> FilePath {
    if DebianPackage.isPackage(path) {
      return try await DebianPackage.read(path).image(cache: cache, withHeaders: withHeaders)
    }
    return isDirectory(path) ? try image(in: path) : path
  }

  /// The one image of a build tree, a source tree with a build in it, or an unpacked
  /// package.
  static func image(in folder: FilePath) throws(KernelError) -> FilePath {
    let found = images(in: folder)
    if let image = found.first, found.count == 1 { return image }
    if found.count > 1 {
      throw KernelError(
        .image, "find the kernel in", folder.string, "there are \(found.count)",
        advice: "Give one of them.", details: found.map(\.string))
    }
    throw nothing(in: folder)
  }

  /// Nearer ones hide those that are farther away.
  private static func images(in folder: FilePath) -> [FilePath] {
    let own = built(in: folder)
    guard own.isEmpty else { return own }
    let unpacked = [folder.appending("boot"), folder].flatMap { place in
      entries(of: place).filter { $0.hasPrefix("vmlinuz-") }.map { place.appending($0) }
    }
    guard unpacked.isEmpty else { return unpacked }
    // make O=build, in the source.
    return entries(of: folder).flatMap { built(in: folder.appending($0)) }
  }

  private static func built(in tree: FilePath) -> [FilePath] {
    let image = tree.appending("arch/x86/boot/bzImage")
    return FileManager.default.fileExists(atPath: image.string) ? [image] : []
  }

  private static func nothing(in folder: FilePath) -> KernelError {
    func has(_ names: String...) -> Bool {
      names.allSatisfy { FileManager.default.fileExists(atPath: folder.appending($0).string) }
    }
    func error(_ problem: String, _ advice: String) -> KernelError {
      KernelError(.image, "find the kernel in", folder.string, problem, advice: advice)
    }
    if let other = otherArchitecture(in: folder) {
      return error(
        "it is built for \(other), not x86", "The guest is x86-64: build it with ARCH=x86_64.")
    }
    if has("Makefile", ".config") {
      return error(
        "it is configured, but there is no arch/x86/boot/bzImage",
        "Build it first: make -C \(folder) -j\(cpus) bzImage modules")
    }
    if has("Kconfig", "init/main.c") {
      return error(
        "a source tree without a build",
        "Build it first: make -C \(folder) O=build x86_64_defconfig, then make -C \(folder)"
          + " O=build -j\(cpus) bzImage modules; or let harness kernel build --source \(folder)"
          + " make a small one, or give it as --kernel-tree.")
    }
    return error("there is none", BzImage.whatToGive)
  }

  private static var cpus: Int { ProcessInfo.processInfo.activeProcessorCount }

  private static func otherArchitecture(in folder: FilePath) -> String? {
    let images = ["Image", "Image.gz", "zImage", "bzImage", "uImage", "vmlinux.bin"]
    return entries(of: folder.appending("arch")).first { name in
      !["x86", "x86_64", "i386"].contains(name)
        && images.contains {
          FileManager.default.fileExists(
            atPath: folder.appending("arch").appending(name).appending("boot").appending($0).string)
        }
    }
  }

  private static func entries(of folder: FilePath) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder.string)) ?? []).sorted()
  }

  static func isDirectory(_ path: FilePath) -> Bool {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path.string, isDirectory: &isDirectory)
      && isDirectory.boolValue
  }
}
