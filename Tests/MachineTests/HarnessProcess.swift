import Foundation
import Subprocess
import SystemPackage
import TestSupport
import Testing

/// Kernels that `scripts/test` has prepared. Without them these tests are
/// skipped; the script fails if any is.
enum TestKernel: String, CaseIterable {
  case stock = "HARNESS_TEST_STOCK"
  case kasan = "HARNESS_TEST_KASAN"
  case r1a = "HARNESS_TEST_R1A"
  case r1b = "HARNESS_TEST_R1B"
  case r7b = "HARNESS_TEST_R7B"
  case i20 = "HARNESS_TEST_I20"

  static var arePrepared: Bool {
    allCases.allSatisfy { ProcessInfo.processInfo.environment[$0.rawValue] != nil }
  }

  var path: String { ProcessInfo.processInfo.environment[rawValue] ?? "" }
}

/// One call of the real `harness`, in a folder of its own.
struct HarnessProcess {
  let folder: URL
  var out = URL(filePath: "/")
  /// Set over the inherited environment.
  var environment: [String: String] = [:]

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "harness-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    out = folder.appending(path: "run")
  }

  struct Outcome {
    var exitCode: Int32
    var output: String
    var errors: String
    var console: String
    var result: [String: Any]

    var lines: [String] { output.split(separator: "\n").map(String.init) }
  }

  /// The executable beside the tests' own.
  static var executable: String {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(filePath: own).deletingLastPathComponent().appending(path: "harness").path
  }

  /// Runs `harness run --out … ARGUMENTS` to its end.
  func run(_ arguments: [String]) async throws -> Outcome {
    let record = try await Subprocess.run(
      .path(.init(Self.executable)),
      arguments: .init(["run", "--out", out.path] + arguments),
      environment: .inherit.updating(
        Dictionary(
          uniqueKeysWithValues: environment.compactMap { key, value in
            Environment.Key(rawValue: key).map { ($0, value) }
          })),
      output: .string(limit: 1 << 20), error: .string(limit: 1 << 20))
    let exitCode: Int32 =
      switch record.terminationStatus {
      case .exited(let code): code
      case .signaled(let signal): -signal
      }
    let outcome = Outcome(
      exitCode: exitCode, output: record.standardOutput,
      errors: record.standardError, console: text("console.log"), result: result)
    if exitCode != 0 {
      Attachment.record(outcome.output + outcome.errors, named: "harness.txt")
      Attachment.record(outcome.console, named: "console.log")
    }
    return outcome
  }

  /// Starts a long run in the background, and returns when its guest is up.
  func startAndAwaitGuest(
    _ arguments: [String] = [], count: Int = 1
  ) async throws -> Process {
    let process = Process()
    process.executableURL = URL(filePath: HarnessProcess.executable)
    process.arguments =
      [
        "run", "--out", out.path, "--accelerator", "tcg", "--kernel", TestKernel.stock.path,
        "--stress-seconds", "60",
      ] + arguments
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    for _ in 0..<1200 where !text("console.log").contains("guest-agent") {
      try await Task.sleep(for: .milliseconds(100))
    }
    for _ in 0..<1200 where guests.count < count { try await Task.sleep(for: .milliseconds(100)) }
    if guests.count != count {
      process.terminate()
      await process.ended()
    }
    try #require(guests.count == count)
    return process
  }

  var result: [String: Any] {
    let data = FileManager.default.contents(atPath: out.appending(path: "result.json").path)
    let object = data.flatMap { try? JSONSerialization.jsonObject(with: $0) }
    return object as? [String: Any] ?? [:]
  }

  func text(_ name: String) -> String {
    let data = FileManager.default.contents(atPath: out.appending(path: name).path)
    return String(decoding: data ?? Data(), as: UTF8.self)
  }

  /// QEMUs that have this run's folder on their command line.
  var guests: [Int32] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
    return names.compactMap { Int32($0) }.filter { pid in
      let data = FileManager.default.contents(atPath: "/proc/\(pid)/cmdline") ?? Data()
      let words = String(decoding: data, as: UTF8.self).split(separator: "\0")
      return words.first?.contains("qemu-system") == true
        && words.contains { $0.contains(folder.path) }
    }
  }

  /// Waits for those whose harness has died.
  func guestsHaveEnded() async throws -> Bool {
    for _ in 0..<200 where !guests.isEmpty { try await Task.sleep(for: .milliseconds(100)) }
    return guests.isEmpty
  }

  func remove() { try? FileManager.default.removeItem(at: folder) }

  /// A folder for one test, gone at its end; no guest may be left by then.
  static func with(_ body: (HarnessProcess) async throws -> Void) async throws {
    let harness = try HarnessProcess()
    defer { harness.remove() }
    try await body(harness)
    #expect(harness.guests.isEmpty, "a QEMU was left behind")
  }
}
