import GuestWire

/// The line that a kernel report begins with.
struct SplatHeader: Hashable, Sendable {
  /// What ends the report.
  enum End: Hashable, Sendable {
    /// `---[ end trace`
    case trace
    /// A line of `=`.
    case rule
    /// The end of its one call trace.
    case stack
    /// The line stands alone.
    case line
    /// `---[ end Kernel panic`
    case panic
  }

  var kind: Splat.Kind
  /// The title up to " in FUNCTION".
  var label: String
  var end: End
  /// The functions that the line itself names.
  var named: [StackFrame] = []
  var task: String?
  var pid: Int?
  /// No function belongs into the title.
  var isWhole = false

  static let cutHere = "------------[ cut here ]------------"

  /// Nil for a line that begins no report. The line must *begin* with it: a
  /// driver that warns of a "BIOS BUG", or prints "WARNING: CPU does not …", is
  /// none. Formats: those of 6.1 to 7.0.
  init?(_ text: String) {
    guard let first = text.utf8.first, SplatHeader.firstBytes.contains(first) else { return nil }
    guard
      let header = SplatHeader.sanitizer(text) ?? SplatHeader.exception(text)
        ?? SplatHeader.lock(text) ?? SplatHeader.hang(text) ?? SplatHeader.assertion(text)
        ?? SplatHeader.otherBug(text)
    else { return nil }
    self = header
  }

  init(
    _ kind: Splat.Kind, _ label: String, end: End, named: [StackFrame] = [], task: String? = nil,
    pid: Int? = nil, isWhole: Bool = false
  ) {
    self.kind = kind
    self.label = label
    self.end = end
    self.named = named
    self.task = task
    self.pid = pid
    self.isWhole = isWhole
  }

  /// The first bytes of every text below: most lines end here.
  private static let firstBytes = Set("-BUGOWIrwNlKPgksu[".utf8)

  /// mm/kasan/report.c, kernel/kcsan/report.c, mm/kmsan/report.c,
  /// mm/kfence/report.c, lib/ubsan.c
  private static func sanitizer(_ text: String) -> SplatHeader? {
    let tools: [(String, Splat.Kind)] = [
      ("KASAN", .kasan), ("KCSAN", .kcsan), ("KMSAN", .kmsan), ("KFENCE", .kfence),
    ]
    for (tool, kind) in tools {
      guard let rest = text.after("BUG: \(tool): ") else { continue }
      let (what, place) = rest.splitOnce(" in ")
      let named = place.splitAll(" / ").compactMap { name in
        StackFrame(symbol: name) ?? (kind == .kcsan ? StackFrame(function: name.trimmed) : nil)
      }
      return SplatHeader(kind, "\(tool): \(what.stable)", end: .rule, named: named)
    }
    if let rest = text.after("UBSAN: ") {
      return SplatHeader(.ubsan, "UBSAN: \(rest.splitOnce(" in ").0.stable)", end: .trace)
    }
    return nil
  }

  /// arch/x86/mm/fault.c, arch/x86/kernel/traps.c, arch/x86/kernel/dumpstack.c
  private static func exception(_ text: String) -> SplatHeader? {
    if text.hasPrefix("BUG: kernel NULL pointer dereference") {
      return SplatHeader(.nullDereference, "BUG: kernel NULL pointer dereference", end: .trace)
    }
    if text.hasPrefix("BUG: unable to handle ") {
      return SplatHeader(.pageFault, "BUG: unable to handle page fault", end: .trace)
    }
    if text.hasPrefix("PANIC: double fault") {
      return SplatHeader(.oops, "double fault", end: .trace)
    }
    let oops = text.after("Oops: ")
    guard let what = oops ?? (text.hasPrefix("general protection fault") ? text : nil) else {
      return nil
    }
    if what.hasPrefix("general protection fault") || what.hasPrefix("segment-related general") {
      return SplatHeader(.generalProtection, "general protection fault", end: .trace)
    }
    let name = String(what.prefix { $0 != ":" && $0 != "," })
    let isBare = name == "Oops" || name.allSatisfy(\.isHexDigit)
    return SplatHeader(.oops, isBare ? "Oops" : "Oops: \(name.stable)", end: .trace)
  }

