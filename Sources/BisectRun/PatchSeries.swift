import GuestWire
public import HarnessKit
import SystemPackage

/// Commits of a patch series, each built and run by itself.
public struct PatchSeries: Sendable {
  let builds: SuccessiveBuild
  let request: RunRequest
  /// The series' own: each commit's run has a folder in it, named by 12 digits of its hash.
  public let folder: RunFolder
  let checkout: Checkout
  let cache: Cache
  let status: StatusLine

  /// - Parameters:
  ///   - request: what runs have in common; kernel, module, folder and provider are set for each.
  ///   - folder: a new one, for the runs of this series only.
  public init(
    builds: SuccessiveBuild, request: RunRequest, folder: RunFolder, checkout: Checkout,
    cache: Cache, status: StatusLine
  ) {
    self.builds = builds
    self.request = request
    self.folder = folder
    self.checkout = checkout
    self.cache = cache
    self.status = status
  }

  /// What came of one commit.
  public struct Result: Hashable, Sendable {
    /// As it was handed to `test`.
    public var commit: CommitHistory.Commit
    /// In a word or two.
    public var verdict: String
    /// What was found, or why nothing is said.
    public var detail: String?
    /// As of `harness run` for this commit alone; 3 where it does not build.
    public var exitCode: Int32

    /// As git log --oneline, with the verdict before it.
    public var line: String {
      verdict.padded(to: 15) + "\(commit.hash.prefix(12)) \(commit.subject)"
        + (detail.map { "\n               \($0)" } ?? "")
    }
  }

  /// Builds, boots and races a commit.
  public func test(_ commit: CommitHistory.Commit) async throws -> Result {
    let product: SuccessiveBuild.Product
    do {
      product = try await builds.build(commit.hash)
    } catch let error as KernelError where error.fault == .kernelUnusable {
      try Task.checkCancellation()
      // Where it is the module that does not, the patch may be innocent.
      return Result(
        commit: commit,
        verdict: error.operation == KernelError.moduleBuild ? "unusable" : "does not build",
        detail: "\(error)".split(separator: "\n").prefix(2).joined(separator: ": "), exitCode: 3)
    }
    var request = request
    request.kernel = .image(product.image)
    request.module = product.module.string
    request.out = "\(folder.path)/\(commit.hash.prefix(12))"
    request.providers = [product.isHooked ? .patch : .ftrace]
    let record = try await HarnessRun(
      request, checkout: checkout, cache: cache, progress: status
    ).run().record
    try Task.checkCancellation()
    let told =
      record.findings.first { $0.known == nil }?.title ?? record.error?.message
      ?? record.reasons.first
    // Its hook points do not fit, and ftrace stands elsewhere: kmod/README.md.
    let hooks = product.isHooked ? nil : "through ftrace: the hook points do not fit it"
    let details = [told, hooks].compactMap(\.self)
    return Result(
      commit: commit,
      verdict: record.error?.kind == .kernelUnusable ? "unusable" : record.status.rawValue,
      detail: details.isEmpty ? nil : details.joined(separator: "; "),
      exitCode: record.exitCode)
  }

  /// What is to be said of a series with these: a finding first, then what broke.
  public static func worst(of codes: [Int32]) -> Int32 {
    [1, 2, 3, 4].first { codes.contains($0) } ?? codes.max() ?? 0
  }
}
