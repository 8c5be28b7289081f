/// A report that the kernel printed about itself.
public struct Splat: Hashable, Sendable, Codable {
  /// What noticed it, or what it is about, by the line that the report begins with.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// By a checker that the kernel was built with; kmemleak's list is asked for after a guest's
    /// last trial, and is not of the console.
    case kasan, kcsan, kmsan, kfence, ubsan, kmemleak
    /// "BUG: kernel NULL pointer dereference".
    case nullDereference = "null-dereference"
    /// "BUG: unable to handle …", any other bad access.
    case pageFault = "page-fault"
    /// A general protection fault, mostly an access to a non-canonical address.
    case generalProtection = "general-protection"
    /// Any other exception in the kernel: a divide error, a double fault, …
    case oops
    /// A BUG() or BUG_ON() in the source: "kernel BUG at FILE:LINE".
    case kernelBug = "kernel-bug"
    /// A line "BUG: …" of none of the other kinds.
    case bug
    /// might_sleep() was called where nobody may sleep.
    case sleepingInAtomic = "sleeping-in-atomic"
    /// A task went to sleep where it may not.
    case schedulingWhileAtomic = "scheduling-while-atomic"
    /// A page, a page table or the page cache is in a state that it cannot be in.
    case badPage = "bad-page"
    /// A process's count of pages or swap entries is not 0 when its mm goes.
    case badRSSCounter = "bad-rss-counter"
    /// SLUB's debugging found an object overwritten or misused: "BUG zswap_entry (…): …".
    case slab
    /// A WARN() or WARN_ON() in the source.
    case warning
    /// lockdep, on the order, state or use of locks and RCU.
    case lockdep
    /// CONFIG_DEBUG_LIST found neighbours that do not point at one another.
    case listCorruption = "list-corruption"
    /// A task has slept uninterruptibly for longer than the detector's limit.
    case hungTask = "hung-task"
    /// A grace period does not end: a CPU or a task does not let go of RCU.
    case rcuStall = "rcu-stall"
    /// A CPU has not scheduled for too long.
    case softLockup = "soft-lockup"
    /// A CPU has not taken interrupts for too long.
    case hardLockup = "hard-lockup"
    /// A panic that no earlier report explains.
    case panic
    /// A report began ("cut here") and the console ended, or was torn, before
    /// it said what it was about.
    case cutOff = "cut-off"

    /// The task that ran into it does not come back.
    public var isFatal: Bool {
      switch self {
      case .nullDereference, .pageFault, .generalProtection, .oops, .kernelBug, .panic: true
      default: false
      }
    }
  }

  /// By the report's first line, or by a later one that says better what it is.
  public var kind: Kind
  /// What it is and where, without anything that changes from run to run:
  /// "KASAN: slab-use-after-free in shrink_memcg_cb".
  public var title: String
  /// Equal for the same kind in the same top three meaningful functions.
  public var fingerprint: String
  /// Innermost first, reliable ones only, `RIP` among them.
  public var frames: [StackFrame]
  /// The running task's name, where the report gives it.
  public var task: String?
  /// Of that task, in the guest; nil where the report does not give it.
  public var pid: Int?
  /// Seconds since boot of its first line.
  public var seconds: Double?
  /// Its first lines, as they came, other CPUs' lines among them.
  public var excerpt: String
  /// The innermost function that is not a generic one is the harness's own:
  /// a failure of ours, which says nothing about the kernel.
  public var inHarnessModule: Bool

  /// What says that it may be the doing of the emulator that runs the kernel.
  var emulationError: String? {
    if hasImpossibleFlags {
      "with CPU flags that no CPU can have, which is an error of QEMU's"
    } else if isEmulatedBreakpoint {
      "which may be a breakpoint of the kernel's own patching that TCG ran after it was gone"
    } else {
      nil
    }
  }

  /// On TCG a CPU may run, from code translated before, a breakpoint that text_poke_bp()
  /// has put in place and taken away again: a breakpoint that nobody knows, in the middle
  /// of a function, at boot where static keys are switched, is no doing of the kernel's.
  private var isEmulatedBreakpoint: Bool { kind == .oops && title.hasPrefix("Oops: int3 ") }

  /// On TCG, QEMU's cmpxchg16b (7.2) may take the flags from whatever was computed last, such
  /// as an address. An interrupt right behind it saves them, and the return from it sets
  /// the trap flag and others. A register dump gives it away: in EFLAGS, bit 1 is always set,
  /// and 3, 5, 15 and those from 22 on are never, on any CPU.
  var hasImpossibleFlags: Bool {
    excerpt.split(separator: "EFLAGS: ").dropFirst().contains { text in
      guard let flags = UInt32(text.prefix(8), radix: 16) else { return false }
      return flags & 0xffc0_802a != 2
    }
  }

  /// The functions that tell this place from another: no generic ones, and no
  /// wrappers of the harness.
  public var meaningfulFrames: [StackFrame] {
    frames.filter { !$0.isGeneric && !$0.isHarness }
  }
}

/// Something that the console says and that is no fault of the kernel, but may
/// explain what else was seen.
public struct ConsoleNotice: Hashable, Sendable, Codable {
  /// All that is looked for: of other lines that are no report nothing is noted.
  public enum Kind: String, Hashable, Sendable, Codable {
    /// The OOM killer ended a task: its SIGKILL is not an oops's.
    case oomKill = "oom-kill"
    /// lockdep ran out of its tables: locking is not checked any more.
    case lockdepOff = "lockdep-off"
  }

  /// With `oomKill`, an actor that was killed is a reason for doubt, and no finding.
  public var kind: Kind
  /// The line without printk's prefix; a trial's notes quote it.
  public var text: String

  public init(kind: Kind, text: String) {
    self.kind = kind
    self.text = text
  }
}
