import Foundation
import SystemPackage
import Testing

@testable import HarnessKit

/// What may be given as a kernel, and what is said of what may not.
@Suite struct KernelPlaceTests {
  private func resolve(
    _ path: FilePath, _ parts: Kernel.Parts = Kernel.Parts(), in cache: FilePath
  ) async throws -> Kernel {
    try await Kernel.resolve(.image(path), parts: parts, cache: Cache(root: cache))
  }

  /// What the refusal of a path says.
  private func refusal(of path: FilePath, in cache: FilePath) async -> String {
    do {
      _ = try await resolve(path, in: cache)
      return "accepted"
    } catch let error as KernelError {
      #expect(error.fault == .kernelUnusable)
      #expect(error.advice != nil, "an error has to say what to do")
      return "\(error)"
    } catch {
      return "\(error)"
    }
  }

  private func build(_ tree: FilePath, image: [UInt8] = SyntheticImage().bytes) throws {
    try write(image, to: tree.appending("arch/x86/boot/bzImage"))
    try write("CONFIG_SWAP=y\n", to: tree.appending(".config"))
    try write("", to: tree.appending("Makefile"))
    try write("", to: tree.appending("include/generated/autoconf.h"))
    try write("6.12.117\n", to: tree.appending("include/config/kernel.release"))
  }

  private func source(_ tree: FilePath) throws {
    try write("", to: tree.appending("Kconfig"))
    try write("", to: tree.appending("Makefile"))
    try write("", to: tree.appending("init/main.c"))
  }

  // MARK: - Folders

  @Test func `a build tree is as good as the image in it, and brings its vmlinux`() async throws {
    try await withTemporaryDirectory { folder in
      let tree = folder.appending("out")
      try build(tree)
      try write("\u{7F}ELF", to: tree.appending("vmlinux"))
      let kernel = try await resolve(tree, in: folder)
      #expect(kernel.image == tree.appending("arch/x86/boot/bzImage"))
      #expect(kernel.buildTree == tree)
      #expect(kernel.vmlinux == tree.appending("vmlinux"))
    }
  }

  @Test func `a source tree is looked into for the build in it`() async throws {
    try await withTemporaryDirectory { folder in
      let linux = folder.appending("linux")
      try source(linux)
      try build(linux.appending("build"))
      let kernel = try await resolve(linux, in: folder)
      #expect(kernel.buildTree == linux.appending("build"))
      #expect(kernel.vmlinux == nil)
    }
  }

  @Test func `of several builds none is chosen, and all are named`() async throws {
    try await withTemporaryDirectory { folder in
      let linux = folder.appending("linux")
      try build(linux.appending("good"))
      try build(linux.appending("bad"))
      let text = await refusal(of: linux, in: folder)
      #expect(text.contains("good/arch/x86") && text.contains("bad/arch/x86"))
    }
  }

  @Test func `a source that was never built is answered with how to build it`() async throws {
    try await withTemporaryDirectory { folder in
      let linux = folder.appending("linux")
      try source(linux)
      let text = await refusal(of: linux, in: folder)
      #expect(text.contains("without a build"))
      #expect(text.contains("Build it first: make -C \(linux) O=build"))
    }
  }

  @Test func `a tree that was configured and not built lacks only make`() async throws {
    try await withTemporaryDirectory { folder in
      try source(folder.appending("linux"))
      try write("CONFIG_SWAP=y\n", to: folder.appending("linux/.config"))
      let text = await refusal(of: folder.appending("linux"), in: folder)
      #expect(text.contains("configured") && text.contains("bzImage modules"))
    }
  }

