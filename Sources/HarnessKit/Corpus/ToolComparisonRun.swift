import Foundation
import GuestWire
import SystemPackage

/// Runs the tools of today on the kernels that the harness is measured by.
public struct ToolComparisonRun: Sendable {
  let corpus: CorpusRun
  /// What each tool is given.
  let seconds: Int

  public init(_ corpus: CorpusRun, seconds: Int) {
    self.corpus = corpus
    self.seconds = seconds
  }

  /// The tools' trials on a mutant, or on the kernel without a bug; each in a guest of
  /// its own. What is there from before, of the same kernel and time, is taken over.
  ///
  /// - Parameter number: of several runs on the same kernel.
  public func trials(on mutant: Mutant?, number: Int = 1) async throws -> [TrialRecord] {
    let name = mutant?.id ?? "none"
    corpus.progress.phase("\(name): the tools of today")
    var build = KernelBuild()
    build.fragments = corpus.fragments
    build.mutants = mutant.map { [$0.id] } ?? []
    let image = try await build.image(checkout: corpus.checkout, cache: corpus.cache)
    let path = "\(corpus.folder)/tools/\(name)-\(number)"
    let sum = try await ContentHash.of(file: image)
    if let record = CorpusRun.record(in: path), record.kernel?.sha256 == sum,
      record.finishedAt != nil, record.trials.allSatisfy({ $0.stressSeconds == seconds })
    {
      return record.trials
    }
    try? FileManager.default.removeItem(atPath: path)
    var request = corpus.request
    request.kernel = .image(image)
    request.out = path
    request.scenarios = Workload.allCases.compactMap { Scenario.named($0.rawValue) }
    request.stressSeconds = seconds
    request.reproductions = 0
    // Its initramfs has their programs in it: no other run could use the saved guest.
    request.snapshot = false
    let outcome = try await HarnessRun(
      request, checkout: corpus.checkout, cache: corpus.cache, progress: corpus.progress
    ).run()
    try Task.checkCancellation()
    return outcome.record.trials
  }
}
