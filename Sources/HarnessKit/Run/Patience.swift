import Foundation

/// How long a guest is waited for that says nothing. A value: ticks in, a loss out.
struct Patience {
  /// In what way it was lost.
  enum Loss: Hashable, Sendable {
    /// Not a word, and while it boots, no work either.
    case still
    /// It has worked for all its time without a word.
    case busy
    /// It talks, and never becomes ready.
    case endless
  }

  /// What a process has had of the CPUs, and has waited for, in seconds.
  struct CPUTime: Hashable, Sendable {
    var run: Double
    var waited: Double
  }

  /// Ticks of one second without progress.
  var limit: Int
  /// Of a guest that boots: seconds of CPU that it may use up without a word. Nil for one
  /// that is ready, whose words alone count.
  var bootSeconds: Double?

  private var ticks = 0
  private var used = 0.0
  private var total = 0
  private var last: CPUTime?

  /// Less than this of a CPU, wanted or had, is an idle guest's timers.
  static let working = 0.5
  /// Ticks for one that has said that it will not come up.
  static let hopeless = 10
  /// Limits that a boot may take in all.
  static let bootLimits = 20

  init(limit: Int, bootSeconds: Double? = nil) {
    self.limit = limit
    self.bootSeconds = bootSeconds
  }

  mutating func heard() {
    ticks = 0
    used = 0
  }

  /// It has said what it cannot do: whatever it works at is no progress.
  mutating func despair() {
    limit = min(limit, Self.hopeless)
    bootSeconds = nil
  }

  /// It is ready.
  mutating func booted(limit: Int) {
    self.limit = limit
    bootSeconds = nil
    heard()
  }

  mutating func tick(_ cpu: CPUTime?) -> Loss? {
    ticks += 1
    if let bootSeconds {
      total += 1
      if total >= limit * Self.bootLimits { return .endless }
      if let cpu, let last {
        let run = cpu.run - last.run
        // One that the host starves wants its time: it is no less at work.
        if run + cpu.waited - last.waited >= Self.working {
          ticks = 0
          used += run
        }
        if used >= bootSeconds { return .busy }
      }
      last = cpu
    }
    return ticks >= limit ? .still : nil
  }
}

extension Patience.CPUTime {
  /// Of all threads of a process; nil where the kernel does not tell.
  init?(of pid: Int32) {
    let tasks = "/proc/\(pid)/task"
    guard let threads = try? FileManager.default.contentsOfDirectory(atPath: tasks) else {
      return nil
    }
    var nanoseconds = (run: 0.0, waited: 0.0)
    for thread in threads {
      // Gone meanwhile, or a kernel without CONFIG_SCHED_INFO.
      guard let data = FileManager.default.contents(atPath: "\(tasks)/\(thread)/schedstat") else {
        continue
      }
      let numbers = String(decoding: data, as: UTF8.self).split(separator: " ").map { Double($0) }
      guard numbers.count >= 2, let run = numbers[0], let waited = numbers[1] else { continue }
      nanoseconds.run += run
      nanoseconds.waited += waited
    }
    guard nanoseconds.run > 0 else { return nil }
    self.init(run: nanoseconds.run / 1e9, waited: nanoseconds.waited / 1e9)
  }
}
