import CLinux
import Glibc
import GuestWire
import SystemPackage

/// The process whose pages trials push out: a child of the worker, forked while
/// that is small, that touches little but its stamped pages. What happens to
/// pages (a fault, a free, a store, a fork) happens in it.
///
/// It shares one page of counters with the worker.
final class PageHolder {
  fileprivate enum Kind: Int64 {
    case fill = 1
    case verify, lookAgain, pageOut, bringBack, rewriteAndPageOut, touch, free, recycle, overflow,
      fork, drop, churn,
      quit
  }

  // Numbers of linux/mman.h that the Glibc module lacks.
  fileprivate static let madvRemove: Int32 = 9
  fileprivate static let madvNoHugePage: Int32 = 15
  static let madvPageOut: Int32 = 21
  fileprivate static let madvCold: Int32 = 20

  /// In memory shared by both processes. Single words, each with one writer
  /// while the other looks on.
  private struct Shared {
    var stop: UInt64 = 0
    var rounds: UInt64 = 0
    /// Of the stamped pages.
    var address: UInt64 = 0
    /// Keeps a read of a page from being optimised away.
    var touched: UInt64 = 0
    var checked: UInt64 = 0
    var intact: UInt64 = 0
    var stale: UInt64 = 0
    var foreign: UInt64 = 0
    var lost: UInt64 = 0
    var corrupt: UInt64 = 0
    /// The first page that was not intact: its number plus one, its generation,
    /// and what it held.
    var badPage: UInt64 = 0
    var badGeneration: UInt64 = 0
    var badKind: UInt64 = 0
    var badDetail: (UInt64, UInt64) = (0, 0)
  }

  let pages: Int
  let child: ChildProcess
  private let shared: UnsafeMutablePointer<Shared>
  private let beat: () -> Void

  var pid: pid_t { child.pid }

