import GuestWire
import Testing

@testable import HarnessKit

@Suite struct ZswapParametersTests {
  @Test func `what a kernel has not built in is refused, and not left to its default`() throws {
    let config = try KernelConfig(
      parsing: "CONFIG_CRYPTO_LZO=y\nCONFIG_CRYPTO_LZ4=m\nCONFIG_ZBUD=y\n", name: "config")
    func words(_ compressor: String?, _ zpool: String? = nil) throws -> [String] {
      try ZswapParameters(compressor: compressor, zpool: zpool).kernelWords(for: config)
    }
    #expect(try words("lzo-rle", "zbud") == ["zswap.compressor=lzo-rle", "zswap.zpool=zbud"])
    #expect(try words(nil).isEmpty)
    let module = #expect(throws: HarnessFailure.self) { try words("lz4") }
    #expect(module?.kind == .kernelUnusable)
    #expect(module?.message == "this kernel has no compressor lz4 built in: CONFIG_CRYPTO_LZ4=y")
    #expect(throws: HarnessFailure.self) { try words(nil, "z3fold") }
  }

  @Test func `a swap device picks the trials that are on it`() throws {
    let sweep = try #require(Scenario.named("sweep"))
    let parts = [sweep.on(.disk), sweep.on(.brd)].map(\.works)
    #expect(parts.allSatisfy { !$0.isEmpty })
    #expect(Set(parts[0]).isDisjoint(with: parts[1]))
    #expect(parts[0].count + parts[1].count == sweep.works.count)
    let stress = try #require(Scenario.named("swapoff-stress"))
    #expect(stress.on(.brd).works.isEmpty)
    // Where the zpool has the LRU as well.
    let onPool = sweep.on(.brd).trials(startingAt: 0, provider: .ftrace, seed: 1, lru: .pool)
    #expect(onPool.allSatisfy { $0.schedule?.setup.swap == .brd })
  }
}
