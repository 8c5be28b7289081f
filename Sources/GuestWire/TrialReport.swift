/// What was seen in one trial. Facts only: no field says whether they are good.
public struct TrialReport: Hashable, Sendable, Codable {
  /// As in the trial's `TrialSpec`.
  public var index: Int
  /// The constraint as the module left it; nil for a trial without a schedule.
  public var hold: HoldReport?
  /// The module's record, in order and without gaps; its first `eventsLimit` entries.
  public var events: [HookEvent]
  /// Events that the module or the agent had no room for.
  public var eventsDropped: UInt64
  /// Those of the schedule, or those that raced; then processes of the agent's own that were
  /// killed, stand still or could not swap off. Empty where the guest cannot make the trial.
  public var actors: [ActorReport]
  /// All 0 where the pages were not read back.
  public var pages: PageAudit
  /// What was measured at rest: with the pages given up; and, where the trial
  /// was the last of its set-up, after exit and swapoff.
  public var rest: [RestMeasurement]
  /// The first trial that the figures after exit and swapoff are about: trials
  /// that go on with one another's processes, memcg and swap come to that rest
  /// together. Nil where the trial was not the last of them.
  public var restSince: Int?
  /// The held slot's place in the LRU once all actors had returned.
  public var place: LRUPlace?
  /// Why the rest was not measured, where it was not: an actor that never came back.
  public var restSkipped: String?
  /// Figures at rest that this kernel does not have; nil where it has all.
  public var restAbsent: [String]?
  /// In a trial in which a CPU goes offline: whether what zswap compresses with there
  /// stays, so that nobody has to wait for who uses it.
  public var keepsContext: Bool?
  /// Counts of a stress trial: swapoffs, writebacks, …
  public var counts: [String: UInt64]
  /// The last lines that another tool printed; nil where none ran.
  public var output: [String]?
  /// From its beginning to its report, the set-up included; 0 where it was not begun.
  public var milliseconds: UInt64
  /// What the trial's time went into, in the order in which it did.
  public var phases: [TrialPhase]

  /// The most events that one report carries.
  public static let eventsLimit = 3000

  /// Nothing is seen yet: the agent fills it in.
  public init(index: Int) {
    self.index = index
    hold = nil
    events = []
    eventsDropped = 0
    actors = []
    pages = PageAudit()
    rest = []
    restSkipped = nil
    restSince = nil
    place = nil
    counts = [:]
    milliseconds = 0
    phases = []
  }
}

/// A part of a trial, and what it took.
public struct TrialPhase: Hashable, Sendable, Codable {
  /// `set up`, `until held`, `rest`, …; for a workload, the workload's. Each stands once.
  public var name: String
  /// Of all times together that the trial was in it.
  public var microseconds: UInt64

  public init(name: String, microseconds: UInt64) {
    self.name = name
    self.microseconds = microseconds
  }
}

/// Where an entry stands in its memcg's LRU.
public struct LRUPlace: Hashable, Sendable, Codable {
  /// From the head, which is reclaimed next; nil if it is not there.
  public var position: Int?
  /// Entries in that LRU.
  public var length: Int

  public init(position: Int?, length: Int) {
    self.position = position
    self.length = length
  }
}

/// The constraints' states in the module, after the trial.
public struct HoldReport: Hashable, Sendable, Codable {
  /// How far a hold came. The raw values are the module's words.
  public enum State: String, Hashable, Sendable, Codable {
    /// No task came to the point.
    case armed
    /// A task is asleep there now.
    case held
    /// The awaited point was passed while the task was held.
    case reached
    /// The hold ended by itself.
    case timeout
    /// The agent ended the hold, or said that none was to begin any more.
    case released
    /// The awaited point was passed before any task could be held.
    case missed
  }

  /// The one that the trial was given.
  public var schedule: Schedule
  /// Of the first constraint.
  public var state: State
  /// Of the others, in their order; nil for a pair.
  public var later: [State]?
  /// Evidence that the other actor could not go on while the first was held.
  public var blocked: BlockedEvidence?

  /// Of every constraint.
  public var states: [State] { [state] + (later ?? []) }

  public init(
    schedule: Schedule, state: State, later: [State]? = nil, blocked: BlockedEvidence?
  ) {
    self.schedule = schedule
    self.state = state
    self.later = later
    self.blocked = blocked
  }
}

/// An actor found in one and the same sleep, sample after sample.
public struct BlockedEvidence: Hashable, Sendable, Codable {
  /// Its name: the one that was awaited.
  public var actor: String
  /// The kernel function that it sleeps in, from /proc/PID/wchan.
  public var wchan: String
  /// Samples that found it there, with an unchanged count of context switches.
  public var samples: Int
  /// Innermost first, from /proc/PID/stack, where the kernel has it.
  public var stack: [String]

  public init(actor: String, wchan: String, samples: Int, stack: [String]) {
    self.actor = actor
    self.wchan = wchan
    self.samples = samples
    self.stack = stack
  }
}

