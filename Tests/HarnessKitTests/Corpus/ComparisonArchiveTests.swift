import Foundation
import GuestWire
import Testing

@testable import HarnessKit

@Suite struct ComparisonArchiveTests {
  private static let conditions = ComparisonArchive.Conditions(
    machine: "kernels with kasan, TCG, 2 CPUs of the host", seconds: 120, seed: 1)

  private static func comparison() throws -> ToolComparison {
    let mutant = try Mutant(
      id: "R1a",
      parsing: "Subject: mutant R1a: no pin\nClass: I\nExpect: KASAN\nClaim: S2\n---\n")
    return ToolComparison(
      mutant, harness: .killed(by: "KASAN: slab-use-after-free", seconds: 3.4),
      workloads: [
        .kselftest: .killed(by: "not ok test_zswapin", seconds: 29.2),
        .reclaim: .survived(seconds: 120), .stressNG: .survived(seconds: 122.25),
      ])
  }

  private static func withFile(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  @Test func `a comparison is the same on the next machine`() throws {
    let comparison = try Self.comparison()
    let baselines: [Workload: ToolComparison.Baseline] = [
      .kselftest: .init([]), .reclaim: .init([]), .stressNG: .init([]),
    ]
    try Self.withFile { path in
      var archive = try ComparisonArchive(Self.conditions, readingFrom: path)
      #expect(archive.baselines(ofKernel: "ab", runs: 1) == nil)
      archive.keep(baselines, ofKernel: "ab", runs: 2)
      archive.keep(comparison, kernel: "00ff")
      try archive.write(to: path)
      let read = try ComparisonArchive(Self.conditions, readingFrom: path)
      #expect(read == archive)
      #expect(read.baselines(ofKernel: "ab", runs: 2) == baselines)
      // Of another kernel, or of more runs, it knows none.
      #expect(read.baselines(ofKernel: "cd", runs: 2) == nil)
      #expect(read.baselines(ofKernel: "ab", runs: 3) == nil)
      #expect(read.comparison(of: comparison.mutant, kernel: "00ff") == comparison)
    }
  }

  @Test func `what was found of another kernel says nothing`() throws {
    let comparison = try Self.comparison()
    var archive = ComparisonArchive(Self.conditions)
    archive.keep(comparison, kernel: "00ff")
    #expect(archive.comparison(of: comparison.mutant, kernel: "00fe") == nil)
  }

  @Test func `what is inconclusive, or not whole, is to be had again`() throws {
    var lost = try Self.comparison()
    lost.workloads[.reclaim] = .inconclusive("the guest was lost")
    var partial = try Self.comparison()
    partial.workloads[.reclaim] = nil
    for comparison in [lost, partial] {
      var archive = ComparisonArchive(Self.conditions)
      archive.keep(comparison, kernel: "00ff")
      #expect(archive.comparison(of: comparison.mutant, kernel: "00ff") == nil)
    }
  }

  @Test func `rows under other conditions are refused, and so is what cannot be read`() throws {
    var other = Self.conditions
    other.seconds = 60
    try Self.withFile { path in
      try ComparisonArchive(other).write(to: path)
      #expect(throws: ComparisonArchive.Mismatch.self) {
        try ComparisonArchive(Self.conditions, readingFrom: path)
      }
      try Data("{}".utf8).write(to: URL(filePath: path))
      let error = #expect(throws: ComparisonArchive.Mismatch.self) {
        try ComparisonArchive(Self.conditions, readingFrom: path)
      }
      #expect(error?.description.hasPrefix("go on with \(path): it has no comparison") == true)
      #expect(error?.fault == .usage)
    }
  }
}
