import Testing

@testable import GuestAgent

@Suite struct BlockedDetectorTests {
  private func probe(
    state: Character = "D", switches: Int = 10, wchan: String = "folio_wait_bit_common"
  ) -> ProcessProbe? {
    ProcessProbe(
      stat: "12 (a) b) \(state) 1 0 0 0 -1 0 0 0 0 0 3 4 0 0",
      status: "Name:\tx\nvoluntary_ctxt_switches:\t\(switches)\nnonvoluntary_ctxt_switches:\t1\n",
      wchan: wchan)
  }

  private func samplesUntilBlocked(
    _ probes: [ProcessProbe?], diskIsBusy: Bool = false
  ) -> Int? {
    var detector = BlockedDetector()
    return probes.firstIndex { detector.observe($0, diskIsBusy: diskIsBusy) }.map { $0 + 1 }
  }

  @Test func `a process is read whatever its name is`() {
    let probe = probe()
    #expect(probe?.state == "D")
    #expect(probe?.ticks == 7)
    #expect(probe?.switches == 11)
  }

  @Test func `a compiler's suffix does not make another function of where it sleeps`() {
    #expect(probe(wchan: "folio_wait_bit_common.llvm.991\n")?.wchan == "folio_wait_bit_common")
    #expect(probe(wchan: "0")?.wchan == "0")
    #expect(probe(wchan: "")?.wchan == "0")
  }

  @Test func `one sleep, sample after sample, is a wait`() {
    let unknown = Array(repeating: probe(wchan: "wait_for_completion"), count: 200)
    #expect(samplesUntilBlocked(unknown) == BlockedDetector.samplesNeeded)
    // Nothing but its holder ends the wait for a lock.
    let lock = Array(repeating: probe(), count: 200)
    #expect(samplesUntilBlocked(lock) == BlockedDetector.samplesNeededForLock)
  }

  @Test func `a process that wakes now and then does not wait for another`() {
    #expect(samplesUntilBlocked((0..<250).map { probe(switches: $0 / 4) }) == nil)
  }

  @Test func `a process that wakes and sleeps at the same place for seconds waits`() {
    let poll = (0..<3000).map { index in
      index % 3 == 2
        ? probe(state: "R", switches: index, wchan: "0")
        : probe(switches: index, wchan: "__read_swap_cache_async")
    }
    #expect(samplesUntilBlocked(poll) == 449)
    // Elsewhere in between, it makes its way.
    let way = (0..<3000).map { index in
      probe(switches: index, wchan: index % 200 == 0 ? "shrink_slab" : "__read_swap_cache_async")
    }
    #expect(samplesUntilBlocked(way) == nil)
  }

  @Test(arguments: ["R", "S"] as [Character])
  func `a process that runs, or sleeps interruptibly, does not wait`(state: Character) {
    #expect(samplesUntilBlocked(Array(repeating: probe(state: state), count: 300)) == nil)
  }

  @Test(arguments: ["__wait_rcu_gp", "io_schedule", "synchronize_rcu_normal", "0"])
  func `a wait that ends by itself is not one for the held task`(wchan: String) {
    #expect(samplesUntilBlocked(Array(repeating: probe(wchan: wchan), count: 300)) == nil)
  }

  @Test func `nothing is known to be blocked while the disk works`() {
    #expect(samplesUntilBlocked(Array(repeating: probe(), count: 300), diskIsBusy: true) == nil)
  }

  @Test func `a process that has ended does not wait`() {
    #expect(samplesUntilBlocked(Array(repeating: nil, count: 300)) == nil)
  }
}