/// A swap entry, as the module prints it: `type:offset`.
public struct Slot: Hashable, Sendable, Codable, CustomStringConvertible {
  /// The number of the swap area, as swp_type() has it.
  public var type: Int
  /// In pages, from the area's start; 0 in swapoff's events, which are about all of it.
  public var offset: UInt64

  public init(type: Int, offset: UInt64) {
    self.type = type
    self.offset = offset
  }

  /// Of that form; nil for anything else.
  public init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ":")
    guard parts.count == 2, let type = Int(parts[0]), let offset = UInt64(parts[1]) else {
      return nil
    }
    self.init(type: type, offset: offset)
  }

  public var description: String { "\(type):\(offset)" }
}

/// A line of the module's `events` file.
public struct HookEvent: Hashable, Sendable, Codable {
  /// What happened there. The raw values are the module's words.
  public enum Kind: String, Hashable, Sendable, Codable {
    /// A task passed the point.
    case hit
    /// It was put to sleep there.
    case hold
    /// It goes on.
    case release
    /// What it asks for here was made to fail.
    case inject
  }

  /// The CPU that the actor `cpu` takes away: the first stays on x86.
  public static let hotplugCPU = 1

  /// Its place in the record, from 0; the agent clears the record for each trial.
  public var sequence: UInt64
  /// On the guest's monotonic clock.
  public var nanoseconds: UInt64
  /// The one that the task ran on.
  public var cpu: Int
  /// Of the task: a thread's own id, as the guest has it.
  public var pid: Int
  /// Its comm, with `_` for white space. An actor's process has the actor's name.
  public var task: String
  /// `shrinker@…` where the second writeback passed it; the module says `writeback@…`.
  public var point: HookPoint
  /// A task that is held leaves three: its hit, its hold and its release.
  public var kind: Kind
  /// Nil where none is known: at marks, and where swapoff begins.
  public var slot: Slot?
  /// The memcg's cgroup inode, where the module knows it.
  public var memcg: UInt64?
  /// The path's result at a `done` point, the actor's at an `end` mark; at a release 0, -ETIME or
  /// -ECANCELED; 0 elsewhere.
  public var result: Int

  public init(
    sequence: UInt64, nanoseconds: UInt64, cpu: Int, pid: Int, task: String, point: HookPoint,
    kind: Kind, slot: Slot?, memcg: UInt64?, result: Int
  ) {
    self.sequence = sequence
    self.nanoseconds = nanoseconds
    self.cpu = cpu
    self.pid = pid
    self.task = task
    self.point = point
    self.kind = kind
    self.slot = slot
    self.memcg = memcg
    self.result = result
  }
}

/// How one actor's process ended.
public struct ActorReport: Hashable, Sendable, Codable {
  /// What became of the process, or of its command where it lives on.
  public enum End: Hashable, Sendable, Codable {
    /// It did its system call, with this errno (0: success).
    case returned(errno: Int32)
    /// Killed: by an oops of its own task, where nobody else kills.
    case signalled(Int32)
    /// Still in the kernel when its watchdog gave up.
    case stalled(wchan: String, stack: [String])
  }

  /// The actor's, or what raced, or the workload; of the agent's own processes `page-holder`,
  /// `bystander`, `actor-1` and so on, or `swapoff-last` for a swapoff after the actors'.
  public var name: String
  /// In the guest; 0 for a workload that left no process to tell of.
  public var pid: Int
  /// A return with an errno is one too; the host judges what it means.
  public var end: End

  public init(name: String, pid: Int, end: End) {
    self.name = name
    self.pid = pid
    self.end = end
  }
}

/// The stamped pages, read back.
public struct PageAudit: Hashable, Sendable, Codable {
  /// Each page as often as it was read; what follows adds up to it.
  public var checked: UInt64
  /// As last written, or all zero where it was given up.
  public var intact: UInt64
  /// An older generation of the same page.
  public var stale: UInt64
  /// A page of ours that belongs elsewhere.
  public var foreign: UInt64
  /// All zero.
  public var lost: UInt64
  /// Anything else.
  public var corrupt: UInt64
  /// The first bad page, in words; empty where there is none.
  public var samples: [String]

  public init() {
    checked = 0
    intact = 0
    stale = 0
    foreign = 0
    lost = 0
    corrupt = 0
    samples = []
  }
}

/// One figure at rest, with the figure that a sound kernel has there.
public struct RestMeasurement: Hashable, Sendable, Codable {
  /// One of `RestFigure`, or one that only reports show.
  public var name: String
  /// Mostly 0; else what there was before, or how many pages there are.
  public var expected: Int64
  /// The last value: most figures are waited for until they are as expected, or time is up.
  public var observed: Int64

  public init(name: String, expected: Int64, observed: Int64) {
    self.name = name
    self.expected = expected
    self.observed = observed
  }
}
