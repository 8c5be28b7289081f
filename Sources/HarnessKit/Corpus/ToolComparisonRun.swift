import Foundation
import GuestWire
import SystemPackage

/// Runs the tools of today on the kernels that the harness is measured by.
public struct ToolComparisonRun: Sendable {
  let corpus: CorpusRun
  /// What each tool is given at least.
  let seconds: Int

  /// - Parameters:
  ///   - corpus: its request, folder and fragments are the tools' as well.
  ///   - seconds: what each tool is given; the time of the harness's kill where that is longer.
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

  /// What a kernel's code is made of: SHA-256 of its source's name and of all patches, without
  /// their headers. What is known of a kernel with the same need not be had again.
  ///
  /// - Parameter mutant: nil for the kernel without a bug.
  public func code(with mutant: Mutant?) async throws -> String {
    let patches =
      try KernelPatch.series(of: corpus.checkout)
      + (mutant.map { [try KernelPatch.mutant($0.id, of: corpus.checkout)] } ?? [])
    let source = try await KernelBuild().source.tree(in: corpus.cache).identity
    return try await ContentHash.of(([source[...]] + patches.map(\.changes)).joined())
  }

  /// What a run of before says of the tools, so that it need not be had again: those that
  /// came to an end, on the same kernel, in the time that each is to have. Another tool's lost
  /// guest takes nothing from them. Where the run was interrupted, a guest without a report
  /// may be one that was stopped.
  static func takenOver(
    _ record: RunRecord, ofImage sum: String, seconds: Int
  ) -> [TrialRecord] {
    guard record.finishedAt != nil, record.kernel?.sha256 == sum else { return [] }
    return record.trials.filter {
      $0.stressSeconds == seconds
        && ($0.report != nil || record.cutShort == nil && !$0.failingFindings.isEmpty)
    }
  }

  /// Whole seconds for a tool beside a harness that took so long.
  static func seconds(atLeast: Int, besideKillAt kill: Double?) -> Int {
    max(atLeast, Int((kill ?? 0).rounded(.up)))
  }

  /// Each in a guest of its own. Where one is lost, those that have not had theirs are run
  /// in a further part: it costs them nothing.
  private func trials(
    on mutant: Mutant?, number: Int, seconds: Int
  ) async throws -> [TrialRecord] {
    let name = mutant?.id ?? "none"
    corpus.progress.phase("\(name): the tools of today")
    var build = KernelBuild()
    build.fragments = corpus.fragments
    build.mutants = mutant.map { [$0.id] } ?? []
    let image = try await build.image(checkout: corpus.checkout, cache: corpus.cache)
    let sum = try await ContentHash.of(file: image)
    var trials: [TrialRecord] = []
    for part in 1... {
      let rest = Workload.allCases.filter { workload in
        !trials.contains { $0.workload == workload }
      }
      if rest.isEmpty { break }
      let path = "\(corpus.folder)/tools/\(name)-\(number)" + (part > 1 ? "-part\(part)" : "")
      let before = CorpusRun.record(in: path).map {
        Self.takenOver($0, ofImage: sum, seconds: seconds)
      }
      if let before, !before.isEmpty {
        trials += before
        continue
      }
      try? FileManager.default.removeItem(atPath: path)
      var request = corpus.request
      request.kernel = .image(image)
      request.out = path
      request.scenarios = rest.compactMap { Scenario.named($0.rawValue) }
      request.stressSeconds = seconds
      request.reproductions = 0
      // Its initramfs has their programs in it: no other run could use the saved guest.
      request.snapshot = false
      let record = try await HarnessRun(
        request, checkout: corpus.checkout, cache: corpus.cache, progress: corpus.progress
      ).run().record
      try Task.checkCancellation()
      let begun = record.trials.filter { $0.secondsFromReady != nil }
      if begun.isEmpty {
        throw record.error ?? HarnessFailure(.harness, "no trial of \(path) was begun")
      }
      trials += begun
    }
    return trials
  }
}
