import Foundation
import GuestWire
import SystemPackage

/// Runs the tools of today on the kernels that the harness is measured by.
public struct ToolComparisonRun: Sendable {
  let corpus: CorpusRun
  /// What each tool is given at least.
  let seconds: Int

  public init(_ corpus: CorpusRun, seconds: Int) {
    self.corpus = corpus
    self.seconds = seconds
  }

  /// The tools' trials on the kernel without a bug.
  ///
  /// - Parameter number: of several runs.
  public func baseline(_ number: Int) async throws -> [TrialRecord] {
    try await trials(on: nil, number: number, seconds: seconds)
  }

  /// The harness's run on a mutant, and the tools' trials on it: none of them is given less
  /// time than the harness took.
  public func results(
    on mutant: Mutant
  ) async throws -> (harness: MutantResult, tools: [TrialRecord]) {
    let result = try await corpus.run(mutant)
    let given = Self.seconds(atLeast: seconds, besideKillAt: result.kill?.seconds)
    return (result, try await trials(on: mutant, number: 1, seconds: given))
  }

  /// Whether a run of before says all that another would. One that was interrupted came to
  /// its end as well, and each tool's trial of it has the time that it was to take.
  static func isTakenOver(_ record: RunRecord, ofImage sum: String, seconds: Int) -> Bool {
    record.finishedAt != nil && record.status != .error && record.cutShort == nil
      && record.kernel?.sha256 == sum
      && record.trials.allSatisfy { $0.stressSeconds == seconds }
  }

  /// Whole seconds for a tool beside a harness that took so long.
  static func seconds(atLeast: Int, besideKillAt kill: Double?) -> Int {
    max(atLeast, Int((kill ?? 0).rounded(.up)))
  }

  /// Each in a guest of its own. What is there from before, of the same kernel and time, is
  /// taken over.
  private func trials(
    on mutant: Mutant?, number: Int, seconds: Int
  ) async throws -> [TrialRecord] {
    let name = mutant?.id ?? "none"
    corpus.progress.phase("\(name): the tools of today")
    var build = KernelBuild()
    build.fragments = corpus.fragments
    build.mutants = mutant.map { [$0.id] } ?? []
    let image = try await build.image(checkout: corpus.checkout, cache: corpus.cache)
    let path = "\(corpus.folder)/tools/\(name)-\(number)"
    let sum = try await ContentHash.of(file: image)
    if let record = CorpusRun.record(in: path),
      Self.isTakenOver(record, ofImage: sum, seconds: seconds)
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
