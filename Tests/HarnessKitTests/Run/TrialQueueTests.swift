import GuestWire
import Testing

@testable import HarnessKit

@Suite struct TrialQueueTests {
  private static func specs(_ patch: Int, _ ftrace: Int = 0) -> [TrialSpec] {
    (0..<patch + ftrace).map { index in
      TrialSpec(
        index: index, scenario: "test", work: .stress(seconds: 1),
        provider: index < patch ? .patch : .ftrace, pages: 1, seed: 0,
        holdTimeoutMilliseconds: 1)
    }
  }

  private static func blocks(_ specs: [TrialSpec], jobs: Int, cheap: Bool) -> [[Int]] {
    var queue = TrialQueue(specs, jobs: jobs, isStartCheap: cheap)
    var blocks: [[Int]] = []
    while let block = queue.next() { blocks.append(block.map(\.index)) }
    return blocks
  }

  @Test(arguments: [1, 2, 5], [true, false])
  func `each trial is handed out once, in order, few of them to a guest`(jobs: Int, cheap: Bool) {
    let blocks = Self.blocks(Self.specs(1200, 301), jobs: jobs, cheap: cheap)
    #expect(blocks.flatMap { $0 } == Array(0..<1501))
    #expect(blocks.allSatisfy { !$0.isEmpty && $0.count <= TrialQueue.freshGuestAfter })
  }

  @Test func `a single guest takes all that it may`() {
    #expect(Self.blocks(Self.specs(3, 3), jobs: 1, cheap: true) == [[0, 1, 2, 3, 4, 5]])
  }

  @Test(arguments: [true, false])
  func `no block of several guests needs two providers`(cheap: Bool) {
    let specs = Self.specs(7, 6)
    for block in Self.blocks(specs, jobs: 3, cheap: cheap) {
      #expect(Set(block.map { specs[$0].provider }).count == 1)
    }
  }

  @Test func `blocks become shorter where a guest is cheap, and are few where it is not`() {
    #expect(
      Self.blocks(Self.specs(8), jobs: 2, cheap: true) == [[0, 1], [2, 3], [4], [5], [6], [7]])
    #expect(Self.blocks(Self.specs(8), jobs: 2, cheap: false) == [[0, 1, 2, 3], [4, 5, 6, 7]])
  }

  @Test func `what a guest did not come to goes to the next one`() {
    var queue = TrialQueue(Self.specs(4), jobs: 1, isStartCheap: true)
    let block = queue.next() ?? []
    queue.putBack(block.filter { $0.index > 1 })
    #expect(queue.next()?.map(\.index) == [2, 3])
    #expect(queue.next() == nil)
  }
}
