import GuestWire

/// A report that is being printed.
struct SplatBlock {
  private(set) var header: SplatHeader
  private(set) var frames: [StackFrame] = []
  private(set) var task: String?
  private(set) var pid: Int?
  private(set) var isClosed = false
  private let seconds: Double?
  private var excerpt = Excerpt()
  /// The report's own call trace is over: what follows are the stacks of who
  /// allocated and freed, of other CPUs, of the panic.
  private var traceDone = false
  private var inTrace = false
  private var lines = 0
  private var strangers = 0

  /// A report that goes on for longer is a flood.
  private static let lineLimit = 400
  /// So many lines of others in a row, and the report is taken as over. With
  /// caller ids an interruption is told from a continuation, and may last.
  private static let strangerLimit = 30
  private static let otherCallerLimit = 400
  private static let frameLimit = 48

  init(_ header: SplatHeader, line: ConsoleLine, raw: String) {
    self.header = header
    task = header.task
    pid = header.pid
    seconds = line.seconds
    excerpt.append(raw)
    isClosed = header.end == .line
  }

  /// The next lines say better what this is: the "cut here" of a WARNING, the
  /// list corruption in it, the KASAN line of a general protection fault.
  mutating func refine(with other: SplatHeader, raw: String) {
    if header.kind == .cutOff || header.kind == .listCorruption && other.kind == .listCorruption {
      header = other
      task = other.task ?? task
      pid = other.pid ?? pid
    }
    excerpt.append(raw)
  }

  /// Whether a line that would begin a report is only the next one of this.
  func absorbs(_ other: SplatHeader) -> Bool {
    switch (header.kind, other.kind) {
    case (.cutOff, .warning), (.cutOff, .ubsan), (.cutOff, .kernelBug), (.cutOff, .listCorruption):
      true
    // BUG_ON_DATA_CORRUPTION says what, and then cuts here and calls BUG().
    case (.listCorruption, .cutOff), (.listCorruption, .warning), (.listCorruption, .kernelBug):
      frames.isEmpty
    case (.nullDereference, .oops), (.pageFault, .oops), (.kernelBug, .oops),
      (.listCorruption, .oops), (.generalProtection, .oops), (.oops, .oops):
      frames.isEmpty
    case (_, .panic): header.kind != .cutOff
    default: false
    }
  }

  mutating func append(_ line: ConsoleLine, raw: String) {
    lines += 1
    excerpt.append(raw)
    let text = line.text
    if read(text) || line.caller != nil {
      strangers = 0
    } else {
      strangers += 1
    }
    if ends(at: text) || lines > SplatBlock.lineLimit || strangers > SplatBlock.strangerLimit {
      isClosed = true
    }
  }

  /// A line that another caller printed.
  mutating func passOver() {
    strangers += 1
    if strangers > SplatBlock.otherCallerLimit { isClosed = true }
  }

  private func ends(at text: String) -> Bool {
    if text.hasPrefix("---[ end ") || text.hasPrefix("Rebooting in ") { return true }
    switch header.end {
    case .rule: return text.utf8.count >= 60 && text.utf8.allSatisfy { $0 == UInt8(ascii: "=") }
    case .stack: return traceDone
    case .trace, .line, .panic: return false
    }
  }

  /// Takes from a line what the report needs; false for a line that looks like
  /// nobody's report.
  private mutating func read(_ text: String) -> Bool {
    if text.isEmpty { return readBlank() }
    let trimmed = text.trimmed
    switch trimmed {
    case "Call Trace:", "stack backtrace:":
      inTrace = !traceDone && trimmed == "Call Trace:"
      return true
    case "<TASK>", "<IRQ>", "</IRQ>", "<NMI>", "</NMI>", "<SOFTIRQ>":
      return true
    case "</TASK>":
      if inTrace || !frames.isEmpty { traceDone = true }
      inTrace = false
      return true
    default: break
    }
    if let place = trimmed.after("RIP: 0010:") {
      if let frame = StackFrame(symbol: place) { add(frame) }
      return true
    }
    if let frame = StackFrame(traceLine: text) {
      if inTrace { add(frame) }
      return true
    }
    if readSanitizer(trimmed) || readTask(trimmed) { return true }
    return SplatBlock.familiar.contains { trimmed.hasPrefix($0) }
  }

  /// KFENCE and KCSAN print their stacks without "Call Trace:", a blank line
  /// after them.
  private mutating func readBlank() -> Bool {
    if inTrace, !frames.isEmpty, header.kind == .kfence || header.kind == .kcsan {
      inTrace = false
      traceDone = true
    }
    return true
  }

