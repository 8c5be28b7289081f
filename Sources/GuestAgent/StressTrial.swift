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
    let tally = try Tally()

    // A quarter of what the pages take compressed: stores beyond it write back.
    try group.set("memory.zswap.max", "\(bytes / 32)")
    let shrinker = (try? Zswap.set("shrinker_enabled", "Y")) != nil
    defer { if shrinker { try? Zswap.set("shrinker_enabled", "N") } }

    let actors = [
      try ActorProcess("reclaim") {
        while !tally.stopped { group.reclaim(bytes: bytes / 2) }
        return 0
      },
      try ActorProcess("writeback") {
        while !tally.stopped {
          let isolated = HooksModule.walk(group, count: 32)
          if isolated < 0 { return -isolated }
          tally.walks += 1
        }
        return 0
      },
      try ActorProcess("swapoff") {
        while !tally.stopped {
          let failure = swapfile.swapOff()
          // ENOMEM: not enough memory to take it all back just now.
          if failure != 0, failure != ENOMEM { return failure }
          if failure == 0 {
            tally.swapoffs += 1
            do throws(SystemError) { try swapfile.swapOn() } catch { return error.errno.rawValue }
          } else {
            tally.refused += 1
          }
          MonotonicClock.sleep(milliseconds: 2)
        }
        return 0
      },
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
    report.counts = [
      "swapoffs": tally.swapoffs, "swapoffs refused": tally.refused, "walks": tally.walks,
      "writebacks": UInt64(max(0, try Zswap.counter("written_back_pages") - before)),
      "rounds": guest.holder.rounds,
    ]
    guest.clock.lap("stress")
    guest.conclude(&report, isStalled: stalled != nil, tolerance: .lostIncrements) {
      try guest.holder.stopChurning()
      return try guest.holder.verifyAfterChurning()
    }
    return report
  }
}

/// Counters that the stress trial's processes share; each has one writer.
private final class Tally {
  private struct Counters {
    var stop: UInt64 = 0
    var swapoffs: UInt64 = 0
    var refused: UInt64 = 0
    var walks: UInt64 = 0
  }

  private let counters: UnsafeMutablePointer<Counters>

  init() throws(SystemError) {
    let memory = mmap(
      nil, PageStamp.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { throw .last("map", "counters") }
    counters = memory.bindMemory(to: Counters.self, capacity: 1)
    counters.initialize(to: Counters())
  }

  deinit { munmap(counters, PageStamp.size) }

  var stopped: Bool { @inline(never) get { counters.pointee.stop != 0 } }
  @inline(never) func stop() { counters.pointee.stop = 1 }

  var swapoffs: UInt64 {
    @inline(never) get { counters.pointee.swapoffs }
    @inline(never) set { counters.pointee.swapoffs = newValue }
  }
  var refused: UInt64 {
    @inline(never) get { counters.pointee.refused }
    @inline(never) set { counters.pointee.refused = newValue }
  }
  var walks: UInt64 {
    @inline(never) get { counters.pointee.walks }
    @inline(never) set { counters.pointee.walks = newValue }
  }
}
