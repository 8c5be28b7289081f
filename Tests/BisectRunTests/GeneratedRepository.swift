import BisectRun
import Foundation
import HarnessKit
import SystemPackage
import TestSupport
import Testing

/// Histories on Debian's kernel source, made by `Tests/bisect-repository.py`: only those
/// parts of the source that the commits touch.
struct GeneratedRepository {
  let path: FilePath
  let mutants: [String]

  static let source = ProcessInfo.processInfo.environment["HARNESS_TEST_SOURCE"]

  /// One for all tests of a suite, which only read it.
  @TaskLocal static var current: GeneratedRepository?

  fileprivate init() async throws {
    let source = try #require(Self.source)
    let root = FilePath(#filePath).removingLastComponent().removingLastComponent()
      .removingLastComponent()
    let folder = root.appending("qemu/kernel/mutants")
    mutants = try FileManager.default.contentsOfDirectory(atPath: folder.string)
      .filter { $0.hasSuffix(".patch") }.sorted().prefix(20).map { String($0.dropLast(6)) }
    path = FilePath(FileManager.default.temporaryDirectory.path)
      .appending("harness-bisect-\(UUID().uuidString)")
    var arguments = [root.appending("Tests/bisect-repository.py").string, source, path.string]
    for part in ["mm", "include/linux", "lib/string.c", "lib/bitmap.c", "kernel/fork.c"] {
      arguments += ["--only", part]
    }
    for mutant in mutants {
      arguments += ["--mutant", folder.appending("\(mutant).patch").string]
    }
    try await Tool("python3").run(arguments)
  }

  func truth(_ branch: String) throws -> SimulatedLab.Truth {
    let data = try Data(contentsOf: URL(filePath: path.appending("\(branch).json").string))
    return try JSONDecoder().decode(SimulatedLab.Truth.self, from: data)
  }

  /// A copy of it as a user has it: a branch checked out, a change not committed, a
  /// bisection of his own under way.
  func userCheckout(_ branch: String, at copy: FilePath) async throws {
    try await Tool("git").run([
      "clone", "--quiet", "--shared", "--branch", branch, path.string, copy.string,
    ])
    let git = Tool("git", in: copy)
    try await git.run(["bisect", "start", "HEAD", "base"])
    let file = URL(filePath: copy.appending("mm/zswap.c").string)
    try (String(contentsOf: file, encoding: .utf8) + "/* mine */\n")
      .write(to: file, atomically: false, encoding: .utf8)
    try await git.run(["add", "mm/zswap.c"])
  }

  /// Of every file, those of `.git` among them.
  static func fingerprint(of checkout: FilePath) async throws -> String {
    try await Tool("sh", in: checkout).run([
      "-c", "find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum",
    ]).text
  }
}

/// Makes one before the tests of a suite, and removes it after them.
struct WithGeneratedRepository: SuiteTrait, TestScoping {
  func provideScope(
    for test: Test, testCase: Test.Case?, performing body: @Sendable () async throws -> Void
  ) async throws {
    let repository = try await GeneratedRepository()
    defer { try? FileManager.default.removeItem(atPath: repository.path.string) }
    try await GeneratedRepository.$current.withValue(repository) { try await body() }
  }
}

/// One call of the real `harness bisect`, with simulated kernels.
struct BisectProcess {
  var repository: FilePath
  var truth: String
  var out: String
  var arguments: [String]

  /// The executable beside the tests' own.
  static var executable: String {
    let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
    return URL(filePath: own).deletingLastPathComponent().appending(path: "harness").path
  }

  private var commandLine: [String] {
    ["bisect", "--tree", repository.string, "--simulate", truth, "--out", out] + arguments
  }

  /// What it has recorded; empty where it has not begun.
  var journal: Data { FileManager.default.contents(atPath: "\(out)/journal.jsonl") ?? Data() }

  func run() async throws -> Tool.Result {
    try await Tool(Self.executable).run(commandLine, accepting: { _ in true })
  }

  /// Starts it, and kills it a time after its journal has so many lines; returns whether it
  /// was still there. By the journal, as a fast host does more in the same time.
  func kill(onceJournalHas lines: Int, after milliseconds: Int) async throws -> Bool {
    let process = Process()
    process.executableURL = URL(filePath: Self.executable)
    process.arguments = commandLine
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    while process.isRunning, journal.count(where: { $0 == UInt8(ascii: "\n") }) < lines {
      try await Task.sleep(for: .milliseconds(5))
    }
    try await Task.sleep(for: .milliseconds(milliseconds))
    guard process.isRunning else { return false }
    Foundation.kill(process.processIdentifier, SIGKILL)
    await process.ended()
    return process.terminationReason == .uncaughtSignal
  }
}

func withScratch<Value>(_ body: (FilePath) async throws -> Value) async throws -> Value {
  let path = FilePath(FileManager.default.temporaryDirectory.path)
    .appending("harness-bisect-\(UUID().uuidString)")
  try FileManager.default.createDirectory(atPath: path.string, withIntermediateDirectories: true)
  defer { try? FileManager.default.removeItem(atPath: path.string) }
  return try await body(path)
}
