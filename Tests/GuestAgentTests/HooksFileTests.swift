import GuestWire
import Testing

@testable import GuestAgent

@Suite struct HooksFileTests {
  @Test func `points tell what is reached, how, and how often`() throws {
    let text = """
      writeback@unlocked sleep patch 12 patch,ftrace compiled-in
      swapoff@unused sleep absent 0 - -

      """
    #expect(
      try HooksFile.points(text) == [
        PointStatus(
          point: .writebackUnlocked, provider: .patch, hits: 12, available: [.patch, .ftrace]),
        PointStatus(
          point: try #require(HookPoint(rawValue: "swapoff@unused")), provider: nil, hits: 0,
          available: []),
      ])
  }

  @Test func `events keep their order, their slots and their results`() throws {
    let text = """
      dropped 3
      0 1000 1 144 writeback writeback@unlocked hold 0:1 28 0
      1 2000 0 145 swap_off swapoff@begin hit - - 0
      2 3000 1 144 writeback writeback@done hit 0:1 28 -12

      """
    let record = try HooksFile.events(text)
    #expect(record.dropped == 3)
    #expect(record.events.map(\.sequence) == [0, 1, 2])
    #expect(record.events.map(\.slot) == [Slot(type: 0, offset: 1), nil, Slot(type: 0, offset: 1)])
    #expect(record.events.map(\.memcg) == [28, nil, 28])
    #expect(record.events.last?.result == -12)
  }

  @Test(arguments: ["armed", "held", "reached", "timeout", "released", "missed"])
  func `every state of a constraint has a name on both sides`(name: String) throws {
    let line = "writeback@unlocked > swapoff@trees-freed \(name) pid=1 slot=0:1\n"
    #expect(try HooksFile.holdState(line).rawValue == name)
  }

  @Test func `a line that is not understood is an error, not nothing`() {
    #expect(throws: HooksFile.FormatError.self) { try HooksFile.points("writeback@unlocked\n") }
    #expect(throws: HooksFile.FormatError.self) { try HooksFile.events("0 1000 1\n") }
    #expect(throws: HooksFile.FormatError.self) { try HooksFile.holdState("") }
  }

  @Test func `the LRU's items are summed apart from the node's drifting count`() {
    let text = """
      memcg=28 nid=0 items=2
      0:1 referenced=1 length=99
      0:2 referenced=0 length=99
      memcg=30 nid=0 items=5
      node nid=0 nr_items=-4

      """
    let listing = LRUListing(text)
    #expect(listing.items == 7)
    #expect(listing.itemsOfMemcg == [28: 2, 30: 5])
    #expect(listing.nodeItems == -4)
  }
}
