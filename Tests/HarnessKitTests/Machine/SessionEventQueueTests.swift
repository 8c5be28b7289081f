import GuestWire
import Testing

@testable import HarnessKit

@Suite struct SessionEventQueueTests {
  @Test func `a flood of console lines is dropped and counted, and hides no message`() async {
    let queue = SessionEventQueue()
    for number in 0..<SessionEventQueue.lineBound + 5 { queue.put(.consoleLine("\(number)")) }
    queue.put(.message(.finished))
    queue.put(.exited(.exited(0)))
    queue.finish()
    var lines = 0
    var rest: [String] = []
    for await event in SessionEvents(queue: queue) {
      if case .consoleLine = event { lines += 1 } else { rest.append("\(event)") }
    }
    #expect(lines == SessionEventQueue.lineBound)
    #expect(
      rest == [
        "message(GuestWire.GuestMessage.finished)", "consoleLinesDropped(5)",
        "exited(exited with 0)",
      ])
  }

  @Test func `a flood of messages breaks the channel once`() async {
    let queue = SessionEventQueue()
    for _ in 0..<SessionEventQueue.messageBound + 5 { queue.put(.message(.finished)) }
    queue.finish()
    var broken = 0
    for await event in SessionEvents(queue: queue) {
      if case .channelBroken(.flooded) = event { broken += 1 }
    }
    #expect(broken == 1)
  }
}
