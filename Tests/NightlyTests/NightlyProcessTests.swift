import Foundation
import GRDB
import TestSupport
import Testing

@testable import Nightly

/// The command itself, killed and crowded.
@Suite(.serialized, .timeLimit(.minutes(4))) struct NightlyProcessTests {
  @Test func `a nightly that is killed loses nothing, and the next call goes on`() async throws {
    try await NightHarness.with { harness in
      let plan = try harness.plan(scenarios: ["claims"])
      try harness.behave(["stock-6.12": [["seconds": 600], [:]]])
      let process = try harness.start(harness.arguments(plan))
      // The first is over and recorded, another one runs, and has its folder: before that
      // it would be run as the first again.
      try await eventually("a cell is recorded") {
        let begun = "cells/stock-6.12~claims~default/run-1/result.json"
        return (try? harness.recorded()) == ["stock-6.1/claims/default pass"]
          && NightFolder.newest(of: plan).map {
            FileManager.default.fileExists(atPath: $0.file(begun))
          } == true
      }
      kill(process.processIdentifier, SIGKILL)
      await process.ended()
      try await eventually("its runs end with it") { harness.processes.isEmpty }

      let next = try await harness.harness(harness.arguments(plan))
      #expect(next.exitCode == 0, "\(next.errors)")
      #expect(next.errors.contains("going on with"))
      let recorded = try harness.recorded()
      #expect(
        recorded.filter { $0.hasSuffix("pass") } == [
          "patched-kasan/claims/default pass", "stock-6.1/claims/default pass",
          "stock-6.12/claims/default pass",
        ])
      // The one that was killed is kept as well.
      #expect(recorded.filter { $0.hasSuffix("error") }.count == 1)
      #expect(try History(existing: harness.history).nights(limit: 9).count == 1)

      try harness.behave([:])
      let fresh = try await harness.harness(harness.arguments(plan))
      #expect(fresh.exitCode == 0)
      #expect(try History(existing: harness.history).nights(limit: 9).count == 2)
    }
  }

  /// A real kernel, which `scripts/test` has prepared.
  static let kernel = ProcessInfo.processInfo.environment["HARNESS_TEST_STOCK"]

  @Test(.enabled(if: kernel != nil, "run scripts/test"))
  func `a QEMU that is killed costs its run, and not the night`() async throws {
    try await NightHarness.with { harness in
      try harness.write(
        """
        name: real
        kernels: [{name: stock, image: "\(Self.kernel ?? "")"}]
        scenarios: [{name: race, scenario: "swapoff-race,swapoff-stress", stress: 8s}]
        machines: [{name: q35, accelerator: tcg}]
        """, to: "real.yaml")
      let process = try harness.start(["nightly", "--plan", "\(harness.folder)/real.yaml"])
      // Before that its loss might be one of a guest that cannot be restored: a boot takes its
      // place, and the run passes.
      try await eventually("a trial is over") {
        let nights = try? FileManager.default.subpathsOfDirectory(
          atPath: "\(harness.folder)/nights")
        return nights?.contains { name in
          guard name.hasSuffix("run-1/console.log") else { return false }
          let text = FileManager.default.contents(atPath: "\(harness.folder)/nights/\(name)")
          return String(decoding: text ?? Data(), as: UTF8.self).contains("trial 0 ends")
        } == true
      }
      for guest in harness.guests { kill(guest, SIGKILL) }
      await process.ended()
      #expect(process.terminationStatus == 0)
      #expect(try harness.recorded() == ["stock/race/q35 error", "stock/race/q35 pass"])
      let page = FileManager.default.enumerator(atPath: "\(harness.folder)/nights")?.contains {
        ($0 as? String)?.hasSuffix("index.html") == true
      }
      #expect(page == true)
    }
  }

  @Test func `one that is interrupted has its runs save their results, and goes on`() async throws {
    try await NightHarness.with { harness in
      let plan = try harness.plan(scenarios: ["claims"])
      try harness.behave(["stock-6.1": [["seconds": 600], [:]]])
      let process = try harness.start(harness.arguments(plan))
      try await eventually("a run is under way") {
        FileManager.default.enumerator(atPath: "\(harness.folder)/nights")?.contains {
          ($0 as? String)?.hasSuffix("stock-6.1~claims~default/run-1/result.json") == true
        } == true
      }
      process.terminate()
      await process.ended()
      #expect(process.terminationStatus == 2)
      #expect(harness.processes.isEmpty)
      let next = try await harness.harness(harness.arguments(plan))
      #expect(next.exitCode == 0)
      #expect(try harness.recorded().contains("stock-6.1/claims/default error"))
      #expect(try harness.recorded().contains("stock-6.1/claims/default pass"))
    }
  }

  @Test func `two nightlies on one history both have all that they ran`() async throws {
    try await NightHarness.with { harness in
      let plans = try ["one", "two"].map { try harness.plan(name: $0) }
      async let one = harness.harness(harness.arguments(plans[0]))
      async let two = harness.harness(harness.arguments(plans[1]))
      let outcomes = try await [one, two]
      #expect(outcomes.map(\.exitCode) == [0, 0], "\(outcomes.map(\.errors))")
      let nights = try History(existing: harness.history).nights(limit: 9)
      #expect(nights.map(\.runs) == [6, 6])
      #expect(nights.map(\.verdict) == ["nothing new", "nothing new"])
      #expect(Set(nights.map(\.plan)) == ["one", "two"])
    }
  }

  @Test func `a plan that is already under way is not gone on with`() async throws {
    try await NightHarness.with { harness in
      let plan = try harness.plan(scenarios: ["claims"])
      let left = try NightFolder.create(try Plan(file: plan), at: Date())
      let lock = try left.lock()
      #expect(lock != nil)
      let outcome = try await harness.harness(harness.arguments(plan))
      #expect(outcome.exitCode == 0)
      #expect(!outcome.errors.contains("going on with"))
      withExtendedLifetime(lock) {}
    }
  }

  /// In a mount namespace of its own, with a small tmpfs that goes with it.
  @Test func `on a full disk nothing recorded is lost, and with room the night goes on`()
    async throws
  {
    try await NightHarness.with { harness in
      let plan = try harness.plan("out: small/nights", scenarios: ["claims"])
      try harness.behave([
        "stock-6.12": [["trials": 4000], ["trials": 4000]], "patched-kasan": [["trials": 4000]],
      ])
      try harness.write(
        """
        set -u
        mkdir small
        mount -t tmpfs -o size=4m tmpfs small
        nightly() { "$1" nightly --plan "$2" --runner "$3"; }
        head -c 2500000 /dev/zero >small/ballast
        nightly "$@" >full.out 2>full.err
        echo "full: $?"
        rm small/ballast
        mount -o remount,size=64m small
        nightly "$@" >room.out 2>room.err
        echo "room: $?"
        cp -r small/nights nights
        """, to: "script")
      let outcome = try await NightHarness.run(
        "unshare",
        [
          "--user", "--map-root-user", "--mount", "--propagation", "private", "sh", "script",
          NightHarness.executable, plan, harness.runner,
        ], in: harness.folder)
      #expect(outcome.output == "full: 2\nroom: 0\n", "\(outcome.errors)")
      let errors = try String(contentsOfFile: "\(harness.folder)/full.err", encoding: .utf8)
      #expect(errors.contains("full") || errors.contains("No space left"), "\(errors)")
      let recorded = try harness.recorded()
      for kernel in NightHarness.kernels {
        #expect(recorded.contains("\(kernel)/claims/default pass"))
      }
      let check = try History(existing: harness.history).read {
        try String.fetchOne($0, sql: "PRAGMA integrity_check")
      }
      #expect(check == "ok")
    }
  }

  @Test func `a plan with a mistake is bad usage, and says where it is`() async throws {
    try await NightHarness.with { harness in
      try harness.write("name: zswap\nkernels: []\n", to: "bad.yaml")
      let outcome = try await harness.harness(harness.arguments("bad.yaml"))
      #expect(outcome.exitCode == 64)
      #expect(outcome.errors.contains("bad.yaml:"))
    }
  }

  @Test func `history tells of nights, cells and findings, and forgets on demand`() async throws {
    try await NightHarness.with { harness in
      let plan = try harness.plan(scenarios: ["claims"])
      try harness.behave(["stock-6.1": [NightRunTests.oops]])
      #expect(try await harness.harness(harness.arguments(plan)).exitCode == 0)
      let list = try await harness.harness(["history", "list"])
      #expect(list.output.contains("3 cells, 4 runs, 2 failed, 0 did not run"))
      let cell = try await harness.harness(["history", "cell", "stock-6.1/claims/default"])
      #expect(cell.output.contains("failed: 2 of 2 (34 to 100 %)"))
      let findings = try await harness.harness(["history", "findings", "--since", "1d"])
      #expect(findings.output.contains("a1 Oops in zswap_writeback_entry"))
      let none = try await harness.harness(["history", "cell", "x/y/z"])
      #expect(none.exitCode == 64)

      let slip = try await harness.harness(["history", "prune", "--keep", "90m", "--folders"])
      #expect(slip.exitCode == 64)
      let prune = ["history", "prune", "--keep", "90d", "--folders"]
      #expect(try await harness.harness(prune).output == "0 nights forgotten\n")
      try History(existing: harness.history).write { database in
        try database.execute(sql: "UPDATE night SET started = started - 100 * 86400")
      }
      func nights() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(harness.folder)/nights")
          .filter { !$0.hasPrefix("history.sqlite") }
      }
      let night = NightFolder(path: "\(harness.folder)/nights/\(try nights()[0])")
      do {
        let lock = try #require(try night.lock())
        #expect(try await harness.harness(prune).output == "0 nights forgotten\n")
        withExtendedLifetime(lock) {}
      }
      let dry = try await harness.harness(prune + ["--dry-run"])
      #expect(dry.output.hasSuffix("1 nights would be forgotten\n"))
      #expect(try nights().count == 1)
      #expect(try await harness.harness(prune).output == "1 nights forgotten\n")
      #expect(try nights() == [])
    }
  }
}
