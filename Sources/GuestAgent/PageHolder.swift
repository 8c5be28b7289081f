import CLinux
import Glibc
import GuestWire
import SystemPackage

/// The process whose pages a trial pushes out: a child of the worker, forked
/// while that is small, that touches little but its stamped pages.
///
/// It shares one page of counters with the worker, and takes one-byte commands
/// from a pipe.
final class PageHolder {
  private enum Command: UInt8 {
    case fill = 1
    case verify, pageOut, churn, quit
  }

  // Numbers of linux/mman.h that the Glibc module lacks.
  private static let madvNoHugePage: Int32 = 15
  private static let madvPageOut: Int32 = 21

  /// In memory shared by both processes. Single words, each with one writer
  /// while the other looks on.
  private struct Shared {
    var done: UInt64 = 0
    var stop: UInt64 = 0
    var rounds: UInt64 = 0
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

  let pid: pid_t
  let pages: Int
  private let commands: Int32
  private let shared: UnsafeMutablePointer<Shared>
  private let beat: () -> Void
  private var issued: UInt64 = 0
  private var status: Int32?

  /// - Parameter beat: called from every wait.
  init(pages: Int, seed: UInt64, beat: @escaping () -> Void) throws(SystemError) {
    self.beat = beat
    let memory = mmap(
      nil, PageStamp.size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { throw .last("map", "shared page") }
    let shared = memory.bindMemory(to: Shared.self, capacity: 1)
    // Touched here first: it would be charged to the trial's memcg if the holder
    // did, and keep that alive as long as the worker has it mapped.
    shared.initialize(to: Shared())
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { throw .last("make a pipe for", "page holder") }
    let child = clinux_fork()
    guard child >= 0 else { throw .last("fork", "page holder") }
    if child == 0 {
      close(ends[1])
      Self.serve(ends[0], shared, pages: pages, seed: seed)
    }
    close(ends[0])
    pid = child
    self.pages = pages
    self.shared = shared
    commands = ends[1]
  }

  deinit {
    close(commands)
    munmap(shared, PageStamp.size)
  }

  // MARK: Worker's side

  /// Stamps every page with a new generation.
  func fill() throws(SystemError) { try order(.fill) }

  /// MADV_PAGEOUT on exactly the stamped pages.
  func pageOut() throws(SystemError) { try order(.pageOut) }

  /// Reads every page back.
  func verify() throws(SystemError) -> PageAudit {
    try order(.verify)
    return audit
  }

  /// Rewrites and verifies pages until `stopChurning`.
  func startChurning() throws(SystemError) { try send(.churn) }

  func stopChurning() throws(SystemError) {
    store(1, to: \.stop)
    try wait()
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
    try send(.quit)
    var watchdog = Watchdog()
    while !hasEnded {
      beat()
      if watchdog.isStalled([pid]) {
        throw SystemError(operation: "wait for", object: "page holder", errno: .timedOut)
      }
      MonotonicClock.sleep(milliseconds: 5)
    }
  }

  private var hasEnded: Bool {
    if status == nil {
      var raw: Int32 = 0
      if waitpid(pid, &raw, WNOHANG) == pid { status = raw }
    }
    return status != nil
  }

  /// How it was killed or where it is stuck; nil if it ended well.
  var badEnd: ActorReport.End? {
    guard hasEnded, let status else {
      return .stalled(wchan: ProcessProbe(pid)?.wchan ?? "?", stack: ProcessProbe.stack(pid))
    }
    let signal = status & 0x7F
    return signal == 0 ? nil : .signalled(signal)
  }

  private func order(_ command: Command) throws(SystemError) {
    try send(command)
    try wait()
  }

  private func send(_ command: Command) throws(SystemError) {
    var byte = command.rawValue
    issued += 1
    guard write(commands, &byte, 1) == 1 else { throw .last("command", "page holder") }
  }

  private func wait() throws(SystemError) {
    var watchdog = Watchdog()
    while load(\.done) < issued {
      beat()
      if hasEnded {
        throw SystemError(operation: "command", object: "page holder", errno: .noSuchProcess)
      }
      if watchdog.isStalled([pid]) {
        throw SystemError(operation: "wait for", object: "page holder", errno: .timedOut)
      }
      MonotonicClock.sleep(milliseconds: 2)
    }
  }

  // Volatile in effect: each access goes through a call that is not inlined.
  @inline(never) private func load(_ field: WritableKeyPath<Shared, UInt64>) -> UInt64 {
    shared.pointee[keyPath: field]
  }

  @inline(never) private func store(_ value: UInt64, to field: WritableKeyPath<Shared, UInt64>) {
    shared.pointee[keyPath: field] = value
  }

  // MARK: Holder's side

  private static func serve(
    _ commands: Int32, _ shared: UnsafeMutablePointer<Shared>, pages: Int, seed: UInt64
  ) -> Never {
    try? KernelFile.write("page-holder", to: "/proc/self/comm")
    let size = pages * PageStamp.size
    let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    guard let memory, memory != MAP_FAILED else { _exit(1) }
    // zswap takes no large folios (6.12).
    madvise(memory, size, Self.madvNoHugePage)
    var generations = [UInt64](repeating: 0, count: pages)

    func stamp(_ page: Int) -> PageStamp {
      PageStamp(seed: seed, page: UInt64(page), generation: generations[page])
    }
    func rewrite(_ page: Int) {
      generations[page] += 1
      stamp(page).write(to: memory + page * PageStamp.size)
    }
    func verify(_ page: Int) {
      let stamp = stamp(page)
      shared.pointee.checked += 1
      let bad: (kind: UInt64, detail: (UInt64, UInt64))
      switch stamp.read(from: memory + page * PageStamp.size) {
      case .intact:
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

    var byte: UInt8 = 0
    while read(commands, &byte, 1) == 1, let command = Command(rawValue: byte) {
      switch command {
      case .fill: (0..<pages).forEach(rewrite)
      case .verify: (0..<pages).forEach(verify)
      case .pageOut: madvise(memory, size, Self.madvPageOut)
      case .churn:
        var random = seed
        while !stopped(shared) {
          for page in 0..<pages where !stopped(shared) {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Leave most of them in zswap long enough to be reclaimed there.
            switch random >> 61 {
            case 0: rewrite(page)
            case 1, 2: verify(page)
            default: break
            }
          }
          shared.pointee.rounds += 1
        }
      case .quit: _exit(0)
      }
      shared.pointee.done += 1
    }
    _exit(0)
  }

  @inline(never) private static func stopped(_ shared: UnsafeMutablePointer<Shared>) -> Bool {
    shared.pointee.stop != 0
  }
}
