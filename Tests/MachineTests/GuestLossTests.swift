import Foundation
import TestSupport
import Testing

/// A guest that misbehaves, for real: the agent does it on request.
@Suite(.serialized, .enabled(if: TestKernel.arePrepared, "run scripts/test"))
struct GuestLossTests {
  private func run(
    _ fault: String,
    in work: [String] = ["--schedule", "writeback@unlocked > swapoff@trees-freed"],
    _ body: (HarnessProcess.Outcome) throws -> Void
  ) async throws {
    try await HarnessProcess.with { harness in
      let outcome = try await harness.run(
        ["--kernel", TestKernel.stock.path, "--guest-fault", fault, "--silence-limit", "30"] + work)
      try body(outcome)
      #expect(harness.guests.isEmpty)
    }
  }

  @Test func `a panic is a finding of the kernel's`() async throws {
    try await run("panic") { outcome in
      #expect(outcome.exitCode == 1)
      #expect(outcome.output.contains("sysrq triggered crash"))
    }
  }

  @Test func `a guest that falls silent in a trial is a stall`() async throws {
    try await run("hang") { outcome in
      #expect(outcome.exitCode == 1)
      #expect(outcome.output.contains("guest hangs"))
    }
  }

  @Test func `a guest that powers off early says nothing about the kernel`() async throws {
    try await run("poweroff") { outcome in
      #expect(outcome.exitCode == 2)
      #expect(outcome.output.contains("powered off before it had reported"))
    }
  }

  @Test func `a guest that floods the console is stopped`() async throws {
    try await run("flood") { outcome in
      #expect(outcome.exitCode == 3)
      #expect(outcome.output.contains("flooded the console"))
    }
  }

  @Test func `a guest that lies spoils its own run`() async throws {
    try await run("lie") { outcome in
      #expect(outcome.exitCode == 2)
      #expect(outcome.output.contains("magic number"))
    }
  }

  @Test func `a crash of the agent is an error of ours`() async throws {
    try await run("crash") { outcome in
      #expect(outcome.exitCode == 2)
      #expect(outcome.console.contains("guest-agent: worker ended with status"))
    }
  }

  @Test(arguments: [
    ("bereave", ["--scenario", "swapoff-stress"]),
    ("orphan", ["--schedule", "writeback@unlocked > swapoff@trees-freed"]),
  ])
  func `a page holder that is killed is a finding, and no lost guest`(
    fault: String, work: [String]
  ) async throws {
    try await run(fault, in: work) { outcome in
      #expect(outcome.exitCode == 1)
      #expect(outcome.output.contains("page-holder killed by signal 9"))
    }
  }

  @Test func `a QEMU that is killed is an error of the host's`() async throws {
    try await HarnessProcess.with { harness in
      let process = try await harness.startAndAwaitGuest()
      for guest in harness.guests { kill(guest, SIGKILL) }
      await process.ended()
      #expect(process.terminationStatus == 2)
      #expect(harness.text("result.json").contains("killed by signal 9"))
    }
  }

  @Test func `kill -9 of the harness leaves no guest, and a folder that says so`() async throws {
    try await HarnessProcess.with { harness in
      let process = try await harness.startAndAwaitGuest()
      kill(process.processIdentifier, SIGKILL)
      await process.ended()
      #expect(try await harness.guestsHaveEnded())
      #expect(harness.text("result.json").contains("did not finish"))
    }
  }

  @Test func `kill -9 of the harness leaves none of several guests`() async throws {
    try await HarnessProcess.with { harness in
      let stress = ["--scenario", "swapoff-stress"]
      let process = try await harness.startAndAwaitGuest(
        ["--jobs", "2"] + stress + stress, count: 2)
      kill(process.processIdentifier, SIGKILL)
      await process.ended()
      #expect(try await harness.guestsHaveEnded())
    }
  }

  @Test func `Ctrl-C leaves no guest, and a folder that says so`() async throws {
    try await HarnessProcess.with { harness in
      let process = try await harness.startAndAwaitGuest()
      kill(process.processIdentifier, SIGINT)
      await process.ended()
      #expect(process.terminationStatus == 2)
      #expect(harness.guests.isEmpty)
      #expect(harness.text("result.json").contains("interrupted"))
    }
  }
}
