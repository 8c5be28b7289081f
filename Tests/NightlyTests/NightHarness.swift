import Foundation
import HarnessKit
import Subprocess
import SystemPackage
import Testing

@testable import Nightly

/// Nights in a folder of their own, with runs that boot nothing: `Fixtures/fake-run`.
struct NightHarness {
  let folder: String
  var runner: String { "\(folder)/runner" }
  var history: String { "\(folder)/nights/history.sqlite" }

  init(_ folder: String) throws {
    self.folder = folder
    let fake = try #require(
      Bundle.module.url(forResource: "fake-run", withExtension: nil, subdirectory: "Fixtures")
    ).path
    try write(
      """
      #!/bin/sh
      FAKE_RUNS='\(folder)/runs.json' exec python3 '\(fake)' "$@"

      """, to: "runner")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: runner)
    try behave([:])
  }

  func write(_ text: String, to name: String) throws {
    try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
  }

  static let kernels = ["stock-6.1", "stock-6.12", "patched-kasan"]

  /// What each kernel's runs come to; those that are not named pass.
  func behave(_ runs: [String: [[String: Any]]]) throws {
    var all: [String: [[String: Any]]] = [:]
    for kernel in Self.kernels { all[kernel] = runs[kernel] ?? [[:]] }
    try JSONSerialization.data(withJSONObject: all).write(
      to: URL(filePath: "\(folder)/runs.json"))
  }

  /// Writes a plan of the three kernels, and returns its file.
  @discardableResult
  func plan(
    _ extra: String = "", name: String = "zswap", scenarios: [String] = ["claims", "sweep"]
  )
    throws -> String
  {
    let kernels = Self.kernels.map { "  - {name: \($0), image: \($0)}" }
    let lines =
      ["name: \(name)", "kernels:"] + kernels + ["scenarios:"]
      + scenarios.map { "  - {name: \($0)}" } + [extra, ""]
    try write(lines.joined(separator: "\n"), to: "\(name).yaml")
    return "\(folder)/\(name).yaml"
  }

  /// Runs a night in this process, through the engine for this host.
  func night(_ plan: String, cpus: Int = 8) async throws -> (NightReport, NightFolder) {
    let plan = try Plan(file: plan)
    let night = try NightFolder.create(plan, at: Date())
    let engine = LocalEngine(
      folder: night, night: try night.load(), harness: runner,
      capacity: Capacity(cpus: cpus, memoryMiB: 1 << 20)
    ) {
      _ = try await NightKernels.prepare(
        plan, in: night, checkout: Checkout(root: "/"), cache: Cache(root: "/nonexistent"),
        progress: StatusLine())
    }
    let run = NightRun(
      night, history: try History(path: plan.history), engine: engine, progress: StatusLine())
    return (try await run.run(), night)
  }

  /// The executable beside the tests' own.
  static var executable: String {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(filePath: own).deletingLastPathComponent().appending(path: "harness").path
  }

  struct Outcome {
    var exitCode: Int32
    var output: String
    var errors: String
  }

  func arguments(_ plan: String) -> [String] {
    ["nightly", "--plan", plan, "--runner", runner]
  }

  /// Runs `harness ARGUMENTS` to its end.
  func harness(_ arguments: [String]) async throws -> Outcome {
    try await Self.run(Self.executable, arguments, in: folder)
  }

  static func run(
    _ program: String, _ arguments: [String], in folder: String,
    environment: [String: String] = [:]
  ) async throws -> Outcome {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().path
    var variables: [Environment.Key: String?] = ["ZSWAP_HARNESS_ROOT": root]
    for (key, value) in environment {
      if let key = Environment.Key(rawValue: key) { variables.updateValue(value, forKey: key) }
    }
    let result = try await Subprocess.run(
      program.hasPrefix("/") ? .path(FilePath(program)) : .name(program),
      arguments: .init(arguments),
      environment: .inherit.updating(variables), workingDirectory: FilePath(folder),
      output: .string(limit: 1 << 22), error: .string(limit: 1 << 22))
    let exitCode: Int32 =
      switch result.terminationStatus {
      case .exited(let code): code
      case .signaled(let signal): -signal
      }
    return Outcome(
      exitCode: exitCode, output: result.standardOutput, errors: result.standardError)
  }

  /// Starts `harness ARGUMENTS`, which goes on.
  func start(_ arguments: [String], environment: [String: String] = [:]) throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: Self.executable)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.currentDirectoryURL = URL(filePath: folder)
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    return process
  }

  /// Processes that have this folder on their command line, the tests' own aside.
  var processes: [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.filter { pid in
      let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
      return String(decoding: data, as: UTF8.self).contains(folder)
    }
  }

  /// QEMUs whose command line names this folder.
  var guests: [Int32] {
    processes.filter { pid in
      let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
      return String(decoding: data, as: UTF8.self).prefix { $0 != "\0" }.contains("qemu-system")
    }
  }

  /// All runs that the history has: cell and status, in order.
  func recorded() throws -> [String] {
    let history = try History(existing: history)
    var runs: [RunRow] = []
    for night in try history.nights(limit: 100) { runs += try history.runs(of: night.id) }
    return runs.map { "\($0.cell) \($0.status.rawValue)" }.sorted()
  }

  static func with(_ body: (NightHarness) async throws -> Void) async throws {
    try await withTemporaryFolder { folder in
      let harness = try NightHarness(folder)
      try await body(harness)
      for _ in 0..<100 where !harness.processes.isEmpty {
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(harness.processes.isEmpty, "a process was left behind")
      for pid in harness.processes { kill(pid, SIGKILL) }
    }
  }
}

/// Waits for something that has to come; a busy host may take long.
func eventually(_ what: String, _ isTrue: () throws -> Bool) async throws {
  for _ in 0..<1200 {
    if try isTrue() { return }
    try await Task.sleep(for: .milliseconds(100))
  }
  Issue.record("in two minutes: \(what)")
}

extension NightFolder {
  /// The last night of a plan.
  static func newest(of plan: String) -> NightFolder? {
    guard let plan = try? Plan(file: plan),
      let names = try? FileManager.default.contentsOfDirectory(atPath: plan.out)
    else { return nil }
    return names.sorted().last { $0.hasSuffix("zswap") }.map {
      NightFolder(path: "\(plan.out)/\($0)")
    }
  }
}
