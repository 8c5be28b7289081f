import Bisect
import Foundation
import SystemPackage
import Testing

@testable import BisectRun

@Suite struct BisectJournalTests {
  private let plan = BisectPlan(old: "a", new: "b", options: Bisection.Options())

  @Test func tornLineOfAWriterThatWasKilledIsCutOffAndNothingElse() async throws {
    try await withScratch { scratch in
      let path = scratch.appending("journal.jsonl").string
      do {
        let (journal, _) = try BisectJournal.open(path, plan: plan, resume: false)
        try journal.append(.skipped(commit: "b", why: "it does not build"))
      }
      let whole = try Data(contentsOf: URL(filePath: path))
      try (whole + Data(#"{"trial":{"com"#.utf8)).write(to: URL(filePath: path))
      let (journal, entries) = try BisectJournal.open(path, plan: plan, resume: true)
      #expect(entries == [.begun(plan), .skipped(commit: "b", why: "it does not build")])
      #expect(try Data(contentsOf: URL(filePath: path)) == whole)
      try journal.append(.trial(commit: "a", trial: BisectTrial(.pass, seconds: 1)))
      #expect(try Data(contentsOf: URL(filePath: path)).starts(with: whole))
    }
  }

  @Test func goesOnWithAnotherConfidenceOrLimitAndWithNoOtherQuestion() async throws {
    try await withScratch { scratch in
      let path = scratch.appending("journal.jsonl").string
      do { _ = try BisectJournal.open(path, plan: plan, resume: false) }
      var other = plan
      other.options.trialLimit = 600
      other.options.confidence = 0.999
      let entries = try BisectJournal.open(path, plan: other, resume: true).entries
      #expect(entries == [.begun(plan)])
      other.options.findsFix = true
      #expect(throws: BisectError.self) {
        try BisectJournal.open(path, plan: other, resume: true)
      }
    }
  }

  @Test func secondProcessIsKeptOut() async throws {
    try await withScratch { scratch in
      let path = scratch.appending("journal.jsonl").string
      let first = try BisectJournal.open(path, plan: plan, resume: false)
      #expect(throws: BisectError.self) {
        try BisectJournal.open(path, plan: plan, resume: true)
      }
      #expect(first.entries.count == 1)
    }
  }

  @Test func lineThatIsNoEntryIsNamedAndNotPassedOver() async throws {
    try await withScratch { scratch in
      let path = scratch.appending("journal.jsonl").string
      do { _ = try BisectJournal.open(path, plan: plan, resume: false) }
      let whole = try Data(contentsOf: URL(filePath: path))
      try (whole + Data("garbage\n".utf8)).write(to: URL(filePath: path))
      let error = #expect(throws: BisectError.self) {
        try BisectJournal.open(path, plan: plan, resume: true)
      }
      #expect(error?.description.contains("line 2") == true)
    }
  }
}

@Suite struct PathPriorTests {
  @Test func whatTouchesZswapIsLikelierThanWhatTouchesMemoryAndThatThanWords() {
    func weight(_ paths: String...) -> Double {
      PathPrior.weight(of: .init(hash: "", subject: "", paths: paths))
    }
    #expect(weight("mm/zswap.c", "Documentation/a") > weight("mm/vmscan.c"))
    #expect(weight("mm/vmscan.c") > weight("kernel/fork.c"))
    #expect(weight("kernel/fork.c") > weight("Documentation/mm/zswap.rst"))
    #expect(weight("Documentation/mm/zswap.rst") > 0)
  }
}
