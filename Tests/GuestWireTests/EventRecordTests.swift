import GuestWire
import Testing

@Suite struct EventRecordTests {
  private let text = """
    dropped 3
    0 1000 1 144 writeback writeback@unlocked hold 0:1 28 0
    1 2000 0 145 swap_off swapoff@begin hit - - 0
    2 3000 1 144 writeback writeback@done hit 0:1 28 -12

    """

  @Test func `events keep their order, their slots and their results`() throws {
    let record = try EventRecord(parsing: text)
    #expect(record.dropped == 3)
    #expect(record.events.map(\.sequence) == [0, 1, 2])
    #expect(record.events.map(\.slot) == [Slot(type: 0, offset: 1), nil, Slot(type: 0, offset: 1)])
    #expect(record.events.map(\.memcg) == [28, nil, 28])
    #expect(record.events.last?.result == -12)
  }

  @Test func `the second writeback is told from the first by its process alone`() throws {
    let record = try EventRecord(parsing: text, shrinker: 144)
    #expect(
      record.events.map(\.point.rawValue) == [
        "shrinker@unlocked", "swapoff@begin", "shrinker@done",
      ])
    #expect(
      try EventRecord(parsing: text, shrinker: 145).events.map(\.point.actor) == [
        "writeback", "swapoff", "writeback",
      ])
  }

  @Test(arguments: ["0 1000 1", "0 1 1 1 x nowhere@all hit - - 0", "dropped x"])
  func `a line that is not understood is an error, not nothing`(line: String) {
    #expect(throws: EventRecord.FormatError(line: line)) { try EventRecord(parsing: line) }
  }

  @Test func `what a message has no room for counts as dropped`() throws {
    #expect(EventRecord.cut(text, toBytes: 1000) == text)
    let cut = try EventRecord(parsing: EventRecord.cut(text, toBytes: 100))
    #expect(cut.events.map(\.sequence) == [0])
    #expect(cut.dropped == 5)
  }
}
