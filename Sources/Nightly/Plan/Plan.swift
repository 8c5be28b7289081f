import HarnessKit

/// What a night is to run: kernels by scenarios by machines, and what of it counts
/// as a regression. `docs/nightly.md` has the file's schema.
public struct Plan: Hashable, Sendable, Codable {
  /// Letters, digits and `._+-`, 64 at the most; a night that was left is found again by it.
  public var name: String
  /// One at the least.
  public var kernels: [PlanKernel]
  /// One at the least; one in several parts is several here, of the same name.
  public var scenarios: [PlanScenario]
  /// One that is called `default` where the plan names none.
  public var machines: [PlanMachine]
  /// Cells that are left out.
  public var exclude: [Exclusion] = []
  /// How often each cell is run at the least.
  public var repeats = 1
  /// How often more, where a cell fails or changes.
  public var reruns = 2
  /// Of one run: no further trial is begun after it.
  public var budget: TimeSpan?
  /// Of the whole night: what is not over by then is ended, and said to be unfinished.
  public var deadline: TimeSpan?
  /// What a cell is taken to last where history knows none like it.
  public var estimate = TimeSpan(seconds: 120)
  /// Which difference from a cell's past counts; the defaults where the plan says nothing.
  public var regression = RegressionRule()
  /// Absolute; nil where there is none.
  public var known: String?
  /// Absolute.
  public var history: String
  /// The folder that nights are kept in, absolute.
  public var out: String
  /// Where cells are run; `--engine` replaces it for a night that begins.
  public var engine = EngineName.local
  /// Of no account where the engine is `local`.
  public var slurm = SlurmOptions()

  /// `local` for this host, `slurm` for nodes that Slurm gives.
  public enum EngineName: String, Hashable, Sendable, Codable, CaseIterable {
    case local, slurm
  }

  /// A part of the matrix; what it does not name it has all of.
  public struct Exclusion: Hashable, Sendable, Codable {
    /// A kernel's name; nil for all.
    public var kernel: String?
    /// A scenario's, without its part: all of its parts are meant. Nil for all.
    public var scenario: String?
    /// A machine's; nil for all.
    public var machine: String?
  }
}

/// A kernel of a plan.
public struct PlanKernel: Hashable, Sendable, Codable {
  /// Where its image comes from.
  public enum Source: Hashable, Sendable, Codable {
    /// As `--kernel` takes it: a path, or `debian:6.12`.
    case image(String)
    /// A git tree, absolute, and what to follow in it; nil for what is checked out.
    case tree(String, branch: String?)
    /// Debian's source with the hook points.
    case preset
  }

  /// Of no other kernel of the plan; history knows its cells by it.
  public var name: String
  /// The one of `image`, `tree` and `preset` that the plan gives.
  public var source: Source
  /// Fragments of its configuration, where it is built.
  public var fragments: [String] = []
  /// Names of files in `qemu/kernel/mutants`, without `.patch`, where it is built.
  public var mutants: [String] = []
  /// Files, absolute.
  public var patches: [String] = []

  /// The source in words, for people: the same words, the same kernel.
  public var words: String {
    var words: [String]
    switch source {
    case .image(let image): words = [image]
    case .tree(let tree, let branch): words = [tree + (branch.map { " at \($0)" } ?? "")]
    case .preset: words = ["linux-source-6.12, with hook points"]
    }
    if !fragments.isEmpty { words.append(fragments.joined(separator: ",")) }
    words += mutants.map { "mutant \($0)" } + patches.map { "patch \($0)" }
    return words.joined(separator: "; ")
  }
}

/// A family of trials of a plan.
public struct PlanScenario: Hashable, Sendable, Codable {
  /// Of no other scenario of the plan; history knows its cells by it, and by the part.
  public var name: String
  /// Where the plan has it in several parts: which this is. Each is a cell.
  public var part: RunPart?
  /// Names that `--scenario` knows; empty for schedules.
  public var scenarios: [String] = []
  /// As `--schedule` takes them; empty for scenarios.
  public var schedules: [String] = []
  /// Of the scenario `random`, for each provider; nil for the harness's own number.
  public var trials: Int?
  /// `patch` or `ftrace`; nil for each way that the kernel offers.
  public var provider: String?
  /// Of every run alike; nil where each is to draw its own.
  public var seed: UInt64?
  /// Of each stress; nil for the harness's own length.
  public var stressSeconds: Int?
  /// Of one run, instead of the plan's; nil for the plan's.
  public var budget: TimeSpan?

  /// As cells have it: `sweep`, or `sweep.2of4`.
  public var label: String { name + (part.map { ".\($0.number)of\($0.count)" } ?? "") }
}

/// A shape of machine of a plan.
public struct PlanMachine: Hashable, Sendable, Codable {
  /// Of no other machine of the plan; history knows its cells by it.
  public var name: String
  /// A file of qemu/machines.
  public var machine = "q35"
  /// Of each guest; nil for what the file says.
  public var cpus: Int?
  /// Of each guest; nil for what the file says, or more for a sanitizer.
  public var memoryMiB: Int?
  /// Guests at once.
  public var guests = 1
  /// Only trials whose swap is on this.
  public var swap: String?
  /// zswap's, built into the kernel; nil for the kernel's own choice.
  public var compressor: String?
  /// zswap's, likewise.
  public var zpool: String?
  /// `auto`, `kvm` or `tcg`; nil for `auto`.
  public var accelerator: String?

  /// The guests' CPUs together.
  public var reservedCPUs: Int { (cpus ?? 2) * guests }
  /// The guests' memory, with what QEMU takes beside it; a kernel with a sanitizer
  /// has 1 GiB where nothing is said.
  public var reservedMiB: Int { ((memoryMiB ?? 1024) + 512) * guests }
}

/// What counts as a change.
public struct RegressionRule: Hashable, Sendable, Codable {
  /// A difference that chance brings less often than one minus this is one.
  public var confidence = 0.99
  /// Time to the verdict, in multiples of what it was.
  public var slower = 2.0
  /// How many of a cell's last runs are looked at.
  public var runs = 30

  public init() {}

  /// What chance brings less often than this is a change.
  public var alpha: Double { 1 - confidence }
}

/// How a night goes to Slurm.
public struct SlurmOptions: Hashable, Sendable, Codable {
  /// As sbatch's `--partition` takes it; nil for Slurm's default.
  public var partition: String?
  /// As sbatch's `--account` takes it; nil for the user's own.
  public var account: String?
  /// Short cells share a task, up to about this.
  public var block = TimeSpan(seconds: 600)
  /// Of one run; a task's limit is the sum of its runs', at the least a minute.
  public var cellLimit = TimeSpan(seconds: 7200)
  /// Tasks of an array at once.
  public var throttle: Int?
  /// How long before its limit a task is told to save its logs.
  public var notice = TimeSpan(seconds: 60)
  /// Further words for sbatch.
  public var options: [String] = []
}
