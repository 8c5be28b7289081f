import CLinux
import Glibc
import GuestWire
import SystemPackage

/// A process in a memcg of its own, which has nothing to do with any trial.
///
/// A CPU's stock of pages charged ahead keeps its memcg from going, also where it
/// has none left: drain_all_stock() passes over a stock of 0 pages, and the
/// reference that it has is put when another memcg charges on that CPU. On a
/// quiet guest nobody does.
final class Bystander {
  private enum Kind: Int64 {
    case charge = 1
    case pageOut, giveUp, sendOut, takeBack
  }

  let child: ChildProcess

  init() throws(SystemError) {
    child = try ChildProcess("bystander") { station in
      var memory: UnsafeMutableRawPointer?
      var travellers: UnsafeMutableRawPointer?
      while let command = station.receive() {
        switch Kind(rawValue: command.kind) {
        case .charge: station.reply(Self.chargeEverywhere())
        case .pageOut: station.reply(Self.pageOut(&memory))
        case .giveUp:
          if let memory { munmap(memory, Self.bytes) }
          memory = nil
          station.reply(0)
        case .sendOut: station.reply(Self.sendOut(&travellers))
        case .takeBack: station.reply(Self.takeBack(&travellers))
        case nil: station.reply(EINVAL)
        }
      }
      _exit(0)
    }
    try ControlGroup.make(ControlGroup.bystanders).add(child.pid)
  }

  /// Charges a page to its memcg on every CPU.
  func charge(beat: () -> Void) throws(SystemError) { try order(.charge, beat) }

  private func order(_ kind: Kind, _ beat: () -> Void) throws(SystemError) {
    let errno = try child.order(.init(kind: kind.rawValue), beat: beat)
    guard errno == 0 else {
      throw SystemError(operation: "\(kind)", object: "bystander", errno: .init(rawValue: errno))
    }
  }

  /// What comes of a look that it takes at the kernel.
  struct Look {
    let measurement: RestMeasurement
    /// Not one of its pages came into zswap: what was measured of them says nothing.
    let isVacuous: Bool
  }

  /// How many more pages zswap has after an order that is to send some there.
  private func stored(by kind: Kind, _ beat: () -> Void) throws(SystemError) -> Int64 {
    let before = try Zswap.counter("stored_pages")
    try order(kind, beat)
    return try Zswap.counter("stored_pages") - before
  }

  /// Sends pages out and back through each pool that zswap can be given, from outside of
  /// every memcg: those are charged to nobody, and on the root's list, from which some are
  /// written back. A part of them does not compress, and another hardly: a zpool has other
  /// words for each.
  ///
  /// - Returns: how many came back other than they were, if there is another pool.
  func roundTrips(
    through pools: [[Zswap.PoolChange]], _ swapfile: Swapfile, beat: () -> Void
  ) throws(SystemError) -> Look? {
    guard !pools.isEmpty else { return nil }
    if try Swapfile.areasInUse() == 0 { try swapfile.swapOn() }
    try ControlGroup.addToRoot(child.pid)
    var wrong: Int64 = 0
    var isVacuous = false
    // Each ends with the value that there was before.
    for change in pools.flatMap({ [$0[1], $0[0]] }) {
      try change.apply()
      if try stored(by: .sendOut, beat) <= 0 { isVacuous = true }
      if KernelTrait.has(.memcgLRU) {
        // The first takes the entries' second chance.
        for _ in 0..<2 { _ = HooksModule.walk(.numbered(ControlGroup.everything), count: 4) }
      }
      let result = try child.order(.init(kind: Kind.takeBack.rawValue), beat: beat)
      guard result >= 0 else {
        throw SystemError(
          operation: "take pages back from \(change.value)", object: "bystander",
          errno: .init(rawValue: -result))
      }
      wrong += Int64(result)
    }
    try ControlGroup.numbered(ControlGroup.bystanders).add(child.pid)
    let measurement = RestMeasurement(
      name: RestFigure.otherPool, expected: 0, observed: wrong)
    return Look(measurement: measurement, isVacuous: isVacuous)
  }

  private static let pages = 16
  private static var bytes: Int { pages * PageStamp.size }

