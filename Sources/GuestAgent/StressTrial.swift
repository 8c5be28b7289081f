import Glibc
import GuestWire
import SystemPackage

/// Lets writeback and swapoff run freely beside each other: every way of
/// provoking writeback at once, swap going off and on, and pages rewritten and
/// verified all the while.
struct StressTrial {
  let seconds: Int

  static func kind(
    _ swaps: SwapAreas, pages: Int
  ) throws(ScheduleTrial.Unsupported) -> TrialGuest.Kind {
    guard KernelTrait.has(.memcgLRU) else {
      throw ScheduleTrial.Unsupported(
        "absent on this kernel: an LRU of zswap's own, which the stress walks")
    }
    return TrialGuest.Kind(swap: swaps.large, pages: pages, filler: 0, memory: .anon)
  }

  func run(_ guest: TrialGuest, spec: TrialSpec) throws -> TrialReport {
    var report = TrialReport(index: spec.index)
    guest.isUsedUp = true
    try guest.pushOut()
    let bytes = guest.kind.pages * PageStamp.size
    let group = guest.group
    let swapfile = guest.swapfile
    let before = try Zswap.counter("written_back_pages")

    // A quarter of what the pages take compressed: stores beyond it write back.
    try group.set("memory.zswap.max", "\(bytes / 32)")
    let shrinker = (try? Zswap.set("shrinker_enabled", "Y")) != nil
    defer { if shrinker { try? Zswap.set("shrinker_enabled", "N") } }

    let race = try FreeRace(group, bytes: bytes, swapfile: swapfile)
    let tally = race.tally
    let actors =
      race.actors + [
        try ActorProcess("writeback") {
          while !tally.stopped {
            let isolated = HooksModule.walk(group, count: 32)
            if isolated < 0 { return -isolated }
            tally.walks += 1
          }
          return 0
        }
      ]
    try guest.holder.startChurning()
    for actor in actors { try actor.start() }
    let end = MonotonicClock.milliseconds + UInt64(seconds) * 1000
    var lastNote: UInt64 = 0
    while MonotonicClock.milliseconds < end, actors.allSatisfy({ $0.poll() == nil }) {
      MonotonicClock.sleep(milliseconds: 50)
      if MonotonicClock.milliseconds - lastNote >= 1000 {
        lastNote = MonotonicClock.milliseconds
        guest.note("stress: \(tally.swapoffs) swapoffs, \(tally.walks) walks")
      }
    }
    tally.stop()
    let stalled = guest.wait(for: actors)
    report.actors = actors.map { $0.report() }
    report.counts = tally.counts
    report.counts["walks"] = tally.walks
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
