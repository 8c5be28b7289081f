import Foundation
import Testing

/// Real kernels, real guests: each test boots at least one.
@Suite(.serialized, .enabled(if: TestKernel.arePrepared, "run scripts/test"))
struct VerdictTests {
  private let quick = ["--stress-seconds", "2", "--seed", "1"]

  @Test func `Debian's stock kernel passes, with S2 and S5 held through ftrace`() async throws {
    try await HarnessProcess.with { harness in
      let outcome = try await harness.run(["--kernel", TestKernel.stock.path] + quick)
      #expect(outcome.exitCode == 0)
      #expect(outcome.lines.contains("S2 held"))
      #expect(outcome.lines.contains("S5 held"))
      #expect(outcome.lines.contains("S6 not exercised"))
      #expect(outcome.lines.last == "verdict: pass")
      for name in ["result.json", "console.log", "ktap.txt", "junit.xml"] {
        #expect(!harness.text(name).isEmpty, "\(name)")
      }
    }
  }

  @Test func `the patched KASAN kernel passes through both providers`() async throws {
    try await HarnessProcess.with { harness in
      let outcome = try await harness.run(["--kernel", TestKernel.kasan.path] + quick)
      #expect(outcome.exitCode == 0)
      #expect(outcome.lines.contains("S2 held"))
      #expect(outcome.lines.contains("S5 held"))
      let text = harness.text("result.json")
      #expect(text.contains(#""provider" : "patch""#))
      #expect(text.contains(#""provider" : "ftrace""#))
    }
  }

  @Test(arguments: [
    (TestKernel.r1a, "KASAN: slab-use-after-free in shrink_memcg_cb"),
    (TestKernel.r1b, "KASAN: null-ptr-deref in shrink_memcg_cb"),
  ])
  func `the old bug put back is found, by its function and a schedule to paste`(
    kernel: TestKernel, title: String
  ) async throws {
    try await HarnessProcess.with { harness in
      let outcome = try await harness.run(["--kernel", kernel.path] + quick)
      #expect(outcome.exitCode == 1)
      #expect(outcome.output.contains(title))
      #expect(outcome.output.contains(#"--schedule "writeback@unlocked > swapoff@trees-freed""#))
      #expect(outcome.lines.contains("S2 violated: writeback@unlocked > swapoff@trees-freed"))
      // The guest that the oops left behind is not the one that S5 is tried in.
      #expect(outcome.lines.contains("S5 held"))
      #expect(outcome.lines.last == "verdict: fail")
    }
  }

  @Test func `a window that is not entered is no pass`() async throws {
    try await HarnessProcess.with { harness in
      // Writeback's result comes after swapoff, or swapoff waits for nothing:
      // no writeback is pinned when swapoff has freed the trees.
      let outcome = try await harness.run([
        "--kernel", TestKernel.stock.path, "--schedule",
        "swapoff@trees-freed > writeback@pinned", "--hold-timeout", "2",
      ])
      #expect(outcome.exitCode == 4)
      #expect(outcome.lines.last == "verdict: not exercised")
    }
  }
}
