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

  @Test func `an absent point tells why it is`() throws {
    let text = "load@erased sleep absent 0 - - a load leaves the entry in the tree\n"
    #expect(
      try HooksFile.points(text).map(\.whyAbsent) == ["a load leaves the entry in the tree"])
  }

  @Test(arguments: ["armed", "held", "reached", "timeout", "released", "missed"])
  func `every state of a constraint has a name on both sides`(name: String) throws {
    let line = "writeback@unlocked > swapoff@trees-freed \(name) pid=1 slot=0:1\n"
    let hold = try #require(try HooksFile.holds(line).first)
    #expect(hold.state.rawValue == name)
    #expect(hold.slot == Slot(type: 0, offset: 1))
  }

  @Test func `every constraint of a chain has its own state`() throws {
    let text = """
      invalidate@begin > writeback@pinned reached pid=1 slot=-
      writeback@pinned > swapoff@trees-freed held pid=2 slot=0:3

      """
    #expect(
      try HooksFile.holds(text) == [
        .init(state: .reached, slot: nil), .init(state: .held, slot: Slot(type: 0, offset: 3)),
      ])
  }

  @Test func `a line that is not understood is an error, not nothing`() {
    #expect(throws: HooksFile.FormatError.self) { try HooksFile.points("writeback@unlocked\n") }
    #expect(throws: HooksFile.FormatError.self) {
      try HooksFile.holds("writeback@unlocked > swapoff@begin soon pid=1 slot=-")
    }
  }

  @Test func `a walk's answer tells what it counted as isolated, and a cut one nothing`() {
    #expect(HooksFile.isolated("walked=17 isolated=3\n") == 3)
    #expect(HooksFile.isolated("walked=17 isol") == nil)
    #expect(HooksFile.isolated("") == nil)
  }

  @Test func `a counter is found by its whole name`() {
    let text = Array("zswpwb_fails 3\nzswpwb 17\nzswpout 4\n".utf8)
    #expect(KernelFile.value(of: "zswpwb", in: text) == 17)
    #expect(KernelFile.value(of: "zswpw", in: text) == nil)
    #expect(KernelFile.value(of: "zswpwb", in: Array("zswpwb \n".utf8)) == nil)
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
    let second = Slot(type: 0, offset: 2)
    #expect(listing.place(of: second, in: 28) == LRUPlace(position: 1, length: 2))
    #expect(listing.place(of: second, in: 30) == LRUPlace(position: nil, length: 5))
  }

  @Test func `a list whose count is wrong is seen by it, or by what stands there all the same`() {
    #expect(LRUListing("memcg=28 nid=0 items=-2\nnode nid=0 nr_items=-2\n").items == -2)
    #expect(LRUListing("memcg=28 nid=0 items=1\nmemcg=1 nid=0 items=-1\n").items == 2)
    let text = """
      memcg=28 nid=0 items=0
      0:1 referenced=1 length=99
      node nid=0 nr_items=0

      """
    #expect(LRUListing(text).items == 1)
  }
}