  /// kernel/locking/lockdep.c, kernel/sched/core.c
  private static func lock(_ text: String) -> SplatHeader? {
    for (prefix, label) in lockTitles where text.hasPrefix(prefix) {
      return SplatHeader(.lockdep, label, end: .stack)
    }
    if text.hasPrefix("WARNING: "), text.hasSuffix("-unsafe lock order detected") {
      return SplatHeader(.lockdep, "irq-unsafe lock order", end: .stack)
    }
    if text.hasPrefix("BUG: sleeping function called from invalid context") {
      return SplatHeader(
        .sleepingInAtomic, "BUG: sleeping function called from invalid context", end: .stack)
    }
    for label in ["BUG: scheduling while atomic", "BUG: scheduling in a non-blocking section"] {
      guard let rest = text.after(label + ": ") else { continue }
      let words = rest.splitAll("/")
      return SplatHeader(
        .schedulingWhileAtomic, label, end: .stack,
        task: words.count > 2 ? words.dropLast(2).joined(separator: "/") : nil,
        pid: words.dropLast().last.flatMap { Int($0) })
    }
    return nil
  }

  private static let lockTitles = [
    ("WARNING: possible circular locking dependency detected", "possible circular locking"),
    ("WARNING: possible recursive locking detected", "possible recursive locking"),
    ("WARNING: possible irq lock inversion dependency", "possible irq lock inversion"),
    ("WARNING: inconsistent lock state", "inconsistent lock state"),
    ("WARNING: suspicious RCU usage", "suspicious RCU usage"),
    ("WARNING: held lock freed!", "held lock freed"),
    ("WARNING: bad unlock balance detected!", "bad unlock balance"),
    ("WARNING: bad contention detected!", "bad contention"),
    ("WARNING: lock held when returning to user space!", "lock held when returning to user space"),
    ("WARNING: Nested lock was not taken", "nested lock was not taken"),
    ("WARNING: chain_key collision", "lockdep chain_key collision"),
    ("[ BUG: Invalid wait context ]", "invalid wait context"),
    ("INFO: trying to register non-static key", "trying to register non-static key"),
  ]

  /// kernel/hung_task.c, kernel/rcu/tree_stall.h, kernel/watchdog.c
  private static func hang(_ text: String) -> SplatHeader? {
    if let rest = text.after("INFO: task "), rest.contains(" blocked for more than ") {
      let who = rest.splitOnce(" blocked for more than ").0
      let colon = who.lastIndex(of: ":")
      return SplatHeader(
        .hungTask, "INFO: task hung", end: .stack,
        task: colon.map { String(who[..<$0]) },
        pid: colon.flatMap { Int(who[who.index(after: $0)...]) })
    }
    if let rest = text.after("rcu: INFO: ") ?? text.after("INFO: "), rest.hasPrefix("rcu"),
      rest.contains("detected stall") || rest.contains("self-detected stall")
        || rest.contains("detected expedited stalls")
    {
      return SplatHeader(.rcuStall, "INFO: rcu detected stall", end: .stack)
    }
    let unprefixed = text.after("watchdog: ") ?? text.after("NMI watchdog: ") ?? text
    if unprefixed.hasPrefix("BUG: soft lockup - CPU#") {
      let who = unprefixed.splitOnce("[").1.prefix { $0 != "]" }
      let words = who.splitAll(":")
      return SplatHeader(
        .softLockup, "BUG: soft lockup", end: .stack,
        task: words.count > 1 ? words.dropLast().joined(separator: ":") : nil,
        pid: words.last.flatMap { Int($0) })
    }
    if unprefixed.hasPrefix("Watchdog detected hard LOCKUP") {
      return SplatHeader(.hardLockup, "hard lockup", end: .stack)
    }
    return nil
  }

