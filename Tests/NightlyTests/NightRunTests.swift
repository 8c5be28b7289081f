import Foundation
import HarnessKit
import SystemPackage
import Testing

@testable import Nightly

/// Nights with runs that boot nothing.
@Suite(.serialized, .timeLimit(.minutes(4))) struct NightRunTests {
  static var oops: [String: Any] { ["findings": ["a1": "Oops in zswap_writeback_entry"]] }
  static var splat: [String: Any] {
    ["findings": ["b2": "KASAN: slab-use-after-free in shrink_memcg_cb"]]
  }

  @Test func `a night that goes on keeps the kernels that it began with`() async throws {
    try await NightHarness.with { harness in
      let plan = try Plan(file: try harness.plan())
      let night = try NightFolder.create(plan, at: Date())
      func prepared(image: String) async throws -> NightKernels.Entry? {
        var kernels = NightKernels()
        kernels.entries = [.init(name: "stock-6.1", image: image, commit: "a1")]
        try night.write([UInt8](try JSONEncoder().encode(kernels)), to: NightKernels.file)
        return try await NightKernels.prepare(
          plan, in: night, checkout: Checkout(root: "/"), cache: Cache(root: "/nonexistent"),
          progress: StatusLine()
        ).entry("stock-6.1")
      }
      #expect(try await prepared(image: harness.runner)?.commit == "a1")
      // One that somebody has removed is had again.
      #expect(try await prepared(image: "\(harness.runner).gone")?.commit == nil)
    }
  }

  @Test func `a run that was told to stop beside a finding is told of, and made again`()
    async throws
  {
    try await NightHarness.with { harness in
      let plan = try Plan(file: try harness.plan())
      let night = try NightFolder.create(plan, at: Date())
      var record = RunRecord(begun: Date(), commandLine: [], seed: 1)
      record.status = .fail
      record.error = nil
      record.finishedAt = Date()
      let cell = plan.cells[0]
      _ = try RunFolder(creating: night.file("cells/\(cell.folder)/run-1"), record: record)
      #expect(night.finishedRuns(of: cell) == 1)
      record.cutShort = RunRecord.interruption
      _ = try RunFolder(creating: night.file("cells/\(cell.folder)/run-2"), record: record)
      #expect(night.finishedRuns(of: cell) == 1)
      #expect(night.runs(of: cell).count == 2 && night.hasFinishedRun(of: cell))
    }
  }

  @Test func `a result that is torn is no result, and its run is made again`() async throws {
    try await NightHarness.with { harness in
      let plan = try Plan(file: try harness.plan())
      let night = try NightFolder.create(plan, at: Date())
      let cell = plan.cells[0]
      let run = "cells/\(cell.folder)/run-1"
      try FileManager.default.createDirectory(
        atPath: night.file(run), withIntermediateDirectories: true)
      for text in ["{", "[]", #"{"schemaVersion": 99}"#] {
        try night.write(text, to: "\(run)/result.json")
        #expect(night.finishedRuns(of: cell) == 0)
        guard case .unfinished(let lost) = night.state(of: night.runs(of: cell)[0]) else {
          Issue.record("\(text) was taken for a result")
          continue
        }
        #expect(lost.status == .error && lost.error?.message == "result.json cannot be read")
      }
    }
  }

  @Test func `of two nights the second tells exactly what is new in it`() async throws {
    try await NightHarness.with { harness in
      let plan = try harness.plan()
      try harness.behave(["stock-6.1": [Self.oops]])
      let (first, _) = try await harness.night(plan)
      #expect(first.verdict == .nothingNew)
      #expect(first.cells.map(\.status) == [.fail, .fail, .pass, .pass, .pass, .pass])
      // A failing cell is run again, and both are kept.
      #expect(first.cells.map(\.runs.count) == [2, 2, 1, 1, 1, 1])

      try harness.behave(["stock-6.1": [Self.oops], "patched-kasan": [Self.splat]])
      let (second, _) = try await harness.night(plan)
      #expect(second.verdict == .regression)
      let changes = second.cells.flatMap { cell in cell.changes.map { (cell.cell.id, $0) } }
      #expect(changes.map(\.0) == ["patched-kasan/claims/default", "patched-kasan/sweep/default"])
      #expect(changes.allSatisfy { $0.1.fingerprint == "b2" && $0.1.isRegression })

      try harness.behave(["stock-6.1": [Self.oops]])
      let (third, folder) = try await harness.night(plan)
      #expect(third.verdict == .nothingNew)
      #expect(third.nights.map(\.verdict) == [nil, "regression", "nothing new"])
      for name in ["index.html", "mail.txt", "ktap.txt", "junit.xml", "kcidb.json"] {
        #expect(FileManager.default.fileExists(atPath: folder.file(name)))
      }
    }
  }

  @Test func `what fails once and not again is flaky, and no regression`() async throws {
    try await NightHarness.with { harness in
      let plan = try harness.plan(scenarios: ["claims"])
      _ = try await harness.night(plan)
      try harness.behave(["stock-6.12": [Self.splat, [:]]])
      let (report, _) = try await harness.night(plan)
      #expect(report.verdict == .nothingNew)
      let cell = report.cells[1]
      #expect(cell.runs.map(\.status) == [.fail, .pass, .pass])
      #expect(cell.comparison.isFlaky)
      #expect(cell.comparison.failures == Rate(1, of: 4))
      #expect(try NightReports.mail(of: report).contains("Flaky: 1"))
    }
  }

  @Test func `a run that is killed is kept, and run again`() async throws {
    try await NightHarness.with { harness in
      let plan = try harness.plan(scenarios: ["claims"])
      try harness.behave([
        "stock-6.12": [["kill": true], [:]],
        "patched-kasan": [["status": "error", "error": "QEMU was killed by signal 9"], [:]],
      ])
      let (report, _) = try await harness.night(plan)
      #expect(report.verdict == .nothingNew)
      #expect(report.cells[1].runs.map(\.status) == [.error, .pass])
      #expect(report.cells[1].runs[0].error == "did not finish")
      #expect(report.cells[2].runs.map(\.status) == [.error, .pass])
    }
  }

  @Test func `a kernel that is never there, or a harness that dies each time, is no pass`()
    async throws
  {
    try await NightHarness.with { harness in
      let plan = try harness.plan(scenarios: ["claims"])
      try harness.behave([
        "stock-6.1": [["kill": true]],
        "stock-6.12": [
          ["status": "error", "errorKind": "kernel-unusable", "error": "no such image"]
        ],
      ])
      let (report, _) = try await harness.night(plan)
      #expect(report.cells[0].gap?.contains("did not finish") == true)
      #expect(report.cells[0].runs.count == 3)
      #expect(report.cells[1].changes == [.broken("no such image")])
      #expect(report.verdict == .kernelUnusable)
      #expect(report.verdict.exitCode == 3)
    }
  }

  @Test func `a deadline ends what runs, and what did not run says so`() async throws {
    try await NightHarness.with { harness in
      // On a busy host the second takes seconds to begin.
      let plan = try harness.plan("deadline: 20s", scenarios: ["claims"])
      try harness.behave([
        "stock-6.12": [["seconds": 600]], "patched-kasan": [["seconds": 600]],
      ])
      // One at a time: the last is not begun.
      let (report, _) = try await harness.night(plan, cpus: 2)
      #expect(report.verdict == .incomplete)
      let gaps = report.cells.map(\.gap)
      #expect(
        Set(gaps.compactMap(\.self)) == [
          "it was not over when the deadline came", "it was not begun before the deadline came",
        ])
      #expect(gaps.filter { $0 == nil }.count == 1)
      let mail = try NightReports.mail(of: report)
      #expect(mail.contains("Did not run: 2"))
      #expect(report.cells.flatMap(\.changes).isEmpty)
    }
  }

  @Test func `a window that is no longer entered is the news of its night`() async throws {
    try await NightHarness.with { harness in
      let plan = try harness.plan("repeats: 4", scenarios: ["claims"])
      _ = try await harness.night(plan)
      try harness.behave(["patched-kasan": [["missed": [2]]]])
      let (report, _) = try await harness.night(plan)
      #expect(report.verdict == .regression)
      #expect(report.cells[2].changes.count == 1)
      #expect(report.windows.values.sorted() == ["writeback@claimed > swapoff@trees-freed [patch]"])
    }
  }

  @Test func `a known finding is shown and no news, until its day is over`() async throws {
    try await NightHarness.with { harness in
      let plan = try harness.plan("known: known.yaml", scenarios: ["claims"])
      try harness.write(
        "- {finding: b2, reason: being worked on, until: 2999-01-01}\n", to: "known.yaml")
      _ = try await harness.night(plan)
      try harness.behave(["patched-kasan": [Self.splat]])
      let (report, _) = try await harness.night(plan)
      #expect(report.verdict == .nothingNew)
      #expect(report.cells[2].runs.count == 1)
      #expect(report.known.map(\.fingerprint) == ["b2"])
      try harness.write(
        "- {finding: b2, reason: being worked on, until: 2020-01-01}\n", to: "known.yaml")
      let (later, _) = try await harness.night(plan)
      #expect(later.verdict == .regression)
      #expect(try NightReports.mail(of: later).contains("known until 2020-01-01, and still there"))
    }
  }

  @Test func `a finding known by its title is no reason to run again, also where it is missing`()
    async throws
  {
    try await NightHarness.with { harness in
      let plan = try harness.plan("known: known.yaml", scenarios: ["claims"])
      try harness.write(
        "- {finding: in shrink_memcg_cb, reason: being worked on, until: 2999-01-01}\n",
        to: "known.yaml")
      try harness.behave(["patched-kasan": [Self.splat]])
      for _ in 1...2 { _ = try await harness.night(plan) }
      try harness.behave([:])
      let (report, _) = try await harness.night(plan)
      #expect(report.cells[2].runs.count == 1)
    }
  }
}
