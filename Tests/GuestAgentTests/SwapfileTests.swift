import Testing

@testable import GuestAgent

@Suite struct SwapfileTests {
  @Test func `the header is the one that swapon looks for`() {
    let header = Swapfile.header(pages: 4096)
    #expect(header.count == 4096)
    #expect(header.suffix(10) == Array("SWAPSPACE2".utf8)[...])
    #expect(header[1024..<1028] == [1, 0, 0, 0])
    // last_page is an index, not a count.
    #expect(header[1028..<1032] == [0xFF, 0x0F, 0, 0])
  }
}
