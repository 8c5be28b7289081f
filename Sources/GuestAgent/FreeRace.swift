import CLinux
import Glibc
import GuestWire
import SystemPackage

/// Processes that each do one thing as fast as it goes, until they are stopped.
struct FreeRace {
  enum Racer {
    /// memory.reclaim on the memcg.
    case reclaim
    /// The module's walk of its LRU.
    case writeback
    /// Swap off, and on again.
    case swapoff
    /// Pages of its own written and paged out, from the second CPU as long as that is
    /// there.
    case pageOut
    /// The second CPU off, and on again.
    case cpu
  }

  let actors: [ActorProcess]
  let tally: Tally
  private let racers: [Racer]

  /// - Parameters:
  ///   - bytes: of the memcg's pages.
  ///   - swapMilliseconds: how long swap stays on.
  init(
    _ racers: [Racer], _ group: ControlGroup, bytes: Int, swapfile: Swapfile,
    swapMilliseconds: Int = 2
  ) throws {
    let tally = try Tally()
    self.tally = tally
    self.racers = racers
    actors = try racers.map { racer in
      switch racer {
      case .reclaim:
        try ActorProcess("reclaim") {
          while !tally.stopped { group.reclaim(bytes: bytes / 2) }
          return 0
        }
      case .writeback:
        try ActorProcess("writeback") {
          while !tally.stopped {
            let isolated = HooksModule.walk(group, count: 32)
            if isolated < 0 { return -isolated }
            tally.walks += 1
          }
          return 0
        }
      case .swapoff:
        try ActorProcess("swapoff") {
          Self.swapOffAndOn(swapfile, tally, stayingOn: swapMilliseconds)
        }
      case .pageOut: try ActorProcess("page-out") { Self.pageOut(group, tally) }
      case .cpu: try ActorProcess("cpu") { Self.takeCPUAway(tally) }
      }
    }
  }

  func start() throws(SystemError) { for actor in actors { try actor.start() } }

  /// None of them has ended.
  var isRunning: Bool { actors.allSatisfy { $0.poll() == nil } }

  /// What became of them; of a swapon that failed, which is not swapoff's doing, as well.
  var reports: [ActorReport] {
    var reports = actors.map { $0.report() }
    if tally.swaponErrno != 0, let swapoff = reports.first(where: { $0.name == "swapoff" }) {
      reports.append(
        ActorReport(
          name: "swapon", pid: swapoff.pid, end: .returned(errno: Int32(tally.swaponErrno))))
    }
    return reports
  }

  /// What they have done.
  var counts: [String: UInt64] {
    var counts: [String: UInt64] = [:]
    for racer in racers {
      switch racer {
      case .reclaim, .pageOut: break
      case .writeback: counts["walks"] = tally.walks
      case .swapoff:
        counts["swapoffs"] = tally.swapoffs
        counts["swapoffs refused"] = tally.refused
      case .cpu: counts["CPUs taken away"] = tally.offlines
      }
    }
    return counts
  }

  private static func swapOffAndOn(
    _ swapfile: Swapfile, _ tally: Tally, stayingOn milliseconds: Int
  ) -> Int32 {
    while !tally.stopped {
      let failure = swapfile.swapOff()
      // ENOMEM: not enough memory to take it all back just now.
      if failure != 0, failure != ENOMEM { return failure }
      if failure == 0 {
        tally.swapoffs += 1
        do throws(SystemError) {
          try swapfile.swapOn()
        } catch {
          tally.swaponErrno = UInt64(error.errno.rawValue)
          return 0
        }
      } else {
        tally.refused += 1
      }
      MonotonicClock.sleep(milliseconds: milliseconds)
    }
    return 0
  }

  private static func pageOut(_ group: ControlGroup, _ tally: Tally) -> Int32 {
    let pages = 64
    let memory = mmap(
      nil, pages * PageStamp.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { return errno }
    do throws(SystemError) { try group.add(getpid()) } catch { return error.errno.rawValue }
    var generation: UInt64 = 0
    while !tally.stopped {
      // Taken away, it puts its tasks where it likes.
      clinux_run_on_cpu(SecondCPU.number)
      generation += 1
      for page in 0..<pages {
        PageStamp(seed: 0, page: UInt64(page), generation: generation)
          .write(to: memory + page * PageStamp.size)
      }
      madvise(memory, pages * PageStamp.size, PageHolder.madvPageOut)
    }
    return 0
  }

  /// It ends with the CPU back.
  private static func takeCPUAway(_ tally: Tally) -> Int32 {
    do throws(SystemError) {
      while !tally.stopped {
        try SecondCPU.setOnline(false)
        tally.offlines += 1
        try SecondCPU.setOnline(true)
        // Long enough for others to come back to it.
        MonotonicClock.sleep(milliseconds: 10)
      }
      return 0
    } catch {
      return error.errno.rawValue
    }
  }
}

/// Counters that the racing processes share; each has one writer.
final class Tally {
  private struct Counters {
    var stop: UInt64 = 0
    var swapoffs: UInt64 = 0
    var refused: UInt64 = 0
    var walks: UInt64 = 0
    var offlines: UInt64 = 0
    var swaponErrno: UInt64 = 0
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

  var offlines: UInt64 {
    @inline(never) get { counters.pointee.offlines }
    @inline(never) set { counters.pointee.offlines = newValue }
  }
  var swaponErrno: UInt64 {
    @inline(never) get { counters.pointee.swaponErrno }
    @inline(never) set { counters.pointee.swaponErrno = newValue }
  }
}