  /// - Parameters:
  ///   - filler: pages beside the stamped ones, for `recycle`.
  ///   - beat: called from every wait.
  init(
    pages: Int, filler: Int, kind: TrialSetup.Pages, seed: UInt64, beat: @escaping () -> Void
  ) throws(SystemError) {
    self.beat = beat
    let memory = mmap(
      nil, PageStamp.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { throw .last("map", "shared page") }
    let shared = memory.bindMemory(to: Shared.self, capacity: 1)
    // Touched here first: it would be charged to the trial's memcg if the holder
    // did, and keep that alive as long as the worker has it mapped.
    shared.initialize(to: Shared())
    self.pages = pages
    self.shared = shared
    child = try ChildProcess("page-holder") { station in
      guard
        var region = StampedRegion(
          pages: pages, filler: filler, kind: kind, seed: seed, shared: shared)
      else { _exit(1) }
      region.serve(station)
    }
  }

  deinit { munmap(shared, PageStamp.size) }

  // MARK: What a trial has it do

  /// MADV_DONTNEED, munmap() or exit, on all stamped pages.
  static func free(_ how: TrialSetup.Free, as actor: String) -> ChildProcess.Command {
    let first = TrialSetup.Free.allCases.firstIndex(of: how) ?? 0
    return .init(
      kind: Kind.free.rawValue, first: Int64(first), actor: ActorName.index(actor))
  }

  /// A read or a write of every stamped page.
  static func touch(_ how: TrialSetup.Fault, as actor: String) -> ChildProcess.Command {
    .init(
      kind: Kind.touch.rawValue, first: how == .write ? 1 : 0, actor: ActorName.index(actor))
  }

  /// Gives the stamped pages up and pages as many others out as swap has room for,
  /// so that every slot that can be used again is.
  /// - Parameter cpu: the only one that it does so on.
  static func recycle(onCPU cpu: Int32? = nil, as actor: String) -> ChildProcess.Command {
    .init(
      kind: Kind.recycle.rawValue, first: Int64(cpu ?? -1), actor: ActorName.index(actor))
  }

  /// Pages out one page more.
  static func overflow(as actor: String) -> ChildProcess.Command {
    .init(kind: Kind.overflow.rawValue, actor: ActorName.index(actor))
  }

  /// Forks a child that shares the swap entries.
  static func fork(as actor: String) -> ChildProcess.Command {
    .init(kind: Kind.fork.rawValue, actor: ActorName.index(actor))
  }

  // MARK: Worker's side

  /// Stamps every page with a new generation.
  func fill() throws(SystemError) { try order(.fill) }

  /// MADV_PAGEOUT on exactly the stamped pages.
  func pageOut() throws(SystemError) { try order(.pageOut) }

  /// Of the stamped pages, in the holder.
  var address: UInt64 { load(\.address) }

  /// Has every stamped page in memory, and on its LRU list.
  func bringBack() throws(SystemError) { try order(.bringBack) }

  /// A new generation of every stamped page, and MADV_PAGEOUT.
  func rewriteAndPageOut() throws(SystemError) { try order(.rewriteAndPageOut) }

  /// Reads every page back; and once more, after what was read has been paged out
  /// again. The first read may find in the swap cache what neither zswap nor the disk
  /// has: only the second tells whether a load or a writeback left the page anywhere.
  func verify() throws(SystemError) -> PageAudit {
    clearAudit()
    try order(.verify)
    if audit.intact == audit.checked { try order(.lookAgain) }
    return audit
  }

  /// Gives up every page, and the forked children.
  func drop() throws(SystemError) { try order(.drop) }

  /// Rewrites and verifies pages until `stopChurning`.
  func startChurning() throws(SystemError) {
    clearAudit()
    try child.send(.init(kind: Kind.churn.rawValue))
  }

  func stopChurning() throws(SystemError) {
    store(1, to: \.stop)
    var watchdog = Watchdog()
    while child.poll(milliseconds: 20) == nil {
      beat()
      if watchdog.isStalled([pid]) { throw child.giveUp() }
    }
  }

  /// What rounds of churning and the verification after them found, of all
  /// together.
  func verifyAfterChurning() throws(SystemError) -> PageAudit {
    try order(.verify)
    return audit
  }

  var rounds: UInt64 { load(\.rounds) }

  /// What verifying found, of all rounds together.
  var audit: PageAudit {
    var audit = PageAudit()
    audit.checked = load(\.checked)
    audit.intact = load(\.intact)
    audit.stale = load(\.stale)
    audit.foreign = load(\.foreign)
    audit.lost = load(\.lost)
    audit.corrupt = load(\.corrupt)
    if load(\.badPage) != 0 {
      let detail = shared.pointee.badDetail
      let what =
        switch load(\.badKind) {
        case 1: "holds its generation \(detail.0)"
        case 2: "holds page \(detail.0) in generation \(detail.1)"
        case 3: "is all zero"
        default: "is corrupt from word \(detail.0)"
        }
      audit.samples = [
        "page \(load(\.badPage) - 1) in generation \(load(\.badGeneration)) \(what)"
      ]
    }
    return audit
  }

  /// Ends the process, so that exit frees what it still has.
  func quit() throws(SystemError) {
    if child.ending != nil { return }
    try child.send(.init(kind: Kind.quit.rawValue))
    var watchdog = Watchdog()
    while child.ending == nil {
      beat()
      if watchdog.isStalled([pid]) { throw child.giveUp() }
      MonotonicClock.sleep(milliseconds: 1)
    }
  }

  private func order(_ kind: Kind) throws(SystemError) {
    let errno = try child.order(.init(kind: kind.rawValue), beat: beat)
    guard errno == 0 else {
      throw SystemError(operation: "\(kind)", object: "page holder", errno: .init(rawValue: errno))
    }
  }

  private func clearAudit() {
    let kept = (rounds: load(\.rounds), address: load(\.address))
    shared.initialize(to: Shared())
    store(kept.rounds, to: \.rounds)
    store(kept.address, to: \.address)
  }

  // Volatile in effect: each access goes through a call that is not inlined.
  @inline(never) private func load(_ field: WritableKeyPath<Shared, UInt64>) -> UInt64 {
    shared.pointee[keyPath: field]
  }

  @inline(never) private func store(_ value: UInt64, to field: WritableKeyPath<Shared, UInt64>) {
    shared.pointee[keyPath: field] = value
  }

  // MARK: Holder's side

  /// The pages, in the process that owns them.
  private struct StampedRegion {
    let pages: Int
    let filler: Int
    let kind: TrialSetup.Pages
    let seed: UInt64
    let shared: UnsafeMutablePointer<Shared>
    let memory: UnsafeMutableRawPointer
    /// 0: given up, and to be read as zero.
    var generations: [UInt64]
    var newest: UInt64 = 0
    var forks: [pid_t] = []

    private var flags: Int32 { (kind == .shmem ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS }
    private var stampedSize: Int { pages * PageStamp.size }
    private var size: Int { (pages + filler) * PageStamp.size }

    init?(
      pages: Int, filler: Int, kind: TrialSetup.Pages, seed: UInt64,
      shared: UnsafeMutablePointer<Shared>
    ) {
      self.pages = pages
      self.filler = filler
      self.kind = kind
      self.seed = seed
      self.shared = shared
      generations = [UInt64](repeating: 0, count: pages + filler)
      let flags = (kind == .shmem ? MAP_SHARED : MAP_PRIVATE) | MAP_ANONYMOUS
      let size = (pages + filler) * PageStamp.size
      let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0)
      guard let mapped, mapped != MAP_FAILED else { return nil }
      memory = mapped
      shared.pointee.address = UInt64(UInt(bitPattern: mapped))
      // zswap takes no large folios (6.12).
      madvise(memory, size, PageHolder.madvNoHugePage)
    }

    mutating func serve(_ station: ChildProcess.Station) -> Never {
      while let command = station.receive() {
        guard let kind = Kind(rawValue: command.kind) else { _exit(1) }
        let errno = ActorName.act(command.actor) { -run(kind, command) }
        if command.actor >= 0 { try? KernelFile.write("page-holder", to: "/proc/self/comm") }
        station.reply(errno)
      }
      _exit(0)
    }

    private mutating func run(_ kind: Kind, _ command: ChildProcess.Command) -> Int32 {
      switch kind {
      case .fill:
        // A fresh page waits in the batch of the CPU that it was touched on, where
        // MADV_PAGEOUT on another CPU cannot isolate it.
        clinux_run_on_cpu(0)
        for page in 0..<pages { rewrite(page) }
      case .verify: verify()
      case .lookAgain:
        drainBatches()
        let errno = pageOut(0, pages)
        clinux_run_on_any_cpu()
        guard errno == 0 else { return errno }
        verify()
      case .bringBack:
        for page in 0..<pages { read(page) }
        drainBatches()
        clinux_run_on_any_cpu()
      case .rewriteAndPageOut:
        for page in 0..<pages { rewrite(page) }
        // What the first store has put back waits in a batch.
        drainBatches()
        defer { clinux_run_on_any_cpu() }
        return pageOut(0, pages)
      case .pageOut:
        defer { clinux_run_on_any_cpu() }
        return pageOut(0, pages)
      case .touch:
        for page in 0..<pages {
          if command.first == 1 { rewrite(page) } else { read(page) }
        }
      case .free: return free(TrialSetup.Free.allCases[Int(command.first)])
      case .recycle:
        if command.first >= 0 { clinux_run_on_cpu(Int32(command.first)) }
        defer { clinux_run_on_any_cpu() }
        let errno = free(.dontneed)
        guard errno == 0 else { return errno }
        for page in pages..<pages + filler { rewrite(page) }
        return pageOut(pages, filler)
      case .overflow:
        clinux_run_on_cpu(0)
        defer { clinux_run_on_any_cpu() }
        rewrite(pages)
        return pageOut(pages, 1)
      case .fork: return fork()
      case .drop: return drop()
      case .churn: churn()
      case .quit:
        killForks()
        _exit(0)
      }
      return 0
    }

    private func address(_ page: Int) -> UnsafeMutableRawPointer {
      memory + page * PageStamp.size
    }

    private func stamp(_ page: Int) -> PageStamp {
      PageStamp(seed: seed, page: UInt64(page), generation: generations[page])
    }

    private mutating func rewrite(_ page: Int, isIncompressible: Bool = false) {
      newest += 1
      generations[page] = newest | (isIncompressible ? PageStamp.incompressible : 0)
      stamp(page).write(to: address(page))
    }

    @inline(never) private func read(_ page: Int) {
      shared.pointee.touched &+= address(page).load(as: UInt64.self)
    }

    /// A folio that a fault or a writeback has just allocated waits in the batch of its
    /// CPU, where MADV_PAGEOUT on another cannot isolate it. MADV_COLD begins with an
    /// lru_add_drain() of its own CPU's, and has nothing else to do on an empty page.
    private func drainBatches() {
      for cpu in (0..<Int32(sysconf(Int32(_SC_NPROCESSORS_CONF)))).reversed() {
        clinux_run_on_cpu(cpu)
        madvise(address(pages + filler - 1), PageStamp.size, PageHolder.madvCold)
      }
    }

    private func pageOut(_ page: Int, _ count: Int) -> Int32 {
      madvise(address(page), count * PageStamp.size, PageHolder.madvPageOut) == 0 ? 0 : errno
    }

    private mutating func free(_ how: TrialSetup.Free) -> Int32 {
      for page in 0..<pages { generations[page] = 0 }
      switch how {
      case .dontneed:
        // Of a shared mapping it would drop the page tables only.
        let advice = kind == .shmem ? PageHolder.madvRemove : Int32(MADV_DONTNEED)
        return madvise(memory, stampedSize, advice) == 0 ? 0 : errno
      case .munmap:
        // The other half of the mapping keeps shmem's file alive: its pages stay.
        guard munmap(memory, stampedSize) == 0 else { return errno }
        let again = mmap(
          memory, stampedSize, PROT_READ | PROT_WRITE, flags | MAP_FIXED, -1, 0)
        guard again == memory else { return errno }
        madvise(memory, stampedSize, PageHolder.madvNoHugePage)
        return 0
      case .exit: _exit(0)
      }
    }

    private mutating func fork() -> Int32 {
      let child = clinux_fork()
      if child == 0 {
        while true { pause() }
      }
      guard child > 0 else { return errno }
      forks.append(child)
      return 0
    }

    private mutating func killForks() {
      for pid in forks {
        Glibc.kill(pid, SIGKILL)
        waitpid(pid, nil, 0)
      }
      forks = []
    }

    private mutating func drop() -> Int32 {
      killForks()
      for page in generations.indices { generations[page] = 0 }
      let advice = kind == .shmem ? PageHolder.madvRemove : Int32(MADV_DONTNEED)
      return madvise(memory, size, advice) == 0 ? 0 : errno
    }

    private func verify() {
      for page in 0..<pages { verify(page) }
      for page in pages..<pages + filler where generations[page] != 0 { verify(page) }
    }

    private func verify(_ page: Int) {
      let stamp = stamp(page)
      shared.pointee.checked += 1
      let bad: (kind: UInt64, detail: (UInt64, UInt64))
      switch stamp.read(from: address(page)) {
      case .intact:
        shared.pointee.intact += 1
        return
      case .lost where stamp.generation == 0:
        shared.pointee.intact += 1
        return
      case .stale(let generation):
        shared.pointee.stale += 1
        bad = (1, (generation, 0))
      case .foreign(let page, let generation):
        shared.pointee.foreign += 1
        bad = (2, (page, generation))
      case .lost:
        shared.pointee.lost += 1
        bad = (3, (0, 0))
      case .corrupt(let word):
        shared.pointee.corrupt += 1
        bad = (4, (UInt64(word), 0))
      }
      if shared.pointee.badPage == 0 {
        shared.pointee.badKind = bad.kind
        shared.pointee.badDetail = bad.detail
        shared.pointee.badGeneration = stamp.generation
        shared.pointee.badPage = stamp.page + 1
      }
    }

    private mutating func churn() {
      var random = seed
      while !PageHolder.stopped(shared) {
        for page in 0..<pages where !PageHolder.stopped(shared) {
          random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
          // Leave most of them in zswap long enough to be reclaimed there.
          switch random >> 61 {
          case 0: rewrite(page, isIncompressible: random >> 58 & 7 == 0)
          case 1, 2: verify(page)
          default: break
          }
        }
        shared.pointee.rounds += 1
      }
    }
  }

  @inline(never) private static func stopped(_ shared: UnsafeMutablePointer<Shared>) -> Bool {
    shared.pointee.stop != 0
  }
}
