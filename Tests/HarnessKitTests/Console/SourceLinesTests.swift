import Foundation
import GuestWire
import SystemPackage
import Testing

@testable import HarnessKit

/// Frames told to file and line, and never to a wrong one.
@Suite struct SourceLinesTests {
  private static let source = """
    static volatile int sink;
    static inline __attribute__((always_inline)) void pinned(int x)
    {
    \tsink += x;
    }
    __attribute__((noinline)) void swapoff(int x)
    {
    \tsink = x;
    \tpinned(x);
    }
    int main(int argc, char **argv)
    {
    \tswapoff(argc);
    \treturn sink;
    }

    """

  /// Compiles the fixture; what stands in nm's table for its `swapoff`.
  private func fixture(
    in folder: FilePath, _ flags: [String] = ["-g"]
  ) async throws -> (file: FilePath, size: UInt64) {
    let file = folder.appending("vmlinux")
    try write(Self.source, to: folder.appending("race.c"))
    try await Tool("gcc", in: folder).run(flags + ["-O1", "-o", file.string, "race.c"])
    let line = try #require(
      try await Tool("nm").run(["-S", file.string]).lines.first { $0.hasSuffix(" swapoff") })
    return (file, try #require(UInt64(line.split(separator: " ")[1], radix: 16)))
  }

  private func finding(_ excerpt: String, _ functions: String...) -> Finding {
    Finding(
      kind: .splat, title: "WARNING", details: "", excerpt: excerpt,
      frames: functions.map { StackFrame(function: $0) })
  }

  private func hex(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }

  @Test func `a frame gets its line, and before it what was inlined there`() async throws {
    try await withTemporaryDirectory { folder in
      let (file, size) = try await fixture(in: folder)
      // The end of the function: the last instruction before its return is pinned()'s.
      var told: [[StackFrame.Place]] = []
      for offset in 1..<size {
        let line = " swapoff+\(hex(offset))/\(hex(size))"
        let result = try await SourceLines(vmlinux: file).annotate([finding(line, "swapoff")])
        told.append(try #require(result.findings[0].frames[0].places))
      }
      let inlined = try #require(told.first { $0.count == 2 })
      #expect(inlined[0].function == "pinned")
      #expect(inlined[0].line == 4)
      #expect(inlined[1].function == "swapoff")
      #expect(inlined[1].line == 9)
      #expect(inlined[1].file.hasSuffix("race.c"))
      #expect(told.contains { $0.count == 1 && $0[0].line == 8 })
    }
  }

  @Test func `a function of another size is another build's, and gets no line`() async throws {
    try await withTemporaryDirectory { folder in
      let (file, size) = try await fixture(in: folder)
      for other in [size - 1, size + 4096] {
        let result = try await SourceLines(vmlinux: file)
          .annotate([finding(" swapoff+0x1/\(hex(other))", "swapoff")])
        #expect(result.findings[0].frames[0].places == nil)
        #expect(result.why?.contains("another build's") == true)
      }
    }
  }

  @Test func `without debug information it is said what would give it`() async throws {
    try await withTemporaryDirectory { folder in
      let (file, size) = try await fixture(in: folder, ["-g0"])
      let result = try await SourceLines(vmlinux: file)
        .annotate([finding(" swapoff+0x1/\(hex(size))", "swapoff")])
      #expect(result.findings[0].frames[0].places == nil)
      #expect(result.why?.contains("CONFIG_DEBUG_INFO") == true)
      try await Tool("strip").run([file.string])
      let stripped = try await SourceLines(vmlinux: file)
        .annotate([finding(" swapoff+0x1/\(hex(size))", "swapoff")])
      #expect(stripped.why?.contains("no symbols") == true)
    }
  }

  @Test func `each frame gets the address of its own line, in their order`() {
    let finding = finding(
      """
      RIP: 0010:shrink_memcg_cb+0x1c/0x40
       ? leftover+0x1/0x2
       zh_hold+0x1/0x9 [zswap_hooks]
       walk.isra.0+0x30/0x50
       shrink_memcg_cb+0x20/0x40
      """, "shrink_memcg_cb", "leftover", "walk", "shrink_memcg_cb")
    let found = TracedAddress.of(finding)
    #expect(Set(found.keys) == [0, 2, 3])
    #expect(
      found[0]
        == TracedAddress(symbol: "shrink_memcg_cb", offset: 0x1c, size: 0x40, isExact: true))
    #expect(found[2]?.symbol == "walk.isra.0")
    #expect(found[3]?.offset == 0x20)
    #expect(found[3]?.isExact == false)
  }

  @Test func `of two functions of one name and size neither is chosen`() {
    let table = SymbolTable(
      nm: """
        0000000000001000 0000000000000040 t show
        0000000000002000 0000000000000040 t show
        0000000000003000 0000000000000080 t show
        0000000000004000 T start
        """)
    func address(_ size: UInt64) -> UInt64? {
      table.address(of: TracedAddress(symbol: "show", offset: 8, size: size, isExact: false))
    }
    #expect(address(0x40) == nil)
    #expect(table.address(of: "start") == nil, "it has no size")
  }

  @Test func `files are named from the top of the source tree, where that is known`() {
    let places = SourceLines.places(
      addr2line: """
        0x0000000000001000
        start_kernel
        /build/linux/out/../init/main.c:900
        0x0000000000002000
        zswap_entry_free
        /build/linux/out/../mm/zswap.c:800 (discriminator 3)
        zswap_writeback_entry
        /build/linux/out/../mm/zswap.c:1120
        0x0000000000003000
        ??
        ??:0
        """, landmark: (0x1000, "init/main.c"))
    #expect(
      places[0x2000]?.map(\.description) == [
        "zswap_entry_free at mm/zswap.c:800", "zswap_writeback_entry at mm/zswap.c:1120",
      ])
    #expect(places[0x3000] == nil)
  }

  @Test func `a report has a line for each function that was inlined`() {
    var frame = StackFrame(function: "shrink_memcg_cb")
    #expect(frame.lines == ["shrink_memcg_cb"])
    frame.places = [
      StackFrame.Place(function: "zswap_lru_del", file: "mm/zswap.c", line: 700),
      StackFrame.Place(function: "shrink_memcg_cb", file: "mm/zswap.c", line: 1300),
    ]
    #expect(
      frame.lines == [
        "zswap_lru_del at mm/zswap.c:700 (inlined)", "shrink_memcg_cb at mm/zswap.c:1300",
      ])
  }
}
