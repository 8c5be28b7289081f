import Foundation
import HarnessKit
public import SystemPackage

/// A builder that looks up what comes of each commit, for tests of all that is around it.
public struct SimulatedLab: BisectLab {
  /// What is true of a repository; `Tests/bisect-repository.py` writes one.
  public struct Truth: Hashable, Sendable, Codable {
    /// The full hash of the commit that brought the bug, or of its fix.
    public var culprit: String
    /// Rates of the finding on bad and on good commits.
    public var p: Double
    /// The one on good commits, where it comes without the bug.
    public var q: Double
    /// Whether the culprit is the commit that fixed it.
    public var isFix: Bool?
    /// Full hashes of commits whose build fails.
    public var unbuildable: [String]
    /// Full hashes of commits whose kernel is built, and does not boot.
    public var unbootable: [String]
    /// Commits on which each trial ends with an unrelated warning.
    public var warning: [String]
    /// Commits whose kernel is that of their parent.
    public var inert: [String]
    /// How long a build is made to last.
    public var buildMilliseconds: Int
    /// How long each trial is made to last, and is said to have taken.
    public var trialMilliseconds: Int
  }

  let truth: Truth
  let repository: FilePath

  /// - Throws: where the file cannot be read, or is no `Truth` in JSON.
  public init(reading file: String, repository: FilePath) throws {
    truth = try JSONDecoder().decode(Truth.self, from: Data(contentsOf: URL(filePath: file)))
    self.repository = repository
  }

  public func build(_ commit: String, known: BuiltKernel?) async throws -> BuildResult {
    if let known { return .built(known) }
    try await Task.sleep(for: .milliseconds(truth.buildMilliseconds))
    if truth.unbuildable.contains(commit) { return .unusable("mm/zswap.c: error: simulated") }
    var image = commit
    while truth.inert.contains(image) { image = try await git(["rev-parse", "\(image)^"]) }
    return .built(BuiltKernel(image: image, isHooked: true))
  }

  public func run(
    _ commit: String, _ kernel: BuiltKernel, trials: Int,
    each: @escaping @Sendable (BisectTrial) -> Void
  ) async throws -> String? {
    if truth.unbootable.contains(commit) { return "simulated: it does not boot" }
    let descends = try await Tool.git(in: repository).run(
      ["merge-base", "--is-ancestor", truth.culprit, commit], accepting: { $0 <= 1 })
    let isBad = (descends.status == 0) != (truth.isFix ?? false)
    for _ in 0..<trials {
      try await Task.sleep(for: .milliseconds(truth.trialMilliseconds))
      let seconds = Double(truth.trialMilliseconds) / 1000
      if truth.warning.contains(commit) {
        each(BisectTrial(.silent, what: "WARNING in simulated()", seconds: seconds))
      } else if Double.random(in: 0..<1) < (isBad ? truth.p : truth.q) {
        each(BisectTrial(.finding, what: "simulated finding", seconds: seconds))
        return nil
      } else {
        each(BisectTrial(.pass, seconds: seconds))
      }
    }
    return nil
  }

  private func git(_ arguments: [String]) async throws -> String {
    try await Tool.git(in: repository).run(arguments).lines.first ?? ""
  }
}