  private mutating func readSanitizer(_ text: String) -> Bool {
    if let rest = text.after("KASAN: "), rest.contains(" in range [") {
      header.kind = .kasan
      header.label = "KASAN: " + rest.splitOnce(" in range").0.stable
      return true
    }
    switch header.kind {
    case .kasan:
      // "Read of size 8 at addr ffff… by task writeback/61"
      guard task == nil, text.contains(" addr "), text.contains(" by task ") else { return false }
      let words = text.splitOnce(" by task ").1.splitAll("/")
      task = words.dropLast().joined(separator: "/")
      pid = words.last.flatMap { Int($0) }
      return true
    case .kfence where text.contains(" at 0x") || text.contains(" of 0x"),
      .kcsan where text.hasSuffix(":") && text.contains(" bytes by "):
      inTrace = !traceDone
      return true
    default:
      return false
    }
  }

  /// `CPU: 1 UID: 0 PID: 61 Comm: writeback Not tainted 6.12.117 #1`
  private mutating func readTask(_ text: String) -> Bool {
    guard text.hasPrefix("CPU: "), text.contains(" PID: "), text.contains(" Comm: ") else {
      return false
    }
    guard task == nil else { return true }
    let rest = text.splitOnce(" Comm: ").1
    let ends = [" Not tainted", " Tainted: ", " Kdump: "]
      .compactMap { rest.firstRange(of: $0)?.lowerBound }
    task = String(rest[..<(ends.min() ?? rest.endIndex)])
    pid = Int(text.splitOnce(" PID: ").1.prefix { $0.isNumber })
    return true
  }

  private mutating func add(_ frame: StackFrame) {
    guard !traceDone, frames.count < SplatBlock.frameLimit else { return }
    frames.append(frame)
  }

  /// How the other lines of a report begin.
  private static let familiar = [
    "Modules linked in:", "Hardware name:", "Tainted:", "Workqueue:", "Code:", "RSP:", "RAX:",
    "RDX:", "RBP:", "R10:", "R13:", "FS:", "CS:", "CR2:", "DR0:", "DR3:", "PKRU:", "EFLAGS:",
    "RIP:", "ORIG_RAX:", "#PF:", "PGD ", "Oops: ", "Read of size", "Write of size", "Free of addr",
    "Allocated by task", "Freed by task", "The buggy address", "which belongs to", "freed ",
    "allocated ", "Memory state", ">ff", "ff", "page: ", "page dumped", "flags: ", "raw: ",
    "memcg:", "head: ", "irq event stamp", "hardirqs last", "softirqs last", "Kernel Offset",
    "other info that", "Possible unsafe", "CPU0 ", "----", "lock(", "*** DEADLOCK", "but task is",
    "which lock already", "the existing dependency", "-> #", "#0:", "#1:", "#2:", "locks held by",
    "1 lock held by", "2 locks held", "3 locks held", "in_atomic()", "preempt_count:", "RCU nest",
    "Preemption disabled", "task:", "NMI backtrace", "Sending NMI", "rcu:", "==>",
    "is trying to acquire", "kfence-#", "Kernel panic", "rcu_scheduler_active",
    "value changed", "Reported by Kernel", "Last potentially", "Call Trace",
  ]

  /// The finished report.
  func splat() -> Splat {
    let frames = header.kind == .kcsan && !header.named.isEmpty ? header.named : frames
    let telling = frames.first { !$0.isGeneric }
    let inHarness = telling?.isHarness ?? header.named.first?.isHarness ?? false
    let meaningful = frames.filter { !$0.isGeneric && !$0.isHarness }
    return Splat(
      kind: header.kind,
      title: title(inHarness: inHarness, telling: telling, meaningful: meaningful),
      fingerprint: Fingerprint.of(
        [header.kind.rawValue, header.label] + meaningful.prefix(3).map(\.function)),
      frames: frames, task: task, pid: pid, seconds: seconds, excerpt: excerpt.text,
      inHarnessModule: inHarness)
  }

  private func title(
    inHarness: Bool, telling: StackFrame?, meaningful: [StackFrame]
  ) -> String {
    if header.isWhole { return header.label }
    if header.kind == .kcsan, !header.named.isEmpty {
      let names = header.named.map(\.function).joined(separator: " / ")
      return "\(header.label) in \(names)"
    }
    let place =
      inHarness
      ? telling?.description ?? header.named.first?.description
      : (meaningful.first ?? header.named.first ?? frames.first)?.function
    return place.map { "\(header.label) in \($0)" } ?? header.label
  }
}

/// The beginning of a text that may not end.
struct Excerpt {
  private(set) var lines: [String] = []
  private var bytes = 0
  private var omitted = 0

  static let lineLimit = 160
  static let byteLimit = 16 << 10

  mutating func append(_ line: String) {
    let size = line.utf8.count + 1
    guard lines.count < Excerpt.lineLimit, bytes + size <= Excerpt.byteLimit else {
      omitted += 1
      return
    }
    lines.append(line)
    bytes += size
  }

  var text: String {
    let kept = lines.joined(separator: "\n")
    return omitted == 0 ? kept : "\(kept)\n[\(omitted) more lines]"
  }
}
