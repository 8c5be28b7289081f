import FoundationEssentials

/// What the host tells the guest.
public enum HostMessage: Hashable, Sendable, Codable {
  /// Run these trials in order, and report each.
  case run([TrialSpec])
  /// Say hello again: asked of a guest that was restored, and said it to another host.
  case greet
  /// Power off.
  case powerOff
}

/// What the guest tells the host. All of it is evidence or progress; the host
/// alone decides what it means.
public enum GuestMessage: Hashable, Sendable, Codable {
  /// Once the guest is prepared, or found to be of no use; and again for each `greet`.
  case hello(Hello)
  /// The agent is alive, and this is what it is doing.
  case progress(String)
  /// The points that one provider reaches: before its first trial, and after its last, with
  /// the hits of all.
  case points(ProviderPoints)
  /// The index of a trial that is begun now.
  case trialStarted(Int)
  /// The module's record of a trial's events, as it stands: parsed by the host,
  /// which has the time for it. Before its report.
  case record(trial: Int, text: String)
  /// A trial is over. Its report comes without events: the host adds those of the `record`.
  case trial(TrialReport)
  /// Of a kernel that was built for gcov, after its last trial.
  case coverage(CoverageData)
  /// Of a kernel with kmemleak, after the last trial.
  case leaks(LeakReport)
  /// This kernel lacks something that the trials cannot do without.
  case unusable(String)
  /// The agent failed: says nothing about the kernel.
  case failed(String)
  /// Every trial has been reported.
  case finished
}

/// The agent's word that it is ready: all that does not depend on the trials is done.
public struct Hello: Hashable, Sendable, Codable {
  /// Raised whenever a message changes meaning.
  public static let currentProtocol = 3

  /// `currentProtocol` of the agent; the host believes no guest that has another one.
  public var protocolVersion: Int
  /// The token of the kernel command line: this is the guest that we booted.
  public var token: String
  /// `uname -r` of the guest.
  public var release: String
  /// Those that are online.
  public var cpus: Int

  public init(protocolVersion: Int, token: String, release: String, cpus: Int) {
    self.protocolVersion = protocolVersion
    self.token = token
    self.release = release
    self.cpus = cpus
  }
}

/// How the module reaches the hook points.
public enum Provider: String, Hashable, Sendable, Codable, CaseIterable {
  /// Compiled into the kernel by the patch series.
  case patch
  /// Functions of a stock kernel, redirected to wrappers of the module.
  case ftrace
}

/// The module's `points` file under one provider.
public struct ProviderPoints: Hashable, Sendable, Codable {
  /// The one that the module was loaded with.
  public var provider: Provider
  /// Those of the catalogue, in its order, marks among them.
  public var points: [PointStatus]

  public init(provider: Provider, points: [PointStatus]) {
    self.provider = provider
    self.points = points
  }
}

/// How one provider reaches one point.
public struct PointStatus: Hashable, Sendable, Codable {
  /// A shrinker's has the figures of writeback's, marks aside: to the module they are one.
  public var point: HookPoint
  /// Nil where the provider cannot reach it on this kernel.
  public var provider: Provider?
  /// Passes by any task since the module was loaded; in a run's record, of all its guests.
  public var hits: UInt64
  /// The providers that could reach it.
  public var available: [Provider]
  /// Why the provider cannot reach it, where it cannot.
  public var whyAbsent: String?

  public init(
    point: HookPoint, provider: Provider?, hits: UInt64, available: [Provider],
    whyAbsent: String? = nil
  ) {
    self.point = point
    self.provider = provider
    self.hits = hits
    self.available = available
    self.whyAbsent = whyAbsent
  }
}

/// What kmemleak lists when all is at rest: parsed by the host.
public struct LeakReport: Hashable, Sendable, Codable {
  /// Bytes of it that are handed on.
  public static let limit = 256 << 10

  /// As the kernel writes it; empty where nothing has leaked.
  public var text: String
  /// Why it could not be asked.
  public var problem: String?

  public init(text: String, problem: String? = nil) {
    self.text = text
    self.problem = problem
  }
}

/// What gcov counted of one file of the kernel's source.
public struct CoverageData: Hashable, Sendable, Codable {
  /// The `.gcda` file's path, as the compiler named it.
  public var path: String
  /// The file's contents, as the kernel's debugfs had them.
  public var bytes: Data

  public init(path: String, bytes: Data) {
    self.path = path
    self.bytes = bytes
  }
}

/// One trial to run.
public struct TrialSpec: Hashable, Sendable, Codable {
  /// What there is to do in a trial.
  public enum Work: Hashable, Sendable, Codable {
    /// Steer two actors against each other.
    case schedule(Schedule)
    /// Let both run freely for a time.
    case stress(Stress = .swapoff, seconds: Int)
    /// Let another tool try.
    case workload(Workload, seconds: Int)
  }

  /// Position in the run, from 0.
  public var index: Int
  /// The scenario's name, for progress.
  public var scenario: String
  /// What the guest cannot make of it, it reports, with the reason in `restSkipped`.
  public var work: Work
  /// What the module is loaded with; a workload does without the module.
  public var provider: Provider
  /// Pages that the memcg pushes out.
  public var pages: Int
  /// Seed of the pages' stamps.
  public var seed: UInt64
  /// How long a hold lasts at the most.
  public var holdTimeoutMilliseconds: Int
  /// As the kernel's configuration has it.
  public var lru: ZswapLRU

  public init(
    index: Int, scenario: String, work: Work, provider: Provider, pages: Int, seed: UInt64,
    holdTimeoutMilliseconds: Int, lru: ZswapLRU = .memcg
  ) {
    self.lru = lru
    self.index = index
    self.scenario = scenario
    self.work = work
    self.provider = provider
    self.pages = pages
    self.seed = seed
    self.holdTimeoutMilliseconds = holdTimeoutMilliseconds
  }
}

/// Lines that the agent writes to the kernel log around each trial.
///
/// A report and the console reach the host by different ways. The kernel prints
/// in order, so once the host has read the line after a trial, it has read every
/// splat of that trial.
public enum ConsoleMark: Hashable, Sendable {
  /// Before the hello: what the boot had to report stands above it.
  case ready
  /// Before the host is told that the trial of that index is begun.
  case trialBegins(Int)
  /// After all that is done in the trial, and before its report is sent.
  case trialEnds(Int)

  private static let prefix = "zswap_harness: trial "
  private static let readyText = "zswap_harness: ready"

  /// As it is written to /dev/kmsg, without the newline.
  public var line: String {
    switch self {
    case .ready: Self.readyText
    case .trialBegins(let index): "\(Self.prefix)\(index) begins"
    case .trialEnds(let index): "\(Self.prefix)\(index) ends"
    }
  }

  /// The mark in a console line, whatever stands before it.
  public init?(in line: String) {
    if line.contains(Self.readyText) {
      self = .ready
      return
    }
    guard let start = line.firstRange(of: Self.prefix)?.upperBound else { return nil }
    let words = line[start...].split(whereSeparator: \.isWhitespace)
    guard words.count == 2, let index = Int(words[0]) else { return nil }
    switch words[1] {
    case "begins": self = .trialBegins(index)
    case "ends": self = .trialEnds(index)
    default: return nil
    }
  }
}
