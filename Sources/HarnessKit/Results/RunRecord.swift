import FoundationEssentials
import GuestWire

/// A run as `result.json` keeps it: what was run, on what, what came of it, and
/// enough to run it again. `docs/result-schema.md` describes every field.
public struct RunRecord: Hashable, Sendable, Codable {
  /// Raised whenever a field changes meaning or goes.
  public static let currentSchemaVersion = 1

  public enum Status: String, Hashable, Sendable, Codable, CaseIterable {
    case pass
    case fail
    case notExercised = "not exercised"
    case error
  }

  /// The kernel under test.
  public struct Kernel: Hashable, Sendable, Codable {
    public var path: String
    /// `uname -r`, nil until the guest has said it.
    public var release: String?
    /// Of the image, hexadecimal.
    public var sha256: String?
    /// Where its configuration was read: "IKCONFIG", a path, nil for nowhere.
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
    public var path: String
    public var vermagic: String?
    public var sha256: String?

    public init(path: String, vermagic: String? = nil, sha256: String? = nil) {
      self.path = path
      self.vermagic = vermagic
      self.sha256 = sha256
    }
  }

  /// The guest's hardware.
  public struct Machine: Hashable, Sendable, Codable {
    public var name: String
    public var cpus: Int
    public var memoryMiB: Int
    /// "kvm" or "tcg".
    public var accelerator: String
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
    public enum Start: String, Hashable, Sendable, Codable, CaseIterable {
      case booted
      /// From a guest that was saved when it was ready.
      case restored
    }

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

  public var schemaVersion = RunRecord.currentSchemaVersion
  public var status: Status
  /// Of `harness`, and never anything else than `status` says.
  public var exitCode: Int32
  /// Why the status is error.
  public var error: HarnessFailure?
  /// Why trials were left out beside a finding, where neither the finding itself nor
  /// `--fail-fast` ended the run: what it does not show, it does not rule out.
  public var cutShort: String?
  public var commandLine: [String]
  public var startedAt: Date
  public var finishedAt: Date?
  public var durationSeconds: Double?
  /// The finding that was looked for, by its fingerprint or a part of its title; nil
  /// for any.
  public var target: String?
  /// The seed from which every trial's is derived, `0x…`: a JSON number would
  /// lose its low bits in most readers.
  public var seed: String
  public var kernel: Kernel?
  public var module: Module?
  public var machine: Machine?
  /// What of a source file has run, in all guests together.
  public struct Coverage: Hashable, Sendable, Codable {
    public var file: String
    public var lines: FileCoverage.Share
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
  public var trials: [TrialRecord]
  public var claims: [ClaimStatus]
  /// Every finding of the run, each fingerprint once.
  public var findings: [Finding]
  /// The hook points, as each provider reached them.
  public var points: [ProviderPoints]
  /// Why the status is "not exercised".
  public var reasons: [String]
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

  /// What a run says of itself that was told to stop.
  public static let interruption = "interrupted"

  public static func text(ofSeed seed: UInt64) -> String { "0x" + String(seed, radix: 16) }

  /// The bytes of `result.json`: keys sorted, times in ISO 8601.
  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return try encoder.encode(self) + Data("\n".utf8)
  }

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
