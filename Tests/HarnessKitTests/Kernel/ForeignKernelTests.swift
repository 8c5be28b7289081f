import GuestWire
import SystemPackage
import Testing

@testable import HarnessKit

/// Kernels as others configure them: a right answer, or a clear refusal.
@Suite struct ForeignKernelTests {
  /// What a whole kernel has, with these lines instead.
  private func config(_ lines: String...) throws -> KernelConfig {
    let options = Preflight.requirements.filter { !$0.isUnwanted }.flatMap(\.options)
    let text = options.map { "CONFIG_\($0)=y\n" }.joined()
    return try KernelConfig(parsing: text + lines.map { "\($0)\n" }.joined(), name: ".config")
  }

  /// Of a refusal, all that it says; nil where it is accepted.
  private func refusal(_ config: KernelConfig) -> String? {
    do {
      try Preflight.check(config, kernel: "bzImage")
      return nil
    } catch {
      #expect(error.fault == .kernelUnusable)
      return "\(error)"
    }
  }

  @Test func `without ftrace a kernel needs the hook points of the patches, and is told so`()
    throws
  {
    let lines = ["# CONFIG_DYNAMIC_FTRACE is not set", "# CONFIG_FUNCTION_TRACER is not set"]
    let stock = try config(lines[0], lines[1])
    let text = try #require(refusal(stock))
    #expect(text.contains("CONFIG_DYNAMIC_FTRACE=y"))
    #expect(text.contains("without the patch series"))
    let patched = try config(lines[0], lines[1], "CONFIG_ZSWAP_HOOKS=y")
    #expect(refusal(patched) == nil)
    #expect(Preflight.providers(patched) == [.patch])
  }

  @Test func `without kprobes nothing finds what the kernel does not export`() throws {
    for hooks in ["CONFIG_ZSWAP_HOOKS=y", "# CONFIG_ZSWAP_HOOKS is not set"] {
      let text = try #require(refusal(try config("# CONFIG_KPROBES is not set", hooks)))
      #expect(text.contains("lacks CONFIG_KPROBES"))
      #expect(text.contains("kprobe"))
    }
  }

  @Test func `a kernel that takes signed modules only is refused before its module is built`()
    throws
  {
    let forced = try config("CONFIG_MODULE_SIG=y", "CONFIG_MODULE_SIG_FORCE=y")
    let text = try #require(refusal(forced))
    #expect(text.contains("CONFIG_MODULE_SIG_FORCE"))
    #expect(text.contains("# CONFIG_MODULE_SIG_FORCE is not set"))
    // As Debian has it: a module that is not signed taints, and loads.
    #expect(refusal(try config("CONFIG_MODULE_SIG=y")) == nil)
  }

  @Test func `lockdown from the start is the same refusal`() throws {
    for mode in ["INTEGRITY", "CONFIDENTIALITY"] {
      let text = try #require(
        refusal(try config("CONFIG_LOCK_DOWN_KERNEL_FORCE_\(mode)=y")))
      #expect(text.contains("CONFIG_LOCK_DOWN_KERNEL_FORCE_\(mode)"))
    }
    #expect(refusal(try config("CONFIG_LOCK_DOWN_KERNEL_FORCE_NONE=y")) == nil)
  }

  @Test func `the fragment that completes a configuration takes such an option out`() throws {
    let fragment = Preflight.fragment(completing: try config("CONFIG_MODULE_SIG_FORCE=y"))
    #expect(fragment.contains("# CONFIG_MODULE_SIG_FORCE is not set\n"))
    #expect(refusal(try config("CONFIG_MODULE_SIG_FORCE=y", fragment)) == nil)
  }

  @Test func `with versioned symbols a module of another release is refused all the same`() throws {
    let versions = try config("CONFIG_MODVERSIONS=y", "CONFIG_SMP=y")
    let kernel = Vermagic(release: "6.12.117", config: versions)
    #expect(kernel.flags.contains("modversions"))
    let other = Vermagic(release: "6.12.118", config: versions)
    #expect(other.mismatch(with: kernel)?.contains("release differs") == true)
    let plain = Vermagic(release: "6.12.117", config: try config("CONFIG_SMP=y"))
    #expect(plain.mismatch(with: kernel)?.contains("lacks “modversions”") == true)
  }

  @Test(arguments: [
    ("CONFIG_CC_IS_GCC=y\nCONFIG_GCC_VERSION=120200\n", nil as String?),
    ("CONFIG_CC_IS_CLANG=y\nCONFIG_CLANG_VERSION=170006\n", "clang-17"),
    ("CONFIG_CC_IS_CLANG=y\n", "clang"),
    ("", nil),
  ])
  func `a kernel of clang's gets a module of clang's`(lines: String, compiler: String?) async throws
  {
    try await withTemporaryDirectory { tree in
      try write(lines, to: tree.appending(".config"))
      #expect(ModuleBuild.compiler(of: tree) == compiler)
      // What the headers say goes before what is guessed.
      try write("CC = $(CROSS_COMPILE)gcc-12\n", to: tree.appending(".kernelvariables"))
      #expect(ModuleBuild.compiler(of: tree) == "gcc-12")
    }
  }

  @Test(arguments: [
    "shrink_memcg_cb.llvm.1234567890123456789", "shrink_memcg_cb.isra.0", "shrink_memcg_cb.cold",
    "shrink_memcg_cb.constprop.0.isra.0", "shrink_memcg_cb",
  ])
  func `a compiler's suffix does not make another function of it`(symbol: String) throws {
    let frame = try #require(StackFrame(symbol: "\(symbol)+0x1c/0x40"))
    #expect(frame.function == "shrink_memcg_cb")
  }
}
