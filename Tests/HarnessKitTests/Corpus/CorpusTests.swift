import Foundation
import GuestWire
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct CorpusTests {
  private static func patch(
    kind: String = "I (needs a hold)",
    expect: [String] = ["KASAN: slab-use-after-free in shrink_memcg_cb"], claim: String = "S2"
  ) -> String {
    """
    From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
    Subject: [PATCH] X1: look at the tree without a pin, pointer taken
     before the unlock

    Breaks: a pin.
    Class: \(kind)
    \(expect.map { "Expect: \($0)" }.joined(separator: "\n"))
    Claim: \(claim)

    Whatever: this is a paragraph, and the next line is none of its value.
      Class: E
    ---
     mm/zswap.c | 1 -
    Expect: nothing
    """
  }

  private static func mutant(_ kind: String = "I", expect: String? = nil) throws -> Mutant {
    try Mutant(
      id: "X1",
      parsing: patch(
        kind: kind, expect: [expect ?? "KASAN: slab-use-after-free in shrink_memcg_cb"]))
  }

  // MARK: - Headers

  @Test func `a header says what the mutant is to be found by, and no more than it says`() throws {
    let mutant = try Mutant(
      id: "X1", parsing: Self.patch(expect: ["KASAN: a in b", "kernel BUG in c"]))
    #expect(mutant.title == "look at the tree without a pin, pointer taken before the unlock")
    #expect(mutant.kind == .injected)
    #expect(mutant.expected == ["KASAN: a in b", "kernel BUG in c"])
    #expect(mutant.claims == "S2")
  }

  @Test func `a header without a class, an expectation or a claim is an error that names it`() {
    for (text, field) in [
      (Self.patch(kind: "Q"), "Class"), (Self.patch(expect: []), "Expect"),
      (Self.patch(claim: ""), "Claim"), ("", "Subject"),
    ] {
      #expect(throws: Mutant.HeaderError(id: "X1", field: field)) {
        try Mutant(id: "X1", parsing: text)
      }
    }
  }

  @Test func `every mutant of this checkout has a header that can be read`() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().deletingLastPathComponent()
    let mutants = try Mutant.all(of: Checkout(root: .init(root.path)))
    #expect(mutants.count >= 20)
    // Controls are as needed as bugs: without them, a harness that always fails
    // has the best score.
    #expect(mutants.contains { $0.kind == .equivalent })
    // Each claim has one that breaks it.
    for claim in Claim.allCases {
      #expect(mutants.contains { $0.claims.contains(claim.rawValue) }, "\(claim)")
    }
  }

  // MARK: - Results

  @Test func `a kill is by the expected finding, or another, and has its trial and time`() throws {
    let result = MutantResult(try Self.mutant(), Records.failed)
    #expect(result.end == .killed)
    #expect(result.kill?.trials == 1)
    #expect(result.kill?.seconds == 1.3)
    #expect(result.kill?.schedule == Trials.unlocked)
    #expect(
      MutantResult(try Self.mutant(expect: "KASAN: double-free"), Records.failed).end
        == .killedOtherwise)
  }

  @Test func `a mutant that passes has survived, and a control that fails is a false alarm`() throws
  {
    #expect(MutantResult(try Self.mutant(), Records.passed).end == .survived)
    #expect(MutantResult(try Self.mutant("E"), Records.passed).end == .green)
    #expect(MutantResult(try Self.mutant("E"), Records.failed).end == .falseAlarm)
  }

  @Test func `a run that broke, or entered no window, neither kills nor clears`() throws {
    let broken = Records.record(
      [Records.unlocked], failures: [HarnessFailure(.harness, "QEMU ended")])
    let silent = Records.record([
      (TrialJudgement.unreported(Trials.spec(Trials.pinned), splats: [], why: "lost"), nil)
    ])
    for record in [broken, silent] {
      for kind in ["I", "E"] {
        let end = MutantResult(try Self.mutant(kind), record).end
        #expect(!end.isGood)
        if case .inconclusive = end { continue }
        Issue.record("\(end)")
      }
    }
  }

  @Test func `the score counts bugs that were run to an end, and nothing else`() throws {
    let bug = try Self.mutant()
    let control = try Self.mutant("E")
    let table = CorpusTable(
      results: [
        MutantResult(bug, Records.failed), MutantResult(bug, Records.passed),
        MutantResult(bug, notBuilt: "it does not compile\nat all"),
        MutantResult(control, Records.passed), MutantResult(control, Records.failed),
      ], preface: "A test.")
    #expect(table.score == (killed: 1, of: 2))
    #expect(table.markdown.contains("Mutation score: 1 of 2, 50 %; 1 by the finding"))
    #expect(table.markdown.contains("**survived**"))
    #expect(table.markdown.contains("**false alarm**"))
    #expect(table.markdown.contains("- X1: it does not compile\n"))
    #expect(CorpusTable(results: [], preface: "").score == (killed: 0, of: 0))
  }
}
