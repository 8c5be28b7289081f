import BisectRun
import Foundation
import HarnessKit
import SystemPackage
import Testing

@Suite(
  .serialized, .enabled(if: GeneratedRepository.source != nil), WithGeneratedRepository())
struct BisectCommandTests {
  @Test func culpritIsFoundInTwentyOfTwentyHistories() async throws {
    let repository = try #require(GeneratedRepository.current)
    #expect(repository.mutants.count == 20)
    try await withScratch { scratch in
      for branch in repository.mutants {
        let truth = try repository.truth(branch)
        let result = try await BisectProcess(
          repository: repository.path, truth: repository.path.appending("\(branch).json").string,
          out: scratch.appending(branch).string, arguments: ["--good", "base", "--bad", branch]
        ).run()
        let log = try String(
          contentsOfFile: scratch.appending(branch).appending("bisect.log").string,
          encoding: .utf8)
        #expect(result.status == 0, "\(branch): \(result.text) \(result.errors)")
        #expect(log.contains("# first bad commit: [\(truth.culprit)]"), "\(branch): \(result.text)")
      }
    }
  }

  @Test func killedAtTenMomentsItComesToTheSameAnswerAndLosesNoTrial() async throws {
    let repository = try #require(GeneratedRepository.current)
    let branch = repository.mutants[3]
    try await withScratch { scratch in
      let checkout = scratch.appending("linux")
      try await repository.userCheckout(branch, at: checkout)
      var truth = try repository.truth(branch)
      truth.buildMilliseconds = 150
      // So long that a busy host makes no two of them between two looks.
      truth.trialMilliseconds = 400
      let file = scratch.appending("truth.json").string
      try JSONEncoder().encode(truth).write(to: URL(filePath: file))
      let before = try await GeneratedRepository.fingerprint(of: checkout)

      var process = BisectProcess(
        repository: checkout, truth: file, out: scratch.appending("out").string,
        arguments: ["--good", "base", "--bad", branch, "--resume"])
      var kept: [Substring] = []
      var kills = 0
      while kills < 10 {
        // A line or so further each time: some thirty are written until it is done.
        let goal = kept.count + .random(in: 0...1)
        guard try await process.kill(onceJournalHas: goal, after: .random(in: 0...90)) else {
          break
        }
        kills += 1
        var lines = String(decoding: process.journal, as: UTF8.self)
          .split(separator: "\n", omittingEmptySubsequences: false)
        lines.removeLast()
        #expect(lines.starts(with: kept), "what was recorded is still there")
        kept = lines.map { Substring(String($0)) }
      }
      #expect(kills == 10)
      let result = try await process.run()
      let log = try String(
        contentsOfFile: scratch.appending("out/bisect.log").string, encoding: .utf8)
      #expect(log.contains("# first bad commit: [\(truth.culprit)]"), "\(result.text)")
      let whole = String(decoding: process.journal, as: UTF8.self).split(separator: "\n")
      #expect(whole.starts(with: kept))
      #expect(try await GeneratedRepository.fingerprint(of: checkout) == before)

      // Begun anew there, or gone on with for another question, it is refused.
      process.arguments = ["--good", "base", "--bad", branch]
      let again = try await process.run()
      #expect(again.status == 64 && again.errors.contains("--resume"))
      process.arguments += ["--resume", "--finding", "something else"]
      let other = try await process.run()
      #expect(other.status == 64 && other.errors.contains("other ends, paths, finding"))
    }
  }

  @Test func gitReplaysItsLog() async throws {
    let repository = try #require(GeneratedRepository.current)
    let branch = repository.mutants[5]
    try await withScratch { scratch in
      let checkout = scratch.appending("linux")
      try await Tool("git").run([
        "clone", "--quiet", "--shared", "--branch", branch, repository.path.string, checkout.string,
      ])
      let out = scratch.appending("out")
      _ = try await BisectProcess(
        repository: checkout, truth: repository.path.appending("\(branch).json").string,
        out: out.string, arguments: ["--good", "base", "--bad", branch]
      ).run()
      let replay = try await Tool("git", in: checkout).run(
        ["bisect", "replay", out.appending("bisect.log").string])
      let culprit = try repository.truth(branch).culprit
      #expect(replay.text.contains("\(culprit) is the first bad commit"), "\(replay.text)")
    }
  }

  @Test func commitThatFixedItIsFound() async throws {
    let repository = try #require(GeneratedRepository.current)
    let branch = repository.mutants[7]
    try await withScratch { scratch in
      var truth = try repository.truth(branch)
      truth.isFix = true
      truth.p = 0.5
      let file = scratch.appending("truth.json").string
      try JSONEncoder().encode(truth).write(to: URL(filePath: file))
      let result = try await BisectProcess(
        repository: repository.path, truth: file, out: scratch.appending("out").string,
        // At its default it is meant to be wrong once in a hundred times.
        arguments: [
          "--bad", "base", "--good", branch, "--find", "fix", "--confidence", "0.999999",
        ]
      ).run()
      #expect(result.status == 0)
      #expect(result.text.contains(truth.culprit.prefix(12)), "\(result.text)")
    }
  }

  @Test func findingThatIsNotThereIsNoAnswerAndNoPass() async throws {
    let repository = try #require(GeneratedRepository.current)
    let branch = repository.mutants[0]
    try await withScratch { scratch in
      var truth = try repository.truth(branch)
      truth.p = 0
      let file = scratch.appending("truth.json").string
      try JSONEncoder().encode(truth).write(to: URL(filePath: file))
      let result = try await BisectProcess(
        repository: repository.path, truth: file, out: scratch.appending("out").string,
        arguments: ["--good", "base", "--bad", branch, "--end-trials", "40"]
      ).run()
      #expect(result.status == 4)
      #expect(result.text.contains("did not show at"))
      #expect(result.text.contains("in 40 trials"))
    }
  }

  @Test func endsThatAreNoHistoryAreRefused() async throws {
    let repository = try #require(GeneratedRepository.current)
    let (one, other) = (repository.mutants[0], repository.mutants[1])
    for ends in [["--good", one, "--bad", other], ["--good", "base", "--bad", "nothing"]] {
      let result = try await BisectProcess(
        repository: repository.path, truth: "/dev/null", out: "/nonexistent/never",
        arguments: ends + ["--dry-run"]
      ).run()
      #expect(result.status == 64)
    }
  }

  @Test func dryRunSaysWhatItWillTakeAndLeavesNothing() async throws {
    let repository = try #require(GeneratedRepository.current)
    try await withScratch { scratch in
      let result = try await BisectProcess(
        repository: repository.path, truth: "/dev/null", out: scratch.appending("out").string,
        arguments: ["--good", "base", "--bad", repository.mutants[0], "--dry-run"]
      ).run()
      #expect(result.status == 0)
      #expect(result.text.contains("256 commits between"))
      #expect(!FileManager.default.fileExists(atPath: scratch.appending("out").string))
    }
  }
}
