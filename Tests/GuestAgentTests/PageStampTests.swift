import Testing

@testable import GuestAgent

@Suite struct PageStampTests {
  private let stamp = PageStamp(seed: 7, page: 3, generation: 5)

  private func withPage<Result>(_ body: (UnsafeMutableRawPointer) -> Result) -> Result {
    let page = UnsafeMutableRawPointer.allocate(byteCount: PageStamp.size, alignment: 8)
    page.initializeMemory(as: UInt8.self, repeating: 0, count: PageStamp.size)
    defer { page.deallocate() }
    return body(page)
  }

  @Test func `a page that was written reads back intact`() {
    withPage {
      stamp.write(to: $0)
      #expect(stamp.read(from: $0) == .intact)
    }
  }

  @Test func `an older generation of the same page is stale, not corrupt`() {
    withPage {
      PageStamp(seed: 7, page: 3, generation: 4).write(to: $0)
      #expect(stamp.read(from: $0) == .stale(generation: 4))
    }
  }

  @Test func `another page of the run is foreign`() {
    withPage {
      PageStamp(seed: 7, page: 9, generation: 5).write(to: $0)
      #expect(stamp.read(from: $0) == .foreign(page: 9, generation: 5))
    }
  }

  @Test func `a page of another run is corrupt, whatever its header says`() {
    withPage {
      PageStamp(seed: 8, page: 3, generation: 5).write(to: $0)
      guard case .corrupt = stamp.read(from: $0) else {
        Issue.record("read as \(stamp.read(from: $0))")
        return
      }
    }
  }

  @Test func `a page of zeros is lost`() {
    withPage { #expect(stamp.read(from: $0) == .lost) }
  }

  @Test func `a change of any one word is noticed`() {
    withPage { page in
      for word in 0..<PageStamp.size / 8 {
        stamp.write(to: page)
        page.storeBytes(of: 0xDEAD, toByteOffset: word * 8, as: UInt64.self)
        #expect(stamp.read(from: page) == .corrupt(word: word))
      }
    }
  }

  @Test func `half of one page and half of another is corrupt`() {
    withPage { page in
      PageStamp(seed: 7, page: 9, generation: 5).write(to: page)
      let other = UnsafeMutableRawPointer.allocate(byteCount: PageStamp.size, alignment: 8)
      defer { other.deallocate() }
      stamp.write(to: other)
      (page + PageStamp.size / 2).copyMemory(
        from: other + PageStamp.size / 2, byteCount: PageStamp.size / 2)
      #expect(stamp.read(from: page) == .corrupt(word: 1))
    }
  }

  @Test(arguments: [(PageStamp.incompressible, 512), (PageStamp.barelyCompressible, 495)])
  func `a page that is hard to compress is told from others like any`(
    kind: UInt64, distinctWords: Int
  ) {
    let generation = 5 | kind
    let page = PageStamp(seed: 7, page: 3, generation: generation)
    withPage { memory in
      page.write(to: memory)
      #expect(page.read(from: memory) == .intact)
      #expect(stamp.read(from: memory) == .stale(generation: generation))
      let words = memory.bindMemory(to: UInt64.self, capacity: PageStamp.size / 8)
      let distinct = Set((0..<PageStamp.size / 8).map { words[$0] })
      #expect(distinct.count == distinctWords)
    }
  }
}
