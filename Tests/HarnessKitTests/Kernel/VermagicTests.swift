import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct VermagicTests {
  private func expected(_ options: String...) throws -> String {
    let text = options.map { "CONFIG_\($0)=y\n" }.joined()
    let config = try KernelConfig(parsing: text, name: "test")
    return Vermagic(release: "6.12.117", config: config).description
  }

  @Test func `the flags follow include/linux/vermagic.h`() throws {
    #expect(try expected() == "6.12.117")
    #expect(
      try expected("SMP", "PREEMPT_BUILD", "MODULE_UNLOAD", "MODVERSIONS")
        == "6.12.117 SMP preempt mod_unload modversions")
    #expect(try expected("SMP", "PREEMPT_RT") == "6.12.117 SMP preempt_rt")
    // Dynamic preemption builds for full preemption, whatever is chosen at boot.
    #expect(
      try expected("PREEMPT_VOLUNTARY", "PREEMPT_DYNAMIC", "PREEMPT_BUILD") == "6.12.117 preempt")
    #expect(try expected("PREEMPT_VOLUNTARY") == "6.12.117")
  }

  /// With MODVERSIONS the kernel itself skips the release, and loads it.
  @Test func `a module of another flavour is refused though its flags fit`() {
    let kernel = Vermagic(parsing: "6.12.117+deb12-amd64 SMP preempt mod_unload modversions")
    let cloud = Vermagic(parsing: "6.12.117+deb12-cloud-amd64 SMP preempt mod_unload modversions ")
    #expect(cloud.mismatch(with: kernel)?.contains("cloud") == true)
    #expect(kernel.mismatch(with: kernel) == nil)
  }

  @Test func `flags that differ are named on both sides`() {
    let kernel = Vermagic(parsing: "6.12.117 SMP preempt mod_unload")
    let module = Vermagic(parsing: "6.12.117 SMP mod_unload modversions")
    #expect(
      module.mismatch(with: kernel) == "the module has “modversions” and lacks “preempt”")
  }

  @Test func `the seed of a randomised layout is not held against a module`() {
    let module = Vermagic(parsing: "6.12.117 SMP RANDSTRUCT_0123abcd")
    #expect(module.mismatch(with: Vermagic(parsing: "6.12.117 SMP")) == nil)
  }

  @Test func `a file that is no module is refused by its name`() async throws {
    try await withTemporaryDirectory { directory in
      let path = directory.appending("zswap_hooks.ko")
      try write("not an ELF file", to: path)
      #expect {
        try Vermagic.check(
          module: path, expected: Vermagic(parsing: "6.12.117"), kernel: "bzImage")
      } throws: { error in
        "\(error)".contains(path.string)
      }
    }
  }
}
