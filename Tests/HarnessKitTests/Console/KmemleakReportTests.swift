import Testing

@testable import HarnessKit

/// What kmemleak lists, in the forms of 6.1 and 6.12.
@Suite struct KmemleakReportTests {
  private static let listing = """
    unreferenced object 0xffff888003d2a540 (size 64):
      comm "page-holder", pid 97, jiffies 4294903322
      hex dump (first 32 bytes):
        00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00  ................
        40 a5 d2 03 80 88 ff ff 40 a5 d2 03 80 88 ff ff  @.......@.......
      backtrace (crc 2d3a1f0b):
        [<ffffffff813b0c26>] kmem_cache_alloc_noprof+0x1e6/0x270
        [<ffffffff813c1a2b>] zswap_store+0x2ab/0x9c0
        [<ffffffff8137e4d0>] swap_writepage+0x90/0x2f0
    unreferenced object 0xffff888003d2a580 (size 64):
      comm "page-holder", pid 97, jiffies 4294903329
      backtrace:
        kmem_cache_alloc_noprof+0x1e6/0x270
        zswap_store+0x2ab/0x9c0
        swap_writepage+0x90/0x2f0
    unreferenced object 0xffff888004000000 (size 128):
      comm "guest-agent", pid 60, jiffies 4294900000
      backtrace (crc 0):
        __kmalloc_noprof+0x10/0x20
        zh_schedule_write+0x33/0x90 [zswap_hooks]

    """

  @Test func `an object is named by who made it, and one place has one fingerprint`() {
    let splats = KmemleakReport.splats(in: Self.listing)
    #expect(
      splats.map(\.title) == [
        "kmemleak: unreferenced object in zswap_store",
        "kmemleak: unreferenced object in zswap_store",
        "kmemleak: unreferenced object in zh_schedule_write [zswap_hooks]",
      ])
    #expect(splats[0].fingerprint == splats[1].fingerprint)
    #expect(splats[0].task == "page-holder")
    #expect(splats[0].pid == 97)
    #expect(splats[0].excerpt.contains("hex dump"))
  }

  @Test func `a leak is a finding of the kernel's, and one of the module's is ours`() {
    let judged = Judge.stray(KmemleakReport.splats(in: Self.listing))
    #expect(judged.findings.map(\.title) == ["kmemleak: unreferenced object in zswap_store"])
    #expect(judged.failures.map(\.kind) == [.harness])
  }

  @Test func `nothing listed is nothing found`() {
    #expect(KmemleakReport.splats(in: "").isEmpty)
    #expect(KmemleakReport.splats(in: "  backtrace:\n").isEmpty)
  }
}
