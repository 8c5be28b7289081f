import Glibc
import GuestWire

/// A look at another process, from outside.
struct ProcessProbe: Equatable {
  /// As in /proc/PID/stat: R, S, D, I, Z, …
  var state: Character
  /// Ticks in user and kernel mode.
  var ticks: UInt64
  /// Voluntary and other context switches.
  var switches: Int64
  /// The kernel function that it sleeps in, without the compiler's suffixes, or "0".
  var wchan: String

  /// Nil once the process is gone.
  init?(_ pid: pid_t) {
    guard let stat = try? KernelFile.read("/proc/\(pid)/stat"),
      let status = try? KernelFile.read("/proc/\(pid)/status")
    else { return nil }
    self.init(
      stat: stat, status: status, wchan: (try? KernelFile.read("/proc/\(pid)/wchan")) ?? "0")
  }

  init?(stat: String, status: String, wchan: String) {
    // The second field is the name, in parentheses, and may hold anything.
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[stat.index(after: end)...].split(separator: " ")
    guard fields.count > 12, let state = fields[0].first,
      let user = UInt64(fields[11]), let system = UInt64(fields[12])
    else { return nil }
    self.state = state
    ticks = user + system
    switches = status.split(separator: "\n")
      .filter { $0.hasPrefix("voluntary_ctxt") || $0.hasPrefix("nonvoluntary_ctxt") }
      .compactMap { Int64($0.drop { !$0.isNumber }) }
      .reduce(0, +)
    self.wchan = wchan.trimmed.split(separator: ".").first.map(String.init) ?? "0"
  }

  /// A process's children, and theirs.
  static func descendants(of pid: pid_t) -> [pid_t] {
    var parents: [pid_t: pid_t] = [:]
    for name in (try? KernelFile.entries("/proc")) ?? [] {
      guard let child = pid_t(name), let stat = try? KernelFile.read("/proc/\(child)/stat"),
        let end = stat.lastIndex(of: ")")
      else { continue }
      parents[child] = stat[end...].split(separator: " ").dropFirst(2).first.flatMap { pid_t($0) }
    }
    var family: [pid_t] = []
    var parent = [pid]
    while let next = parent.popLast() {
      let children = parents.filter { $0.value == next }.map(\.key)
      family += children
      parent += children
    }
    return family.sorted()
  }

  /// Where a task stands; if that is in wait for what it has a worker do on another CPU
  /// (work_on_cpu(), by which a CPU is taken away), where the worker stands, and then it.
  static func stackOfWait(_ pid: pid_t) -> [String] {
    let own = stack(pid)
    guard own.contains(where: { $0.hasPrefix("work_on_cpu") }) else { return own }
    for name in (try? KernelFile.entries("/proc")) ?? [] {
      guard let worker = pid_t(name), ProcessProbe(worker)?.state == "D" else { continue }
      let theirs = stack(worker)
      if theirs.contains(where: { $0.hasPrefix("work_for_cpu_fn") }) { return theirs + own }
    }
    return own
  }

  static func stack(_ pid: pid_t) -> [String] {
    guard let text = try? KernelFile.read("/proc/\(pid)/stack") else { return [] }
    return text.split(separator: "\n").prefix(24).map {
      String($0.drop { $0 != "]" }.dropFirst()).trimmed
    }
  }
}

/// Tells a process that waits for another from one that is merely slow.
///
/// It waits if sample after sample finds it in the same uninterruptible sleep:
/// same function, no context switch in between, no I/O under way. Waits that end
/// by themselves, for a grace period or the disk, do not count however long they
/// last. A wait for whoever has locked a folio ends by nothing else than that: there a
/// few samples do.
struct BlockedDetector {
  static let samplesNeeded = 100
  static let samplesNeededForLock = 5
  /// In milliseconds.
  static let interval = 6

  private static let endsByItself = [
    "rcu", "io_schedule", "blk_", "bio_", "submit_", "jbd2", "schedule_timeout", "msleep",
  ]
  /// Of a folio's lock. A mutex or a semaphore is not among them: what wchan names there is
  /// who asked for it.
  private static let waitsForHolder = ["folio_wait_bit", "folio_lock"]

  /// Of one that wakes, looks, and goes back to sleep in the same function: who does
  /// so for so long waits for what does not come.
  static let samplesNeededForPoll = 300

  private var last: ProcessProbe?
  private var polls: (wchan: String?, samples: Int) = (nil, 0)
  private(set) var samples = 0

  /// Takes one more sample; true once the process is known to wait.
  ///
  /// - Parameter diskIsBusy: I/O is under way, and it may be that which the
  ///   process waits for: a page under I/O is waited for like a locked one.
  mutating func observe(_ probe: ProcessProbe?, diskIsBusy: Bool) -> Bool {
    defer { last = probe }
    guard !diskIsBusy, let probe, probe.state == "D", probe.wchan != "0",
      !Self.endsByItself.contains(where: probe.wchan.contains)
    else {
      samples = 0
      // Between two sleeps of a poll it runs.
      if probe?.state != "R" { polls = (nil, 0) }
      return false
    }
    polls = probe.wchan == polls.wchan ? (polls.wchan, polls.samples + 1) : (probe.wchan, 1)
    if polls.samples >= Self.samplesNeededForPoll {
      samples = polls.samples
      return true
    }
    samples = probe == last ? samples + 1 : 1
    let isLock = Self.waitsForHolder.contains(where: probe.wchan.contains)
    return samples >= (isLock ? Self.samplesNeededForLock : Self.samplesNeeded)
  }
}
