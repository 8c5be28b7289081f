import GuestWire

/// Finds the kernel's reports in a console, line by line.
///
/// The guest is not trusted, and a kernel with a bug may print the same report
/// for ever: what is done for a line, and what is kept of all lines, is bounded.
struct SplatClassifier: Sendable {
  /// Reports handed out; those after it are only counted.
  static let splatLimit = 64
  /// Notices kept.
  static let noticeLimit = 32

  /// Reports that came after the limit: a flood.
  private(set) var omittedSplats = 0
  /// What may explain other observations.
  private(set) var notices: [ConsoleNotice] = []

  /// Whose lines belong together. Without caller ids, everybody's do.
  private typealias Key = ConsoleLine.Caller?

  private var open: [(key: Key, block: SplatBlock)] = []
  /// KASAN reports that the oops of the same event may still follow.
  private var settling: [(key: Key, splat: Splat, since: Int)] = []
  private var lineNumber = 0
  private var emitted = 0
  /// Where the last report that ends its task was over.
  private var lastFatal: Int?

  private static let openLimit = 8
  /// An access that KASAN reports faults within the next few lines, or not at all.
  private static let settleLines = 40
  /// A panic so shortly after an oops comes from it.
  private static let panicLines = 120

  init() {}

  /// Takes the next line; hands out the reports that are complete with it.
  mutating func feed(_ raw: some StringProtocol) -> [Splat] {
    ConsoleLine.torn(raw).flatMap { feed(line: ConsoleLine($0), raw: $0) }
  }

  private mutating func feed(line: ConsoleLine, raw kept: String) -> [Splat] {
    lineNumber += 1
    var done: [Splat] = []
    note(line.text)
    if let header = SplatHeader(line.text) {
      take(header, line: line, raw: kept, done: &done)
    } else {
      pass(line, raw: kept)
    }
    closeFinished(done: &done)
    settle(done: &done, all: false)
    return limited(done)
  }

  /// Hands out what is unfinished: the console has ended.
  mutating func finish() -> [Splat] {
    var done: [Splat] = []
    while let first = open.first {
      open.removeFirst()
      complete(first.key, first.block.splat(), done: &done)
    }
    settle(done: &done, all: true)
    return limited(done)
  }

  private mutating func note(_ text: String) {
    guard notices.count < SplatClassifier.noticeLimit else { return }
    // mm/oom_kill.c: "Memory cgroup out of memory: Killed process 61 (holder) …"
    let isKill = text.contains("ut of memory") && text.contains("Killed process ")
    if isKill || text.hasPrefix("oom-kill:") {
      notices.append(ConsoleNotice(kind: .oomKill, text: text))
    } else if SplatHeader.lockdepLimit(text) {
      notices.append(ConsoleNotice(kind: .lockdepOff, text: text))
    }
  }

  private mutating func take(
    _ header: SplatHeader, line: ConsoleLine, raw: String, done: inout [Splat]
  ) {
    if let index = open.firstIndex(where: { $0.key == line.caller }) {
      if open[index].block.absorbs(header) {
        open[index].block.refine(with: header, raw: raw)
        return
      }
      let ended = open.remove(at: index)
      complete(ended.key, ended.block.splat(), done: &done)
    }
    if header.kind == .panic, follows(line.text) { return }
    if open.count >= SplatClassifier.openLimit {
      let oldest = open.removeFirst()
      complete(oldest.key, oldest.block.splat(), done: &done)
    }
    open.append((line.caller, SplatBlock(header, line: line, raw: raw)))
  }

  /// Whether a panic comes from a report that is known already.
  private func follows(_ text: String) -> Bool {
    guard let reason = text.after(SplatHeader.panicPrefix),
      emitted + open.count + settling.count > 0
    else { return false }
    let consequences = [
      "Fatal exception", "kernel: panic_on_warn", "KASAN: panic_on_warn", "KCSAN: panic_on_warn",
      "KFENCE: panic_on_warn", "UBSAN: panic_on_warn", "kasan.fault=", "hung_task: blocked tasks",
      "softlockup: hung tasks", "Hard LOCKUP", "RCU Stall", "panic_on_warn set",
    ]
    if consequences.contains(where: { reason.hasPrefix($0) }) { return true }
    guard let lastFatal, !reason.hasPrefix("sysrq") else { return false }
    return lineNumber - lastFatal <= SplatClassifier.panicLines
  }

  private mutating func pass(_ line: ConsoleLine, raw: String) {
    for index in open.indices {
      if open[index].key == line.caller || open[index].block.takesAnyCaller {
        open[index].block.append(line, raw: raw)
      } else {
        open[index].block.passOver()
      }
    }
  }

  private mutating func closeFinished(done: inout [Splat]) {
    while let index = open.firstIndex(where: { $0.block.isClosed }) {
      let ended = open.remove(at: index)
      complete(ended.key, ended.block.splat(), done: &done)
    }
  }

  private mutating func complete(_ key: Key, _ splat: Splat, done: inout [Splat]) {
    if splat.kind.isFatal || splat.kind == .kasan { lastFatal = lineNumber }
    if let index = settling.firstIndex(where: { $0.key == key }) {
      let report = settling.remove(at: index).splat
      if splat.isSequel(of: report) {
        done.append(report.with(sequel: splat))
        return
      }
      done.append(report)
    }
    if splat.kind == .kasan {
      settling.append((key, splat, lineNumber))
    } else {
      done.append(splat)
    }
  }

  /// Hands out the KASAN reports that no oops has followed, in order.
  private mutating func settle(done: inout [Splat], all: Bool) {
    guard !settling.isEmpty else { return }
    while let first = settling.first {
      let isBusy = open.contains { $0.key == first.key }
      guard all || !isBusy && lineNumber - first.since > SplatClassifier.settleLines else { return }
      settling.removeFirst()
      done.append(first.splat)
    }
  }

  private mutating func limited(_ splats: [Splat]) -> [Splat] {
    let room = max(0, SplatClassifier.splatLimit - emitted)
    let kept = splats.prefix(room)
    emitted += kept.count
    omittedSplats += splats.count - kept.count
    return Array(kept)
  }
}

extension SplatBlock {
  /// A stall's stacks are printed by the CPUs that they belong to.
  var takesAnyCaller: Bool {
    header.kind == .rcuStall || header.kind == .hardLockup
  }
}

extension Splat {
  /// The oops of the access that KASAN has just reported: one task, one place.
  fileprivate func isSequel(of report: Splat) -> Bool {
    let oopses: [Kind] = [.nullDereference, .pageFault, .generalProtection, .oops, .kasan]
    guard oopses.contains(kind), pid == report.pid, task == report.task else { return false }
    return meaningfulFrames.first == report.meaningfulFrames.first
  }

  fileprivate func with(sequel: Splat) -> Splat {
    var both = self
    var excerpt = Excerpt()
    for line in (self.excerpt + "\n" + sequel.excerpt).split(
      separator: "\n", omittingEmptySubsequences: false)
    {
      excerpt.append(String(line))
    }
    both.excerpt = excerpt.text
    return both
  }
}
