import Foundation
import Testing

/// Real kernels, real guests: each test boots at least one.
@Suite(.serialized, .enabled(if: TestKernel.arePrepared, "run scripts/test"))
struct VerdictTests {
  private let quick = ["--stress-seconds", "2", "--seed", "1"]

  @Test func `Debian's stock kernel passes, with every claim held through ftrace`() async throws {
    try await HarnessProcess.with { harness in
      let outcome = try await harness.run(["--kernel", TestKernel.stock.path] + quick)
      #expect(outcome.exitCode == 0)
      for claim in 1...8 { #expect(outcome.lines.contains("S\(claim) held")) }
      #expect(outcome.lines.last == "verdict: pass")
      for name in ["result.json", "console.log", "ktap.txt", "junit.xml"] {
        #expect(!harness.text(name).isEmpty, "\(name)")
      }
    }
  }

  @Test func `the patched KASAN kernel passes through both providers`() async throws {
    try await HarnessProcess.with { harness in
      let outcome = try await harness.run(
        ["--kernel", TestKernel.kasan.path, "--scenario", "claims"])
      #expect(outcome.exitCode == 0)
      for claim in 1...8 { #expect(outcome.lines.contains("S\(claim) held")) }
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
      let outcome = try await harness.run(
        ["--kernel", kernel.path, "--scenario", "swapoff-race"])
      #expect(outcome.exitCode == 1)
      #expect(outcome.output.contains(title))
      #expect(outcome.output.contains(#"--schedule "writeback@unlocked > swapoff@trees-freed""#))
      #expect(outcome.lines.contains("S2 violated: writeback@unlocked > swapoff@trees-freed"))
      // The guest that the oops left behind is not the one that goes on.
      #expect(
        outcome.lines.contains {
          $0.hasPrefix("pass  writeback@pinned > swapoff@trees-freed")
        })
      #expect(outcome.lines.last == "verdict: fail")
    }
  }

  @Test(arguments: [
    (TestKernel.r7b, "writeback@unlocked > load@done", "a page came back empty"),
    (TestKernel.i20, "writeback@unlocked > invalidate@freed", "invariant: zswap stored_pages"),
  ])
  func `where the kernel says nothing, the guest's audits of data and figures do`(
    kernel: TestKernel, schedule: String, title: String
  ) async throws {
    try await HarnessProcess.with { harness in
      let outcome = try await harness.run([
        "--kernel", kernel.path, "--schedule", schedule, "--confirm", "0",
      ])
      #expect(outcome.exitCode == 1)
      #expect(outcome.lines.contains("finding: \(title)"))
    }
  }

  @Test func `the race in its older form is found on Debian's unmodified 6-1`() async throws {
    try await HarnessProcess.with { harness in
      let schedule = "writeback@unlocked > swapoff@trees-freed via=pool"
      let outcome = try await harness.run([
        "--kernel", "debian:6.1", "--scenario", "swapoff-race", "--confirm", "1",
      ])
      #expect(outcome.exitCode == 1)
      #expect(
        outcome.output.contains("BUG: kernel NULL pointer dereference in zswap_writeback_entry"))
      #expect(outcome.lines.contains("S2 violated: \(schedule)"))
      #expect(outcome.output.contains("again on fresh guests: 1 of 1 runs"))
      #expect(harness.text("finding-1.txt").contains("harness --kernel debian:6.1 --schedule"))
      #expect(
        outcome.lines.contains {
          $0.hasPrefix("pass  writeback@pinned > swapoff@trees-freed via=pool")
        })
      for claim in 1...8 { #expect(!outcome.lines.contains("S\(claim) held")) }
    }
  }

  @Test func `a window that is not entered is no pass`() async throws {
    try await HarnessProcess.with { harness in
      // A writeback whose pin fails does not come to where it would be held.
      let outcome = try await harness.run([
        "--kernel", TestKernel.stock.path, "--schedule",
        "writeback@claimed > swapoff@trees-freed fail=pin", "--hold-timeout", "2",
      ])
      #expect(outcome.exitCode == 4)
      #expect(outcome.lines.last == "verdict: not exercised")
    }
  }

  @Test func `an uncontrolled race that finds nothing is no pass`() async throws {
    try await HarnessProcess.with { harness in
      let outcome = try await harness.run(
        ["--kernel", TestKernel.stock.path, "--scenario", "reclaim", "--no-snapshot"] + quick)
      #expect(outcome.exitCode == 4)
      #expect(outcome.output.contains("a stress alone does not show that any window was entered"))
      let trial = (outcome.result["trials"] as? [[String: Any]])?.first
      #expect(trial?["workload"] as? String == "reclaim")
      // It was there, and did what it is for.
      let counts = (trial?["report"] as? [String: Any])?["counts"] as? [String: Int]
      #expect((counts?["swapoffs"] ?? 0) > 0)
      #expect((counts?["writebacks"] ?? 0) > 0)
    }
  }
}