  /// lib/bug.c, kernel/panic.c, lib/list_debug.c
  private static func assertion(_ text: String) -> SplatHeader? {
    if text.hasPrefix(cutHere) { return SplatHeader(.cutOff, "cut-off report", end: .trace) }
    // The second form is that of 6.19 and later.
    if text.after("WARNING: CPU: ")?.contains(" PID: ") == true
      || text.after("WARNING: ")?.splitOnce(" at ").1.contains(", CPU#") == true
    {
      return SplatHeader(.warning, "WARNING", end: .trace)
    }
    if text.hasPrefix("kernel BUG at ") || text.hasPrefix("Kernel BUG at ") {
      return SplatHeader(.kernelBug, "kernel BUG", end: .trace)
    }
    for label in ["list_add corruption", "list_del corruption", "list_add double add"]
    where text.hasPrefix(label) {
      return SplatHeader(.listCorruption, label, end: .trace)
    }
    if let reason = text.after(panicPrefix) {
      return SplatHeader(
        .panic, "Kernel panic: \(reason.stable.prefix(120))", end: .panic, isWhole: true)
    }
    return nil
  }

  static let panicPrefix = "Kernel panic - not syncing: "

  /// mm/page_alloc.c, mm/memory.c, kernel/fork.c, mm/slub.c, and whatever else
  /// calls itself a BUG.
  private static func otherBug(_ text: String) -> SplatHeader? {
    guard let rest = text.after("BUG: ") else { return slab(text) }
    for label in ["Bad page state", "Bad page map", "Bad page cache"] where rest.hasPrefix(label) {
      guard !rest.contains("messages suppressed") else { return nil }
      return SplatHeader(.badPage, "BUG: \(label)", end: .stack)
    }
    if rest.hasPrefix("Bad rss-counter state") {
      let type = rest.splitAll(" ").first { $0.hasPrefix("type:") }
      let label = "BUG: Bad rss-counter state" + (type.map { " \($0)" } ?? "")
      return SplatHeader(.badRSSCounter, label, end: .line, isWhole: true)
    }
    if SplatHeader.lockdepLimit(text) { return nil }
    return SplatHeader(.bug, "BUG: \(rest.stable.prefix(120))", end: .stack, isWhole: true)
  }

  /// `BUG zswap_entry (Not tainted): Poison overwritten`
  private static func slab(_ text: String) -> SplatHeader? {
    guard let rest = text.after("BUG "), let open = rest.firstRange(of: " ("),
      let close = rest.firstRange(of: "): "), rest.contains("ainted")
    else { return nil }
    let cache = rest[..<open.lowerBound]
    let what = rest[close.upperBound...].stable.prefix(120)
    return SplatHeader(.slab, "BUG \(cache): \(what)", end: .stack)
  }

  /// `BUG: MAX_LOCKDEP_CHAINS too low!`: lockdep's tables are full.
  static func lockdepLimit(_ text: String) -> Bool {
    text.hasPrefix("BUG: MAX_") && text.hasSuffix("too low!")
  }
}

extension StringProtocol {
  /// What follows a prefix, nil without it.
  func after(_ prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }

  /// The two sides of the first separator; the second is empty without one.
  func splitOnce(_ separator: String) -> (String, String) {
    guard let range = firstRange(of: separator) else { return (String(self), "") }
    return (String(self[..<range.lowerBound]), String(self[range.upperBound...]))
  }

  func splitAll(_ separator: String) -> [String] {
    var parts: [String] = []
    var rest = String(self)
    while let range = rest.firstRange(of: separator) {
      parts.append(String(rest[..<range.lowerBound]))
      rest = String(rest[range.upperBound...])
    }
    return parts + [rest]
  }
}
