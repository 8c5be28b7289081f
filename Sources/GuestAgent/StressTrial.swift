import Glibc
import GuestWire
import SystemPackage

/// Lets things run freely beside each other, with pages rewritten and verified all the
/// while.
struct StressTrial {
  let stress: Stress
  let seconds: Int

  private var racers: [FreeRace.Racer] {
    switch stress {
    case .swapoff: [.reclaim, .swapoff, .writeback]
    // Several: one of them is to be in the middle of a compression, and to find the
    // other CPU busy when it is moved there.
    case .cpu: [.pageOut, .pageOut, .pageOut, .reclaim, .cpu]
    }
  }

  static func kind(
    _ stress: Stress, _ swaps: SwapAreas, pages: Int
  ) throws(ScheduleTrial.Unsupported) -> TrialGuest.Kind {
    switch stress {
    case .swapoff:
      guard KernelTrait.has(.memcgLRU) else {
        throw ScheduleTrial.Unsupported(
          "absent on this kernel: an LRU of zswap's own, which the stress walks")
      }
    case .cpu:
      guard SecondCPU.canChange else { throw ScheduleTrial.Unsupported(SecondCPU.whyFixed) }
    }
    return TrialGuest.Kind(swap: swaps.large, pages: pages, filler: 0, memory: .anon)
  }

  func run(_ guest: TrialGuest, spec: TrialSpec) throws -> TrialReport {
    var report = TrialReport(index: spec.index)
    guest.isUsedUp = true
    try guest.pushOut()
    let bytes = guest.kind.pages * PageStamp.size
    let group = guest.group
    let before = try Zswap.counter("written_back_pages")

    if stress == .swapoff {
      // A quarter of what the pages take compressed: stores beyond it write back.
      try group.set("memory.zswap.max", "\(bytes / 32)")
    }
    let shrinker = stress == .swapoff && (try? Zswap.set("shrinker_enabled", "Y")) != nil
    defer { if shrinker { try? Zswap.set("shrinker_enabled", "N") } }

    let race = try FreeRace(racers, group, bytes: bytes, swapfile: guest.swapfile)
    try guest.holder.startChurning()
    try race.start()
    let end = MonotonicClock.milliseconds + UInt64(seconds) * 1000
    var lastNote: UInt64 = 0
    while MonotonicClock.milliseconds < end, race.isRunning {
      MonotonicClock.sleep(milliseconds: 50)
      if MonotonicClock.milliseconds - lastNote >= 1000 {
        lastNote = MonotonicClock.milliseconds
        let counts = race.counts.sorted { $0.key < $1.key }
        guest.note("stress: " + counts.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
      }
    }
    race.tally.stop()
    let stalled = race.actors.waitForAll(beat: guest.beat)
    report.actors = race.reports
    report.counts = race.counts
    report.counts["writebacks"] = UInt64(max(0, try Zswap.counter("written_back_pages") - before))
    report.counts["rounds"] = guest.holder.rounds
    guest.clock.lap("stress")
    guest.conclude(&report, isStalled: stalled != nil, tolerance: .lostIncrements) {
      try guest.holder.stopChurning()
      return try guest.holder.verifyAfterChurning()
    }
    return report
  }
}
