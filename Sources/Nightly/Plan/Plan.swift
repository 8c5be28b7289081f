import HarnessKit

/// What a night is to run: kernels by scenarios by machines, and what of it counts
/// as a regression. `docs/nightly.md` has the file's schema.
public struct Plan: Hashable, Sendable, Codable {
  public var name: String
  public var kernels: [PlanKernel]
  public var scenarios: [PlanScenario]
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
  public var regression = RegressionRule()
  /// Absolute; nil where there is none.
  public var known: String?
  /// Absolute.
  public var history: String
  /// The folder that nights are kept in, absolute.
  public var out: String
  public var engine = EngineName.local
  public var slurm = SlurmOptions()

  public enum EngineName: String, Hashable, Sendable, Codable, CaseIterable {
    case local, slurm
  }

  /// A part of the matrix; what it does not name it has all of.
  public struct Exclusion: Hashable, Sendable, Codable {
    public var kernel: String?
    public var scenario: String?
    public var machine: String?
  }
}

/// A kernel of a plan.
public struct PlanKernel: Hashable, Sendable, Codable {
  public enum Source: Hashable, Sendable, Codable {
    /// As `--kernel` takes it: a path, or `debian:6.12`.
    case image(String)
    /// A git tree, absolute, and what to follow in it; nil for what is checked out.
    case tree(String, branch: String?)
    /// Debian's source with the hook points.
    case preset
  }

  public var name: String
  public var source: Source
  /// Fragments of its configuration, where it is built.
  public var fragments: [String] = []
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
  public var name: String
  /// Where the plan has it in several parts: which this is. Each is a cell.
  public var part: RunPart?
  /// Names that `--scenario` knows; empty for schedules.
  public var scenarios: [String] = []
  public var schedules: [String] = []
  public var trials: Int?
  public var provider: String?
  public var seed: UInt64?
  public var stressSeconds: Int?
  public var budget: TimeSpan?

  /// As cells have it: `sweep`, or `sweep.2of4`.
  public var label: String { name + (part.map { ".\($0.number)of\($0.count)" } ?? "") }
}

/// A shape of machine of a plan.
public struct PlanMachine: Hashable, Sendable, Codable {
  public var name: String
  /// A file of qemu/machines.
  public var machine = "q35"
  public var cpus: Int?
  public var memoryMiB: Int?
  /// Guests at once.
  public var guests = 1
  /// Only trials whose swap is on this.
  public var swap: String?
  public var compressor: String?
  public var zpool: String?
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

  public var alpha: Double { 1 - confidence }
}

/// How a night goes to Slurm.
public struct SlurmOptions: Hashable, Sendable, Codable {
  public var partition: String?
  public var account: String?
  /// Short cells share a task, up to about this.
  public var block = TimeSpan(seconds: 600)
  /// Of one cell; a task's limit is the sum of its cells', at the least a minute.
  public var cellLimit = TimeSpan(seconds: 7200)
  /// Tasks of an array at once.
  public var throttle: Int?
  /// How long before its limit a task is told to save its logs.
  public var notice = TimeSpan(seconds: 60)
  /// Further words for sbatch.
  public var options: [String] = []
}
