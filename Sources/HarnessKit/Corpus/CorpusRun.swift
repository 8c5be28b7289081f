import Foundation
import SystemPackage

/// Runs the mutants of a checkout, and keeps each one's run.
///
/// What is there from before, of the same kernel and seed, and came to an end, is not run
/// again: it may be interrupted, and goes on where it was.
public struct CorpusRun: Sendable {
  /// Of every run; its kernel, its folder and its first finding are set here.
  public var request: RunRequest
  /// Of each mutant's configuration; see `KernelBuild.fragments`.
  public var fragments: [String]
  /// Where the runs are, each in a folder of the mutant's name.
  public var folder: String
  let checkout: Checkout
  let cache: Cache
  let progress: StatusLine

  /// - Parameters:
  ///   - checkout: has the mutants, and all that a run needs.
  ///   - cache: keeps their kernels.
  ///   - progress: is told of each phase; the caller ends its line.
  public init(
    _ request: RunRequest, fragments: [String], folder: String, checkout: Checkout, cache: Cache,
    progress: StatusLine
  ) {
    self.request = request
    self.fragments = fragments
    self.folder = folder
    self.checkout = checkout
    self.cache = cache
    self.progress = progress
  }

  /// Builds and runs one, or takes over what is there of it.
  public func run(_ mutant: Mutant) async throws -> MutantResult {
    progress.phase("\(mutant.id): building the kernel")
    var build = KernelBuild()
    build.fragments = fragments
    build.mutants = [mutant.id]
    let image: FilePath
    do {
      image = try await build.image(checkout: checkout, cache: cache)
    } catch let error as KernelError where error.fault == .kernelUnusable {
      return MutantResult(mutant, notBuilt: error.description)
    }
    let path = "\(folder)/\(mutant.id)"
    let sum = try await ContentHash.of(file: image)
    if let record = Self.finished(path), record.kernel?.sha256 == sum,
      record.seed == RunRecord.text(ofSeed: request.seed)
    {
      return MutantResult(mutant, record)
    }
    try? FileManager.default.removeItem(atPath: path)
    var request = request
    request.kernel = .image(image)
    request.out = path
    request.failsFast = true
    request.reproductions = 0
    let outcome = try await HarnessRun(
      request, checkout: checkout, cache: cache, progress: progress
    ).run()
    try Task.checkCancellation()
    return MutantResult(mutant, outcome.record)
  }

  /// The record of a run that says something.
  private static func finished(_ path: String) -> RunRecord? {
    record(in: path).flatMap { $0.status == .error ? nil : $0 }
  }

  /// Whatever there is of a run.
  static func record(in path: String) -> RunRecord? {
    FileManager.default.contents(atPath: "\(path)/result.json")
      .flatMap { try? RunRecord(json: $0) }
  }
}
