import CLinux
import Glibc
import GuestWire
import SystemPackage

/// A process that acts on the kernel from outside of the trial's memcg: walks
/// the LRU, swaps off, changes the pool.
///
/// It lives as long as its guest, since forking is what takes time, and is told
/// with each command what it acts as.
final class Hand {
  private enum Kind: Int64 {
    case walk = 1
    case reclaim, pageOut, swapOff, setPool, offlineMemcg, offlineCPU, overflow
  }

  let child: ChildProcess

  init(_ name: String, swaps: [Swapfile], pool: [Zswap.PoolChange]) throws(SystemError) {
    child = try ChildProcess(name) { station in
      while let command = station.receive() {
        if command.actor < 0 { try? KernelFile.write(name, to: "/proc/self/comm") }
        station.reply(
          ActorName.act(command.actor) { Hand.run(command, swaps: swaps, pool: pool) })
      }
      _exit(0)
    }
  }

  /// - Returns: as a system call: negative for an errno.
  private static func run(
    _ command: ChildProcess.Command, swaps: [Swapfile], pool: [Zswap.PoolChange]
  ) -> Int32 {
    let group = ControlGroup.numbered(command.first)
    switch Kind(rawValue: command.kind) {
    case .walk: return HooksModule.walk(group, count: Int(command.second))
    case .reclaim:
      group.reclaim(bytes: Int(command.second))
      return 0
    case .pageOut:
      return clinux_page_out(pid_t(command.first), UInt(command.second), Int(command.third))
    case .swapOff: return -swaps[Int(command.first)].swapOff()
    case .setPool:
      do throws(SystemError) { try pool[Int(command.first)].apply() } catch {
        return -error.errno.rawValue
      }
      return 0
    case .offlineMemcg: return -offline(group, inode: UInt64(command.second))
    case .offlineCPU:
      do throws(SystemError) {
        try SecondCPU.setOnline(false)
      } catch { return -error.errno.rawValue }
      return 0
    case .overflow: return -overflow()
    case nil: return -EINVAL
    }
  }

  /// Pages one page of its own out, and gives it up.
  private static func overflow() -> Int32 {
    // The page waits in the batch of the CPU that it is touched on: elsewhere it would
    // not be paged out, and the pool's limit not met.
    clinux_run_on_cpu(0)
    defer { clinux_run_on_any_cpu() }
    let memory = mmap(
      nil, PageStamp.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { return errno }
    defer { munmap(memory, PageStamp.size) }
    PageStamp(seed: 0, page: 0, generation: 1).write(to: memory)
    return madvise(memory, PageStamp.size, PageHolder.madvPageOut) == 0 ? 0 : errno
  }

  /// Removes the cgroup, and returns when its lists have gone to its parent:
  /// the memcg goes offline in a work item of its own.
  private static func offline(_ group: ControlGroup, inode: UInt64) -> Int32 {
    do throws(SystemError) {
      try group.remove()
      for _ in 0..<5000 {
        if try HooksModule.lru()?.itemsOfMemcg[inode] == nil { return 0 }
        MonotonicClock.sleep(milliseconds: 2)
      }
      return ETIMEDOUT
    } catch {
      return error.errno.rawValue
    }
  }

  // MARK: Commands

  static func walk(_ group: ControlGroup, _ count: Int, as actor: String) -> ChildProcess.Command {
    .init(
      kind: Kind.walk.rawValue, first: group.number, second: Int64(count),
      actor: ActorName.index(actor))
  }

  static func reclaim(
    _ group: ControlGroup, bytes: Int, as actor: String
  ) -> ChildProcess.Command {
    .init(
      kind: Kind.reclaim.rawValue, first: group.number, second: Int64(bytes),
      actor: ActorName.index(actor))
  }

  /// MADV_PAGEOUT on the stamped pages, from outside of their owner.
  static func pageOut(of holder: PageHolder, as actor: String) -> ChildProcess.Command {
    .init(
      kind: Kind.pageOut.rawValue, first: Int64(holder.pid), second: Int64(holder.address),
      third: Int64(holder.pages * PageStamp.size), actor: ActorName.index(actor))
  }

  static func swapOff(_ index: Int, as actor: String? = nil) -> ChildProcess.Command {
    .init(
      kind: Kind.swapOff.rawValue, first: Int64(index),
      actor: actor.map(ActorName.index) ?? -1)
  }

  static func setPool(_ index: Int, as actor: String) -> ChildProcess.Command {
    .init(kind: Kind.setPool.rawValue, first: Int64(index), actor: ActorName.index(actor))
  }

  static func offlineMemcg(
    _ group: ControlGroup, inode: UInt64, as actor: String
  ) -> ChildProcess.Command {
    .init(
      kind: Kind.offlineMemcg.rawValue, first: group.number, second: Int64(inode),
      actor: ActorName.index(actor))
  }

  /// A store that finds the pool full.
  static func overflow(as actor: String) -> ChildProcess.Command {
    .init(kind: Kind.overflow.rawValue, actor: ActorName.index(actor))
  }

  static func offlineCPU(as actor: String) -> ChildProcess.Command {
    .init(kind: Kind.offlineCPU.rawValue, actor: ActorName.index(actor))
  }
}

/// The guest's second CPU.
enum SecondCPU {
  static let number = Int32(HookEvent.hotplugCPU)
  private static let file = "/sys/devices/system/cpu/cpu\(number)/online"

  static let whyFixed = "CPU \(number) cannot go offline: CONFIG_HOTPLUG_CPU=y, and two CPUs"

  static var canChange: Bool { KernelFile.exists(file) }

  static func setOnline(_ online: Bool) throws(SystemError) {
    guard try KernelFile.read(file).trimmed != (online ? "1" : "0") else { return }
    try KernelFile.write(online ? "1" : "0", to: file)
  }
}
