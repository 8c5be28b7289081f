import Foundation
import HarnessKit
import Testing

@testable import Nightly

/// Nights on a real Slurm: two nodes on this machine, from Debian's packages.
@Suite(
  .enabled(if: Tool.locate("slurmctld") != nil && Tool.locate("munged") != nil, "slurm-wlm, munge"),
  .serialized, .timeLimit(.minutes(6)))
struct SlurmTests {
  /// The cluster, as long as the body runs.
  private static func withCluster(
    _ body: (NightHarness, [String: String]) async throws -> Void
  ) async throws {
    try await NightHarness.with { harness in
      let script = try #require(
        Bundle.module.url(
          forResource: "slurm-cluster", withExtension: nil, subdirectory: "Fixtures"))
      let cluster = "\(harness.folder)/slurm"
      let process = Process()
      process.executableURL = script
      process.arguments = [cluster]
      let (input, output) = (Pipe(), Pipe())
      process.standardInput = input
      process.standardOutput = output
      try process.run()
      let first = output.fileHandleForReading.availableData
      #expect(String(decoding: first, as: UTF8.self) == "ready\n")
      do {
        try await body(harness, ["SLURM_CONF": "\(cluster)/slurm.conf"])
      } catch {
        Issue.record(error)
      }
      try input.fileHandleForWriting.close()
      process.waitUntilExit()
    }
  }

  private static func nightly(
    _ plan: String, _ harness: NightHarness, _ environment: [String: String],
    engine: Plan.EngineName = .slurm
  ) async throws -> NightHarness.Outcome {
    try await NightHarness.run(
      NightHarness.executable,
      harness.arguments(plan) + ["--engine", engine.rawValue], in: harness.folder,
      environment: environment)
  }

  @Test func `both engines give the same verdicts, in one history`() async throws {
    try await Self.withCluster { harness, environment in
      let plan = try harness.plan("slurm: {block: 4m}")
      try harness.behave(["stock-6.1": [NightRunTests.oops]])
      let local = try await Self.nightly(plan, harness, environment, engine: .local)
      #expect(local.exitCode == 0, "\(local.errors)")
      try harness.behave([
        "stock-6.1": [NightRunTests.oops], "patched-kasan": [NightRunTests.splat],
      ])
      let slurm = try await Self.nightly(plan, harness, environment)
      #expect(slurm.exitCode == 1, "\(slurm.errors)")
      #expect(slurm.output.contains("2 regressions"))
      let history = try History(existing: harness.history)
      let nights = try history.nights(limit: 9)
      #expect(nights.map(\.engine) == ["slurm", "local"])
      let hosts = Set(try history.runs(of: nights[0].id).map(\.host))
      #expect(hosts.isSubset(of: ["node-1", "node-2"]))
      func verdicts(_ night: NightRow) throws -> [String] {
        Set(try history.runs(of: night.id).map { "\($0.cell) \($0.status.rawValue)" })
          .filter { !$0.hasPrefix("patched-kasan") }.sorted()
      }
      #expect(try verdicts(nights[0]) == verdicts(nights[1]))
    }
  }

  @Test func `a node that is lost has its cells run on another`() async throws {
    try await Self.withCluster { harness, environment in
      let plan = try harness.plan("slurm: {block: 1s}", scenarios: ["claims"])
      try harness.behave([
        "stock-6.1": [["seconds": 15]], "stock-6.12": [["seconds": 15]],
        "patched-kasan": [["seconds": 15]],
      ])
      async let outcome = Self.nightly(plan, harness, environment)
      try await eventually("a task runs on node-1") { Self.hosts(in: harness).contains("node-1") }
      let daemon = try String(
        contentsOfFile: "\(harness.folder)/slurm/node-1.daemon", encoding: .utf8)
      let pid = try #require(Int32(daemon.trimmingCharacters(in: .whitespacesAndNewlines)))
      kill(pid, SIGKILL)
      let result = try await outcome
      #expect(result.exitCode == 0, "\(result.errors)")
      for kernel in NightHarness.kernels {
        #expect(try harness.recorded().contains("\(kernel)/claims/default pass"))
      }
    }
  }

  /// Nodes that runs have begun on.
  private static func hosts(in harness: NightHarness) -> [String] {
    let files = FileManager.default.enumerator(atPath: "\(harness.folder)/nights")
    return (files?.allObjects as? [String] ?? []).filter { $0.hasSuffix(".host") }.compactMap {
      try? String(contentsOfFile: "\(harness.folder)/nights/\($0)", encoding: .utf8)
    }
  }

  @Test func `a task is told before its limit, and what it had is kept`() async throws {
    try await Self.withCluster { harness, environment in
      let plan = try harness.plan(
        "reruns: 0\nslurm: {block: 1s, limit: 60s, notice: 50s}", scenarios: ["claims"])
      try harness.behave(["stock-6.12": [["seconds": 600]]])
      let result = try await Self.nightly(plan, harness, environment)
      #expect(result.exitCode == 4, "\(result.errors)")
      let history = try History(existing: harness.history)
      let night = try #require(try history.nights(limit: 1).first)
      let runs = try history.runs(of: night.id)
      let stopped = runs.filter { $0.cell == "stock-6.12/claims/default" }
      #expect(stopped.map(\.error) == ["interrupted"])
      #expect(runs.count { $0.status == .pass } == 2)
    }
  }

  @Test func `a nightly that is killed is gone on with by Slurm's last job`() async throws {
    try await Self.withCluster { harness, environment in
      let plan = try harness.plan(scenarios: ["claims"])
      try harness.behave(["stock-6.12": [["seconds": 5]], "patched-kasan": [NightRunTests.splat]])
      let process = try harness.start(
        harness.arguments(plan) + ["--engine", "slurm"], environment: environment)
      try await eventually("all is submitted") {
        let data = FileManager.default.contents(
          atPath: "\(NightFolder.newest(of: plan)?.path ?? "/")/slurm/jobs.json")
        return String(decoding: data ?? Data(), as: UTF8.self).contains("\"last\"")
      }
      kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
      let night = try #require(NightFolder.newest(of: plan))
      try await eventually("its reports are there") { try night.load().finishedAt != nil }
      let recorded = try harness.recorded()
      #expect(recorded.filter { $0.hasPrefix("stock") }.allSatisfy { $0.hasSuffix("pass") })
      #expect(recorded.filter { $0 == "patched-kasan/claims/default fail" }.count == 2)
    }
  }
}
