import GuestWire
import Testing

@testable import HarnessKit

/// Guests that end one way or another, and what a run makes of them.
@Suite struct TrialLedgerTests {
  private var ledger = TrialLedger(
    TrialQueue((0..<4).map { Trials.spec(nil, index: $0) }, jobs: 1, isStartCheap: true))

  /// A report whose dump has flags that no CPU can have.
  private static var broken: Splat {
    var splat = Trials.splat()
    splat.excerpt = "RSP: 0018:ffffc90000203e30 EFLAGS: 1fdc1782"
    return splat
  }

  private static func evidence(_ spec: TrialSpec) -> GuestRun.Evidence {
    GuestRun.Evidence(spec: spec, report: TrialReport(index: spec.index), splats: [], notices: [])
  }

  /// The next guest has so many of its trials, and then ends as is said.
  private mutating func guest(
    having count: Int, _ change: (inout GuestRun.Result) -> Void = { _ in }
  ) -> [Int]? {
    guard let specs = ledger.next() else { return nil }
    var result = GuestRun.Result()
    result.trials = specs.prefix(count).map(Self.evidence)
    change(&result)
    let index = ledger.addGuest(.booted, console: "console.log")
    ledger.settle(result, of: specs, guest: index)
    return specs.map(\.index)
  }

  /// Of all guests, in order.
  private var had: [Int] { ledger.results.flatMap { $0.trials.map(\.spec.index) } }

  @Test mutating func `a trial that emulation broke is had again, and counts once`() {
    #expect(guest(having: 2) { $0.spoiledTrials[1] = Self.broken } == [0, 1, 2, 3])
    #expect(guest(having: 3) == [1, 2, 3])
    #expect(guest(having: 0) == nil)
    #expect(had == [0, 1, 2, 3])
    #expect(ledger.guests.map(\.trials) == [1, 3])
    #expect(ledger.notes.count == 1)
    #expect(ledger.notes.first?.contains("trial 1 tried again") == true)
    #expect(ledger.notes.first?.contains("flags that no CPU can have") == true)
  }

  @Test mutating func `no guest is started after the host broke, and what was had stays`() {
    #expect(guest(having: 2) == [0, 1, 2, 3])
    ledger.stop(because: HarnessFailure(.harness, "the disk is full"))
    #expect(guest(having: 2) == nil)
    #expect(had == [0, 1])
    #expect(ledger.failures.map(\.message) == ["the disk is full"])
  }

  @Test mutating func `where the first trial is the one that broke, the run goes on`() {
    #expect(guest(having: 1) { $0.spoiledTrials[0] = Self.broken } == [0, 1, 2, 3])
    #expect(guest(having: 4) == [0, 1, 2, 3])
    #expect(had == [0, 1, 2, 3])
  }

  @Test mutating func `what breaks each time is the kernel's own after some tries`() {
    for _ in 0..<TrialLedger.retryLimit {
      #expect(guest(having: 1) { $0.spoiledTrials[0] = Self.broken } == [0, 1, 2, 3])
      #expect(had.isEmpty)
    }
    #expect(guest(having: 1) { $0.spoiledTrials[0] = Self.broken } == [0, 1, 2, 3])
    #expect(had == [0])
    #expect(ledger.notes.count == TrialLedger.retryLimit)
  }

  @Test mutating func `a boot that emulation broke leaves all trials to the next one`() {
    #expect(guest(having: 0) { $0.spoiledBoot = Self.broken } == [0, 1, 2, 3])
    #expect(ledger.results.isEmpty)
    #expect(guest(having: 4) == [0, 1, 2, 3])
    #expect(ledger.guests.count == 2)
    #expect(ledger.notes.first?.hasPrefix("booted again") == true)
  }

  @Test mutating func `a guest that fails, or has no trial at all, is the last`() {
    var other = self
    #expect(guest(having: 1) { $0.failure = HarnessFailure(.harness, "QEMU ended") } != nil)
    #expect(guest(having: 0) == nil)
    #expect(other.guest(having: 0) != nil)
    #expect(other.guest(having: 0) == nil)
  }

  @Test mutating func `a guest that could not be started from a saved one is no result`() {
    #expect(guest(having: 0) { $0.restoreFailure = "no such file" } == [0, 1, 2, 3])
    #expect(ledger.results.isEmpty)
    #expect(guest(having: 4) == [0, 1, 2, 3])
  }

  @Test mutating func `no trial follows one that is to be the last`() {
    ledger = TrialLedger(
      TrialQueue((0..<4).map { Trials.spec(nil, index: $0) }, jobs: 1, isStartCheap: true),
      isLast: { $0.spec.index == 1 })
    #expect(guest(having: 2) != nil)
    #expect(guest(having: 0) == nil)
  }
}