  @Test func `a build for another architecture is told by its name`() async throws {
    try await withTemporaryDirectory { folder in
      try source(folder.appending("linux"))
      try write("", to: folder.appending("linux/arch/arm64/boot/Image"))
      #expect(
        await refusal(of: folder.appending("linux"), in: folder).contains("for arm64, not x86"))
    }
  }

  @Test func `a folder without a kernel is refused`() async throws {
    try await withTemporaryDirectory { folder in
      #expect(await refusal(of: folder, in: folder).contains("there is none"))
    }
  }

  @Test(arguments: [(0x38, "ARMd", "arm64"), (0x38, "RSC\u{5}", "RISC-V"), (4, "zimg", "EFI")])
  func `an image of another architecture is no bzImage`(
    offset: Int, magic: String, name: String
  ) async throws {
    try await withTemporaryDirectory { folder in
      var bytes = [UInt8](repeating: 0, count: 4096)
      bytes.replaceSubrange(offset..<offset + 4, with: Array(magic.utf8))
      try write(bytes, to: folder.appending("Image"))
      let text = await refusal(of: folder.appending("Image"), in: folder)
      #expect(text.contains(name) && text.contains("ARCH=x86_64"))
    }
  }

  // MARK: - Parts asked for by name

  @Test func `what lies elsewhere is taken where it is named`() async throws {
    try await withTemporaryDirectory { folder in
      let image = folder.appending("vmlinuz")
      try write(SyntheticImage().bytes, to: image)
      try write("CONFIG_ZSWAP=y\n", to: folder.appending("there/kernel.config"))
      try write("", to: folder.appending("there/lib/modules/6.12.117/modules.dep"))
      try write("\u{7F}ELF", to: folder.appending("there/vmlinux"))
      let kernel = try await resolve(
        image,
        Kernel.Parts(
          config: folder.appending("there/kernel.config"), modules: folder.appending("there"),
          vmlinux: folder.appending("there/vmlinux")), in: folder)
      #expect(kernel.config["ZSWAP"] == .yes)
      #expect(kernel.modulesDirectory == folder.appending("there/lib/modules/6.12.117"))
      #expect(kernel.vmlinux == folder.appending("there/vmlinux"))
    }
  }

  @Test func `parts that are not what they are named as are refused`() async throws {
    try await withTemporaryDirectory { folder in
      let image = folder.appending("vmlinuz")
      try write(SyntheticImage().bytes, to: image)
      try write("CONFIG_ZSWAP=y\n", to: folder.appending("vmlinuz.config"))
      let wrong = [
        Kernel.Parts(buildTree: folder), Kernel.Parts(config: folder.appending("none")),
        Kernel.Parts(modules: folder), Kernel.Parts(vmlinux: image),
      ]
      for parts in wrong {
        await #expect(throws: KernelError.self) { try await resolve(image, parts, in: folder) }
      }
    }
  }

  // MARK: - Packages

  /// Builds a package as `make bindeb-pkg` names it.
  private func package(
    _ name: String, architecture: String = "amd64", depends: String? = nil,
    files: [String: [UInt8]], in folder: FilePath
  ) async throws -> FilePath {
    let root = folder.appending(".root-\(name)")
    try write(
      """
      Package: \(name)
      Version: 6.12.117-1
      Architecture: \(architecture)
      Maintainer: Nobody <nobody@example.org>
      Description: a package of a test
      \(depends.map { "Depends: \($0)\n" } ?? "")
      """, to: root.appending("DEBIAN/control"))
    for (path, bytes) in files { try write(bytes, to: root.appending(path)) }
    let deb = folder.appending("\(name)_6.12.117-1_\(architecture).deb")
    try await Tool("dpkg-deb").run(["-Znone", "--build", root.string, deb.string])
    return deb
  }

  private func kernelPackage(in folder: FilePath) async throws -> FilePath {
    try await package(
      "linux-image-6.12.117",
      files: [
        "boot/vmlinuz-6.12.117": SyntheticImage().bytes,
        "boot/config-6.12.117": Array("CONFIG_ZSWAP=y\n".utf8),
        "lib/modules/6.12.117/modules.order": [],
      ], in: folder)
  }

  /// Headers whose files are in two packages, as Debian has them.
  private func headerPackages(in folder: FilePath) async throws -> FilePath {
    _ = try await package(
      "linux-headers-6.12.117-common", files: ["usr/src/linux-headers-6.12.117-common/x": []],
      in: folder)
    let tree = "usr/src/linux-headers-6.12.117"
    return try await package(
      "linux-headers-6.12.117",
      depends: "linux-headers-6.12.117-common (= 6.12.117-1), linux-compiler-gcc-12-x86",
      files: [
        "\(tree)/.config": [], "\(tree)/include/generated/autoconf.h": [],
        "\(tree)/Makefile": Array("include /usr/src/linux-headers-6.12.117-common/x\n".utf8),
      ], in: folder)
  }

  @Test func `a package is unpacked, with the headers that lie beside it`() async throws {
    try await withTemporaryDirectory { folder in
      let deb = try await kernelPackage(in: folder)
      _ = try await headerPackages(in: folder)
      let kernel = try await resolve(deb, in: folder.appending("cache"))
      #expect(kernel.release == "6.12.117")
      #expect(kernel.config["ZSWAP"] == .yes)
      #expect(kernel.modulesDirectory != nil)
      let tree = try #require(kernel.buildTree)
      let text = try String(
        contentsOfFile: tree.appending("Makefile").string, encoding: .utf8)
      #expect(text == "include ../linux-headers-6.12.117-common/x\n", "usable where it is")
      #expect(
        FileManager.default.fileExists(
          atPath: tree.appending("../linux-headers-6.12.117-common/x").string))
      #expect(
        Cache(root: folder.appending("cache")).entries("fetched").isEmpty,
        "it is none of Debian's, by which debian:6.12 could be answered")
    }
  }

  @Test func `without headers it can be looked at, and the package that it wants is named`()
    async throws
  {
    try await withTemporaryDirectory { folder in
      let kernel = try await resolve(
        try await kernelPackage(in: folder), in: folder.appending("cache"))
      #expect(kernel.buildTree == nil)
      #expect {
        try kernel.requireBuildTree()
      } throws: {
        "\($0)".contains("linux-headers-6.12.117") && "\($0)".contains(".deb")
      }
    }
  }

  @Test func `headers may be named as a package`() async throws {
    try await withTemporaryDirectory { folder in
      let deb = try await kernelPackage(in: folder.appending("here"))
      let headers = try await headerPackages(in: folder.appending("there"))
      let kernel = try await resolve(
        deb, Kernel.Parts(buildTree: headers), in: folder.appending("cache"))
      #expect(kernel.buildTree?.lastComponent == "linux-headers-6.12.117")
    }
  }

  @Test func `packages that hold no kernel for x86-64 are refused, each by what it is`()
    async throws
  {
    try await withTemporaryDirectory { folder in
      let cache = folder.appending("cache")
      let headers = try await headerPackages(in: folder)
      #expect(await refusal(of: headers, in: cache).contains("holds no kernel image"))
      let arm = try await package(
        "linux-image-6.12.117-arm64", architecture: "arm64", files: [:], in: folder)
      #expect(await refusal(of: arm, in: cache).contains("arm64, not amd64"))
      let meta = try await package(
        "linux-image-amd64", depends: "linux-image-6.12.117-amd64 (= 6.12.117-1)", files: [:],
        in: folder)
      let text = await refusal(of: meta, in: cache)
      #expect(text.contains("depends on linux-image-6.12.117-amd64"))
      let half = folder.appending("half.deb")
      let whole = try Data(contentsOf: URL(filePath: meta.string))
      try write(Array(whole.prefix(100)), to: half)
      #expect(await refusal(of: half, in: cache).contains("dpkg-deb cannot read it"))
    }
  }
}