  /// Stores pages beyond memory.zswap.max in a memcg whose parent has forbidden
  /// writeback: mem_cgroup_zswap_writeback_enabled() asks every ancestor, and
  /// shrink_memcg() then writes nothing back. The pages stay where they are.
  ///
  /// - Returns: what was written back; nil where this kernel cannot forbid it. Else the
  ///   memcgs are there until `forgetForbidden`.
  func forbiddenWritebacks(
    _ swapfile: Swapfile, beat: () -> Void
  ) throws(SystemError) -> Look? {
    let group = ControlGroup.numbered(ControlGroup.bystanders)
    guard group.has("memory.zswap.writeback") else { return nil }
    if try Swapfile.areasInUse() == 0 { try swapfile.swapOn() }
    let parent = try ControlGroup.make(ControlGroup.forbidding)
    try parent.set("memory.zswap.writeback", "0")
    try parent.set("cgroup.subtree_control", "+memory")
    let forbidden = try ControlGroup.make(ControlGroup.forbidden)
    // Its stack and what else it touches for the first time stay charged where it is.
    try order(.pageOut, beat)
    try order(.giveUp, beat)
    try forbidden.add(child.pid)
    let before = try Zswap.counter("written_back_pages")
    let isVacuous = try stored(by: .pageOut, beat) <= 0
    try forbidden.set("memory.zswap.max", "\(PageStamp.size / 4)")
    // The first rounds take the entries' second chance.
    for _ in 0..<3 { try order(.pageOut, beat) }
    let after = try Zswap.counter("written_back_pages")
    try order(.giveUp, beat)
    try group.add(child.pid)
    let measurement = RestMeasurement(
      name: RestFigure.forbiddenWritebacks, expected: 0, observed: after - before)
    return Look(measurement: measurement, isVacuous: isVacuous)
  }

  /// Removes those memcgs. With swap off: slots that wait to be used again keep their
  /// entries, and those their memcg.
  func forgetForbidden(beat: () -> Void) throws(SystemError) {
    let forbidden = ControlGroup.numbered(ControlGroup.forbidden)
    // What CPUs have charged ahead for it would keep it from going.
    _ = try RestProbe.settle(forbidden, beat: beat)
    try forbidden.remove()
    try ControlGroup.numbered(ControlGroup.forbidding).remove()
  }

  /// Writes every page, and asks for all to be paged out: half of them are kept in
  /// memory by being written again, so that there is something to store each time.
  private static func pageOut(_ memory: inout UnsafeMutableRawPointer?) -> Int32 {
    // As in sendOut().
    clinux_run_on_cpu(0)
    defer { clinux_run_on_any_cpu() }
    if memory == nil {
      let mapped = mmap(
        nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard let mapped, mapped != MAP_FAILED else { return errno }
      memory = mapped
      for page in 0..<pages {
        PageStamp(seed: 0, page: UInt64(page), generation: 1)
          .write(to: mapped + page * PageStamp.size)
      }
    }
    guard let memory else { return EINVAL }
    for page in 0..<pages / 2 {
      PageStamp(seed: 1, page: UInt64(page), generation: 2)
        .write(to: memory + page * PageStamp.size)
    }
    return madvise(memory, bytes, PageHolder.madvPageOut) == 0 ? 0 : errno
  }

  private static let stamps = (0..<pages).map { page in
    let kinds = [0, PageStamp.incompressible, PageStamp.barelyCompressible]
    return PageStamp(seed: 2, page: UInt64(page), generation: 1 | kinds[page % kinds.count])
  }

  private static func sendOut(_ memory: inout UnsafeMutableRawPointer?) -> Int32 {
    // A fresh page waits in the batch of the CPU that it was touched on.
    clinux_run_on_cpu(0)
    defer { clinux_run_on_any_cpu() }
    let mapped = mmap(nil, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let mapped, mapped != MAP_FAILED else { return errno }
    memory = mapped
    for (page, stamp) in stamps.enumerated() { stamp.write(to: mapped + page * PageStamp.size) }
    return madvise(mapped, bytes, PageHolder.madvPageOut) == 0 ? 0 : errno
  }

  /// - Returns: how many pages are wrong, or a negative errno.
  private static func takeBack(_ memory: inout UnsafeMutableRawPointer?) -> Int32 {
    guard let pages = memory else { return -EINVAL }
    memory = nil
    defer { munmap(pages, bytes) }
    return Int32(
      stamps.enumerated().count { page, stamp in
        stamp.read(from: pages + page * PageStamp.size) != .intact
      })
  }

  private static func chargeEverywhere() -> Int32 {
    defer { clinux_run_on_any_cpu() }
    for cpu in 0..<Int32(sysconf(Int32(_SC_NPROCESSORS_CONF))) {
      clinux_run_on_cpu(cpu)
      let page = mmap(
        nil, PageStamp.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard let page, page != MAP_FAILED else { return errno }
      page.storeBytes(of: 1, as: UInt8.self)
      munmap(page, PageStamp.size)
    }
    return 0
  }
}
