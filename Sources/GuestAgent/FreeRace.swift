import Glibc
import GuestWire
import SystemPackage

/// Reclaim of a memcg, and swap going off and on, each as fast as it goes.
struct FreeRace {
  let actors: [ActorProcess]
  let tally: Tally

  /// - Parameter bytes: of the memcg's pages.
  init(_ group: ControlGroup, bytes: Int, swapfile: Swapfile) throws {
    let tally = try Tally()
    self.tally = tally
    actors = [
      try ActorProcess("reclaim") {
        while !tally.stopped { group.reclaim(bytes: bytes / 2) }
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
  }

  func start() throws(SystemError) { for actor in actors { try actor.start() } }

  /// None of them has ended.
  var isRunning: Bool { actors.allSatisfy { $0.poll() == nil } }
}

/// Counters that the racing processes share; each has one writer.
final class Tally {
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

  var counts: [String: UInt64] { ["swapoffs": swapoffs, "swapoffs refused": refused] }
}
