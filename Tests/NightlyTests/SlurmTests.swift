import Foundation
import HarnessKit
import SystemPackage
import TestSupport
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
      let input = Pipe()
      process.standardInput = input
      try process.run()
      do {
        let ready = "\(cluster)/ready"
        try await eventually("the cluster is up") {
          FileManager.default.fileExists(atPath: ready) || !process.isRunning
        }
        try #require(FileManager.default.fileExists(atPath: ready))
        try await body(harness, ["SLURM_CONF": "\(cluster)/slurm.conf"])
      } catch {
        Issue.record(error)
      }
      try input.fileHandleForWriting.close()
      await process.ended()
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
      try await eventually("all is submitted") { Self.jobs(of: plan).contains("\"last\"") }
      kill(process.processIdentifier, SIGKILL)
      await process.ended()
      let night = try #require(NightFolder.newest(of: plan))
      try await eventually("its reports are there") { try night.load().finishedAt != nil }
      let recorded = try harness.recorded()
      #expect(recorded.filter { $0.hasPrefix("stock") }.allSatisfy { $0.hasSuffix("pass") })
      #expect(recorded.filter { $0 == "patched-kasan/claims/default fail" }.count == 2)
    }
  }

  @Test func `a controller that is away for a while costs no result`() async throws {
    try await Self.withCluster { harness, environment in
      let plan = try harness.plan("slurm: {block: 1s}", scenarios: ["claims"])
      try harness.behave(
        Dictionary(uniqueKeysWithValues: NightHarness.kernels.map { ($0, [["seconds": 15]]) }))
      async let outcome = Self.nightly(plan, harness, environment)
      try await eventually("a task runs") { !Self.hosts(in: harness).isEmpty }
      let cluster = "\(harness.folder)/slurm"
      let text = try String(contentsOfFile: "\(cluster)/slurmctld.pid", encoding: .utf8)
      let pid = try #require(Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)))
      kill(pid, SIGTERM)
      let squeue = Tool("squeue", environment: environment.mapValues { $0 })
      var isAway = false
      for _ in 0..<50 where !isAway {
        isAway = try await squeue.run([], accepting: { _ in true }).status != 0
        try await Task.sleep(for: .milliseconds(200))
      }
      #expect(isAway)
      // Longer than the night goes without asking.
      try await Task.sleep(for: .seconds(8))
      let controller = Process()
      controller.executableURL = URL(filePath: try #require(Tool.locate("slurmctld")).string)
      controller.arguments = ["-D", "-f", "\(cluster)/slurm.conf"]
      controller.standardError = FileHandle.nullDevice
      try controller.run()
      defer { controller.terminate() }
      let result = try await outcome
      #expect(result.exitCode == 0, "\(result.errors)")
      let recorded = try harness.recorded()
      for kernel in NightHarness.kernels {
        #expect(recorded.contains("\(kernel)/claims/default pass"))
      }
      controller.terminate()
      await controller.ended()
    }
  }

  @Test func `a build job that was cancelled is made again`() async throws {
    try await Self.withCluster { harness, environment in
      let scontrol = Tool("scontrol", environment: environment.mapValues { $0 })
      func nodes(_ state: String) async throws {
        try await scontrol.run(
          ["update", "NodeName=node-1,node-2", "State=\(state)"]
            + (state == "DRAIN" ? ["Reason=test"] : []))
      }
      try await nodes("DRAIN")
      let plan = try harness.plan(scenarios: ["claims"])
      let process = try harness.start(
        harness.arguments(plan) + ["--engine", "slurm"], environment: environment)
      try await eventually("its jobs are submitted") {
        Self.jobs(of: plan).contains("\"last\"")
      }
      kill(process.processIdentifier, SIGKILL)
      await process.ended()
      try await Tool("scancel", environment: environment.mapValues { $0 })
        .run(["--user=\(NSUserName())"])
      try await nodes("RESUME")
      let result = try await Self.nightly(plan, harness, environment)
      #expect(result.exitCode == 0, "\(result.errors)")
      #expect(try harness.recorded().count { $0.hasSuffix("pass") } == NightHarness.kernels.count)
    }
  }

  /// What the newest night of a plan keeps of its jobs.
  private static func jobs(of plan: String) -> String {
    let folder = NightFolder.newest(of: plan)?.path ?? "/"
    let data = FileManager.default.contents(atPath: "\(folder)/slurm/jobs.json")
    return String(decoding: data ?? Data(), as: UTF8.self)
  }
}
