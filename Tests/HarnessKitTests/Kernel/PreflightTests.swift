import GuestWire
import Testing

@testable import HarnessKit

@Suite struct PreflightTests {
  /// A configuration with every option of the table, less some.
  private func config(without missing: String..., plus lines: String = "") throws -> KernelConfig {
    let options = Preflight.requirements.filter { !$0.isUnwanted }.flatMap(\.options)
      .filter { !missing.contains($0) }
    let text = options.map { "CONFIG_\($0)=y\n" }.joined() + lines
    return try KernelConfig(parsing: text, name: "test")
  }

  @Test func `a kernel with everything misses nothing`() throws {
    #expect(Preflight.misses(try config()).isEmpty)
  }

  @Test(arguments: ["ZSWAP", "MODULES", "SWAP", "MEMCG", "VIRTIO_BLK"])
  func `a kernel that lacks what nothing replaces is refused, and the option named`(
    option: String
  ) throws {
    let config = try config(without: option)
    #expect {
      try Preflight.check(config, kernel: "bzImage")
    } throws: { error in
      "\(error)".contains("CONFIG_\(option)=y") && (error as? KernelError)?.fault == .kernelUnusable
    }
  }

  /// Not of the table's own rows: a row that is gone, or wrong, is to be seen.
  @Test func `a kernel without what a run stands on is refused`() throws {
    let empty = try KernelConfig(parsing: "", name: "test")
    let fatal = Preflight.misses(empty).filter(\.isFatal).flatMap(\.requirement.options)
    let needed = [
      "ZSWAP", "SWAP", "MEMCG", "MODULES", "BLK_DEV_INITRD", "DEBUG_FS", "VIRTIO_PCI",
      "VIRTIO_BLK", "VIRTIO_CONSOLE", "EXT4_FS", "SERIAL_8250_CONSOLE", "DYNAMIC_FTRACE",
      "KALLSYMS_ALL",
    ]
    for option in needed { #expect(fatal.contains(option), "\(option)") }
  }

  @Test func `every missing option is named, not only the first`() throws {
    let empty = try KernelConfig(parsing: "", name: "test")
    #expect {
      try Preflight.check(empty, kernel: "bzImage")
    } throws: { error in
      ["ZSWAP", "SWAP", "MODULES", "DYNAMIC_FTRACE"].allSatisfy {
        "\(error)".contains("CONFIG_\($0)")
      }
    }
  }

  @Test func `drivers may be modules, zswap may not`() throws {
    let modules = try config(plus: "CONFIG_VIRTIO_BLK=m\nCONFIG_EXT4_FS=m\n")
    #expect(Preflight.misses(modules).isEmpty)
    let zswap = try config(plus: "CONFIG_ZSWAP=m\n")
    #expect(Preflight.misses(zswap).map(\.actual) == [.module])
  }

  @Test func `ftrace is needed only where the kernel has no hook points of its own`() throws {
    let stock = try config(without: "DYNAMIC_FTRACE")
    #expect(Preflight.misses(stock).contains { $0.isFatal })
    let patched = try config(without: "DYNAMIC_FTRACE", plus: "CONFIG_ZSWAP_HOOKS=y\n")
    #expect(Preflight.misses(patched).map(\.isFatal) == [false])
  }

  @Test func `the providers are those that the configuration has`() throws {
    let stock = try config()
    #expect(Preflight.providers(stock) == [.ftrace])
    let patched = try config(plus: "CONFIG_ZSWAP_HOOKS=y\n")
    #expect(Preflight.providers(patched) == [.patch, .ftrace])
    let bare = try config(without: "KALLSYMS_ALL", plus: "CONFIG_ZSWAP_HOOKS=y\n")
    #expect(Preflight.providers(bare) == [.patch])
  }

  @Test func `a price is stated for whatever a run can do without`() throws {
    let miss = try #require(Preflight.misses(try config(without: "KASAN")).first)
    #expect(!miss.isFatal)
    #expect(miss.description.contains("without it a use after free may go unnoticed"))
  }

  @Test func `the fragment that is printed is what completes the configuration`() throws {
    let lines = "CONFIG_ZSWAP=y\nCONFIG_SWAP=m\n# CONFIG_KASAN is not set\n"
    let lacking = try KernelConfig(parsing: lines, name: "lacking")
    let fragment = Preflight.fragment(completing: lacking)
    #expect(fragment.contains("# Needed to load zswap_hooks.ko.\nCONFIG_MODULES=y\n"))
    #expect(fragment.contains("without it a use after free may go unnoticed"))
    let completed = try KernelConfig(parsing: lines + fragment, name: "completed")
    #expect(Preflight.misses(completed).isEmpty)
    #expect(Preflight.fragment(completing: try config()) == "")
  }
}
