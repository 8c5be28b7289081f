import Foundation
import Testing

/// Guests that start from a saved one, for real.
@Suite(.serialized, .enabled(if: TestKernel.arePrepared, "run scripts/test"))
struct SnapshotRunTests {
  private static let schedule = "writeback@unlocked > swapoff@trees-freed"
  private let one = ["--kernel", TestKernel.stock.path, "--seed", "1", "--schedule", schedule]

  /// A harness whose cache has all that the usual one has, but for saved guests.
  private func withOwnSnapshots(
    _ body: (inout HarnessProcess, _ snapshots: URL) async throws -> Void
  ) async throws {
    try await HarnessProcess.with { harness in
      var harness = harness
      let files = FileManager.default
      let environment = ProcessInfo.processInfo.environment
      let usual =
        environment["ZSWAP_HARNESS_CACHE"] ?? environment["XDG_CACHE_HOME"].map {
          "\($0)/zswap-harness"
        } ?? "\(environment["HOME"] ?? "")/.cache/zswap-harness"
      let own = harness.folder.appending(path: "cache")
      try files.createDirectory(at: own, withIntermediateDirectories: true)
      for kind in ["guest", "modules", "kernels", "fetched", "sources"] {
        try files.createSymbolicLink(
          atPath: own.appending(path: kind).path, withDestinationPath: "\(usual)/\(kind)")
      }
      harness.environment["ZSWAP_HARNESS_CACHE"] = own.path
      try await body(&harness, own.appending(path: "snapshots"))
    }
  }

  private func run(
    _ harness: inout HarnessProcess, _ name: String, _ arguments: [String]
  ) async throws -> HarnessProcess.Outcome {
    harness.out = harness.folder.appending(path: name)
    return try await harness.run(arguments)
  }

  private func entries(_ snapshots: URL) -> [URL] {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: snapshots.path)) ?? []
    return names.filter { !$0.hasPrefix(".") }.map { snapshots.appending(path: $0) }
  }

  @Test func `the second run boots nothing, and says the same`() async throws {
    try await withOwnSnapshots { harness, snapshots in
      let first = try await run(&harness, "first", one)
      #expect(first.exitCode == 0)
      #expect(first.starts == ["booted"])
      #expect(first.console.contains("Linux version"))

      let second = try await run(&harness, "second", one)
      #expect(second.starts == ["restored"])
      #expect(!second.console.contains("Linux version"))
      #expect(second.output == first.output)

      let cold = try await run(&harness, "cold", one + ["--no-snapshot"])
      #expect(cold.starts == ["booted"])
      #expect(cold.output == first.output)

      // Another memory is another guest.
      let larger = try await run(&harness, "larger", one + ["--memory", "640"])
      #expect(larger.starts == ["booted"])
      #expect(entries(snapshots).count == 2)
    }
  }

  @Test func `a saved guest that was cut is replaced, and the run says so`() async throws {
    try await withOwnSnapshots { harness, snapshots in
      _ = try await run(&harness, "first", one)
      let entry = try #require(entries(snapshots).first)
      try #require(truncate(entry.appending(path: "memory").path, 1 << 20) == 0)
      let cut = try await run(&harness, "cut", one)
      #expect(cut.exitCode == 0)
      #expect(cut.starts == ["booted"])
      #expect(cut.notes.contains { $0.hasPrefix("snapshot: removed") && $0.contains("memory") })
      let next = try await run(&harness, "next", one)
      #expect(next.starts == ["restored"])
    }
  }

  /// Damage that no size or time shows: QEMU finds it, or the guest.
  @Test func `a saved guest that QEMU cannot load is replaced, and the run says so`() async throws {
    try await withOwnSnapshots { harness, snapshots in
      _ = try await run(&harness, "first", one)
      let entry = try #require(entries(snapshots).first)
      let path = entry.appending(path: "devices").path
      var status = stat()
      try #require(stat(path, &status) == 0)
      let file = try FileHandle(forUpdating: URL(filePath: path))
      try file.seek(toOffset: 4096)
      try file.write(contentsOf: Data(repeating: 0xA5, count: 16384))
      try file.close()
      try #require(utimensat(AT_FDCWD, path, [status.st_atim, status.st_mtim], 0) == 0)
      let bad = try await run(&harness, "bad", one)
      #expect(bad.exitCode == 0)
      #expect(bad.starts == ["restored", "booted"])
      #expect(bad.notes.contains { $0.hasPrefix("snapshot: removed") })
      let next = try await run(&harness, "next", one)
      #expect(next.starts == ["restored"])
    }
  }

  @Test func `a cache that is full costs a boot and no verdict`() async throws {
    try await withOwnSnapshots { harness, snapshots in
      // A folder that cannot be: what no test can fill, it can block.
      try Data().write(to: snapshots)
      let outcome = try await run(&harness, "full", one)
      #expect(outcome.exitCode == 0)
      #expect(outcome.starts == ["booted"])
      #expect(outcome.notes.contains { $0.contains("could not be saved") })
    }
  }

  @Test func `two guests at once give every result, in order`() async throws {
    try await HarnessProcess.with { harness in
      let many = (0..<5).flatMap { _ in ["--schedule", Self.schedule] }
      let outcome = try await harness.run(
        ["--kernel", TestKernel.stock.path, "--jobs", "2"] + many)
      #expect(outcome.exitCode == 0, "\(outcome.output)")
      let trials = outcome.result["trials"] as? [[String: Any]] ?? []
      #expect(trials.compactMap { $0["index"] as? Int } == Array(0..<5))
      #expect(trials.allSatisfy { $0["report"] != nil })
      let consoles = Set(outcome.guests.compactMap { $0["console"] as? String })
      #expect(consoles == ["console.log", "console-2.log"])
      #expect(!harness.text("console-2.log").isEmpty)
      // One provider has one entry, whichever guests had its trials.
      #expect((outcome.result["points"] as? [Any])?.count == 1)
    }
  }
}

extension HarnessProcess.Outcome {
  fileprivate var guests: [[String: Any]] { result["guests"] as? [[String: Any]] ?? [] }
  fileprivate var starts: [String] { guests.compactMap { $0["start"] as? String } }
  fileprivate var notes: [String] { result["notes"] as? [String] ?? [] }
}
