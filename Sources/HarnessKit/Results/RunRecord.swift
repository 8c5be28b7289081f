import FoundationEssentials
import GuestWire

/// A run as `result.json` keeps it: what was run, on what, what came of it, and
/// enough to run it again. `docs/result-schema.md` describes every field.
public struct RunRecord: Hashable, Sendable, Codable {
  /// Raised whenever a field changes meaning or goes.
  public static let currentSchemaVersion = 1

  /// What a run, or a trial, came to.
  public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    /// Every trial entered its window, and nothing was found.
    case pass
    /// Something was found that a sound kernel does not do.
    case fail
    /// A window was not entered, or nothing shows that it was; see `reasons`.
    case notExercised = "not exercised"
    /// The harness, the host or the command line is at fault, or the kernel is unusable.
    case error
  }

  /// The kernel under test.
  public struct Kernel: Hashable, Sendable, Codable {
    /// Of the image.
    public var path: String
    /// The release in the image's header.
    public var release: String?
    /// Of the image, hexadecimal.
    public var sha256: String?
    /// Where its configuration was read: a path, or the image; nil for nowhere.
    public var configOrigin: String?
    /// Who keeps zswap's LRU there; nil in records of before this was told.
    public var zswapLRU: ZswapLRU?
    /// What `--kernel` named it, where that is one of Debian's.
    public var name: String?

    public init(
      path: String, release: String? = nil, sha256: String? = nil, configOrigin: String? = nil,
      zswapLRU: ZswapLRU? = nil, name: String? = nil
    ) {
      self.zswapLRU = zswapLRU
      self.name = name
      self.path = path
      self.release = release
      self.sha256 = sha256
      self.configOrigin = configOrigin
    }
  }

  /// The hook module that was loaded.
  public struct Module: Hashable, Sendable, Codable {
    /// Of the file: built for this kernel, or given with `--module`.
    public var path: String
    /// As this kernel wants it; the module was found to fit.
    public var vermagic: String?
    /// Of the file, hexadecimal.
    public var sha256: String?

    public init(path: String, vermagic: String? = nil, sha256: String? = nil) {
      self.path = path
      self.vermagic = vermagic
      self.sha256 = sha256
    }
  }

  /// The guest's hardware.
  public struct Machine: Hashable, Sendable, Codable {
    /// A file of `qemu/machines`, without `.json`.
    public var name: String
    /// As QEMU was given them.
    public var cpus: Int
    /// As QEMU was given it.
    public var memoryMiB: Int
    /// "kvm" or "tcg".
    public var accelerator: String
    /// What its `--version` says, the distribution's part included.
    public var qemuVersion: String

    public init(name: String, cpus: Int, memoryMiB: Int, accelerator: String, qemuVersion: String) {
      self.name = name
      self.cpus = cpus
      self.memoryMiB = memoryMiB
      self.accelerator = accelerator
      self.qemuVersion = qemuVersion
    }
  }

  /// One guest of the run.
  public struct Guest: Hashable, Sendable, Codable {
    /// How it came to be ready for trials.
    public enum Start: String, Hashable, Sendable, Codable, CaseIterable {
      /// From the kernel's image, by way of its whole boot.
      case booted
      /// From a guest that was saved when it was ready.
      case restored
    }

    /// As it was begun: one that could not be restored stands here too, without a trial.
    public var start: Start
    /// From the start of QEMU until it was ready for trials; nil where it never was.
    public var readySeconds: Double?
    /// The file of the folder that has its console.
    public var console: String
    /// Trials that it began.
    public var trials: Int

    public init(start: Start, readySeconds: Double?, console: String, trials: Int) {
      self.start = start
      self.readySeconds = readySeconds
      self.console = console
      self.trials = trials
    }
  }

  /// ``currentSchemaVersion``: no other is read.
  public var schemaVersion = RunRecord.currentSchemaVersion
  /// Error until the run has finished.
  public var status: Status
  /// Of `harness`, and never anything else than `status` says.
  public var exitCode: Int32
  /// Why the status is error.
  public var error: HarnessFailure?
  /// Why trials were left out beside a finding, where neither the finding itself nor
  /// `--fail-fast` ended the run: what it does not show, it does not rule out.
  public var cutShort: String?
  /// The harness's own commit, as `git describe` has it, `-dirty` where the checkout differs from
  /// it; nil where it is no git repository, and in records of before this was told.
  public var harness: String?
  /// The arguments, the program's name first.
  public var commandLine: [String]
  /// Before the kernel is read; in whole seconds in the file, as is the next.
  public var startedAt: Date
  /// Nil in a run that did not finish.
  public var finishedAt: Date?
  /// From the one to the other, with the fraction that those lose in the file; nil likewise.
  public var durationSeconds: Double?
  /// The finding that was looked for, by its fingerprint or a part of its title; nil
  /// for any.
  public var target: String?
  /// The seed from which every trial's is derived, `0x…`: a JSON number would
  /// lose its low bits in most readers.
  public var seed: String
  /// Nil, as are module and machine, where the run could not be prepared.
  public var kernel: Kernel?
  /// The same for all guests.
  public var module: Module?
  /// As it came out of machine file, command line and kernel.
  public var machine: Machine?
  /// What of a source file has run, in all guests together.
  public struct Coverage: Hashable, Sendable, Codable {
    /// See `FileCoverage.file`.
    public var file: String
    /// Those that ran, of all; what is out of reach counts, too.
    public var lines: FileCoverage.Share
    /// Those that were taken, of all, likewise.
    public var branches: FileCoverage.Share

    public init(file: String, lines: FileCoverage.Share, branches: FileCoverage.Share) {
      self.file = file
      self.lines = lines
      self.branches = branches
    }
  }

  /// In the order in which they were started.
  public var guests: [Guest]?
  /// How often the first findings came again on fresh guests; nil where none was
  /// tried again.
  public var reproductions: [Reproduction]?
  /// By gcov; nil of a kernel that was not built for it.
  public var coverage: [Coverage]?
  /// In the order of their index, also those that were not begun; empty where the run could not be
  /// prepared.
  public var trials: [TrialRecord]
  /// S1 to S8, in this order.
  public var claims: [ClaimStatus]
  /// Every finding of the run, each fingerprint once.
  public var findings: [Finding]
  /// The hook points, as each provider reached them.
  public var points: [ProviderPoints]
  /// Why the status is "not exercised".
  public var reasons: [String]
  /// Whatever else is worth telling; it has no part in the status.
  public var notes: [String]

  /// A run that has begun, and of which nothing is known but that it has not
  /// finished: what stands in the folder while it goes on, and for ever if the
  /// harness dies.
  public init(begun startedAt: Date, commandLine: [String], seed: UInt64) {
    let unfinished = HarnessFailure(.harness, "did not finish")
    status = .error
    exitCode = Verdict.error(unfinished).exitCode
    error = unfinished
    self.commandLine = commandLine
    self.startedAt = startedAt
    self.seed = RunRecord.text(ofSeed: seed)
    trials = []
    claims = RunJudgement.conclude([]).claims
    findings = []
    points = []
    reasons = []
    notes = []
  }

  /// Takes over what the run came to.
  public mutating func finish(_ judgement: RunJudgement, at date: Date) {
    exitCode = judgement.verdict.exitCode
    error = nil
    reasons = []
    switch judgement.verdict {
    case .pass: status = .pass
    case .fail: status = .fail
    case .notExercised(let why):
      status = .notExercised
      reasons = why
    case .error(let failure):
      status = .error
      error = failure
    }
    claims = judgement.claims
    findings = judgement.findings
    finishedAt = date
    durationSeconds = date.timeIntervalSince(startedAt)
  }

  /// What the passes of trials say that no rule judges; nil where there is none.
  var noteOfTrialsWithoutRule: String? {
    let count = trials.count { $0.verdict == .pass && $0.notes.contains(Judge.noRule) }
    guard count > 0 else { return nil }
    return "no rule says how \(count) of \(trials.count) trials have to come out: either order"
      + " passes there, and what is judged is what the kernel says, data, and figures at rest"
  }

  /// How to leave out a provider that alone could not do everything; nil where it is not that.
  var hintAtProvider: String? {
    let left = trials.filter { $0.verdict == .notExercised }
    let lacking = Set(left.map(\.provider))
    guard status == .notExercised, lacking.count == 1, let lacking = lacking.first,
      left.reduce(0, { $0 + $1.reasons.count }) == reasons.count,
      let other = trials.map(\.provider).first(where: { $0 != lacking })
    else { return nil }
    return "all of it with the provider \(lacking.rawValue): --provider \(other.rawValue) runs"
      + " without it"
  }

  /// What a run says of itself that was told to stop.
  public static let interruption = "interrupted"

  /// `0x…`, as records have seeds.
  public static func text(ofSeed seed: UInt64) -> String { "0x" + String(seed, radix: 16) }

  /// The bytes of `result.json`: keys sorted, times in ISO 8601.
  public func json() throws -> Data { try JSONText.document(self) }

  /// Reads what ``json()`` gave. Throws `DecodingError` for what is no record, or is one of another
  /// schema version.
  public init(json: Data) throws {
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    self = try decoder.decode(RunRecord.self, from: json)
    guard schemaVersion == RunRecord.currentSchemaVersion else {
      throw DecodingError.dataCorrupted(
        .init(codingPath: [], debugDescription: "schema version \(schemaVersion) is not known"))
    }
  }
}
