import Foundation
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct KernelConfigTests {
  @Test func `an option that is not set, is n, or is absent is the same`() throws {
    let config = try KernelConfig(
      parsing: "# comment\nCONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\nCONFIG_D=n\n",
      name: "test")
    #expect(config["A"] == .yes)
    #expect(config["B"] == .module)
    #expect(["C", "D", "E"].allSatisfy { config[$0] == .no })
    #expect(config.mentions("C") && !config.mentions("E"))
  }

  @Test func `strings lose their quotes, numbers stay text, the later line wins`() throws {
    let config = try KernelConfig(
      parsing: "CONFIG_V=\"a \\\"b\\\"\"\nCONFIG_N=8\nCONFIG_N=16\r\n", name: "test")
    #expect(config["V"] == .text("a \"b\""))
    #expect(config["N"] == .text("16"))
  }

  @Test func `a line that is none is refused with its number`() {
    #expect {
      try KernelConfig(parsing: "CONFIG_A=y\n<html>\n", name: "my.config")
    } throws: { error in
      "\(error)".contains("my.config:2") && "\(error)".contains("<html>")
    }
  }

  @Test func `a line that did not survive Kconfig stops the build, by name and value`() throws {
    let fragments = try ConfigFragments([
      ("base", "CONFIG_A=y\nCONFIG_B=y\nCONFIG_L=y\n# CONFIG_C is not set\n"),
      ("mine", "CONFIG_B=m\nCONFIG_D=n\n"),
    ])
    let survived = try KernelConfig(parsing: "CONFIG_A=y\nCONFIG_B=m\nCONFIG_L=y\n", name: "ok")
    try fragments.requireSurvival(in: survived)

    let final = try KernelConfig(
      parsing: "CONFIG_B=y\nCONFIG_C=y\n# CONFIG_A is not set\n", name: ".config")
    #expect {
      try fragments.requireSurvival(in: final)
    } throws: { error in
      (error as? KernelError)?.details == [
        "CONFIG_A: base wants y, the kernel has n",
        "CONFIG_B: mine wants m, the kernel has y",
        "CONFIG_L: base wants y, the kernel has no such line",
        "CONFIG_C: base wants n, the kernel has y",
      ]
    }
  }

  @Test func `what Kconfig has no option for goes to make, and to nothing else`() throws {
    let fragments = try ConfigFragments([
      ("base", "CONFIG_A=y\n# makeshift: no\n"),
      ("gcov", "# make: GCOV_PROFILE_zswap.o=y\nCONFIG_GCOV_KERNEL=y\n"),
    ])
    #expect(fragments.makeVariables == ["GCOV_PROFILE_zswap.o=y"])
    #expect(fragments.wanted.map(\.option) == ["A", "GCOV_KERNEL"])
  }

  @Test(arguments: [
    ("", "gcc", "ld"), ("# make: LLVM=1\n", "clang", "ld.lld"),
    ("# make: LLVM=-14\n", "clang-14", "ld.lld-14"),
    (
      "# make: LLVM=1\n# make: LLVM=/opt/llvm/bin/\n", "/opt/llvm/bin/clang", "/opt/llvm/bin/ld.lld"
    ),
  ])
  func `a kernel is built by the tools that make would take`(
    lines: String, compiler: String, linker: String
  ) throws {
    let tools = try ConfigFragments([("base", lines)]).tools
    #expect(tools.compiler == compiler)
    #expect(tools.linker == linker)
  }

  /// The build appends the size to most payloads, and gzip then complains of
  /// trailing garbage after it has written everything.
  @Test func `the configuration in an image is found, with trailing bytes or without`() async throws
  {
    try await withTemporaryDirectory { directory in
      let text = directory.appending("config")
      try write("CONFIG_ZSWAP=y\n", to: text)
      let config = try await Tool("gzip").run(["-c"], input: text).output
      let kernel = directory.appending("vmlinux")
      let noise = [UInt8](repeating: 0x49, count: 5000)
      try write(
        noise + Array("IKCFG_S!IKCFG_ST".utf8) + config + Array("IKCFG_ED".utf8) + noise, to: kernel
      )
      let packed = try await Tool("gzip").run(["-c"], input: kernel).output
      for trailer in [[], [1, 2, 3, 4] as [UInt8]] {
        let path = directory.appending("bzImage")
        try write(SyntheticImage(payload: packed + trailer).bytes, to: path)
        let found = try await KernelConfig.find(for: path, image: try BzImage.read(path))
        #expect(found["ZSWAP"] == .yes)
        #expect(found.origin == .embedded(path))
      }
    }
  }

  @Test func `without an embedded one, the file beside the image is taken and named`() async throws
  {
    try await withTemporaryDirectory { directory in
      let path = directory.appending("vmlinuz")
      try write(SyntheticImage().bytes, to: path)
      let image = try BzImage.read(path)
      await #expect {
        try await KernelConfig.find(for: path, image: image)
      } throws: { error in
        "\(error)".contains("config-6.12.117")
      }
      let beside = directory.appending("config-6.12.117")
      try write("CONFIG_SWAP=y\n", to: beside)
      let found = try await KernelConfig.find(for: path, image: image)
      #expect(found["SWAP"] == .yes)
      #expect(found.origin == .beside(beside))
    }
  }

  @Test func `an image in a build tree has that tree's configuration`() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory.appending("arch/x86/boot/bzImage")
      try write(SyntheticImage().bytes, to: path)
      try write("CONFIG_SWAP=y\n", to: directory.appending(".config"))
      try write("", to: directory.appending("Makefile"))
      try write("", to: directory.appending("include/generated/autoconf.h"))
      let kernel = try await Kernel.resolve(.image(path), cache: Cache(root: directory))
      #expect(kernel.config.origin == .buildTree(directory.appending(".config")))
      #expect(kernel.buildTree == directory)
      #expect(kernel.modulesDirectory == nil)
    }
  }
}
