import Foundation
import HarnessKit
import Testing

@testable import Nightly

/// What `scripts/test` has prepared. Without it these tests are skipped; the script fails if
/// any is.
enum Readers {
  /// A Python with kcidb-io and junitparser.
  static let python = ProcessInfo.processInfo.environment["HARNESS_TEST_PYTHON"]
  /// The kernel's tools/testing/kunit.
  static let kunit = ProcessInfo.processInfo.environment["HARNESS_TEST_KUNIT"]
  static var arePrepared: Bool { python != nil && kunit != nil }
}

@Suite struct NightReportTests {
  @Test(.enabled(if: Readers.arePrepared, "scripts/test"))
  func `KCIDB, JUnit and KTAP are read by those whom they are for`() async throws {
    for report in [try NightPages.report(), try NightPages.report(hostile: true)] {
      #expect(
        try await Self.read("kcidb", try KCIDBReport(report).json())
          == #"{"tests": ["#
          + #""FAIL", "FAIL", "FAIL", "FAIL", "FAIL", "FAIL", "MISS", "MISS", "MISS", "#
          + #""PASS", "PASS", "PASS", "PASS", "SKIP", "SKIP", "SKIP"], "#
          + #""builds": ["FAIL", "PASS", "PASS", "PASS"], "issues": 4, "incidents": 6}"#)
      #expect(
        try await Self.read("junit", try NightReports.junit(of: report))
          == #"{"pass": 2, "failure": 4, "skipped": 1, "error": 3}"#)
      #expect(
        try await Self.read("ktap", try NightReports.ktap(of: report))
          == #"{"suites": 4, "passed": 2, "failed": 7, "skipped": 1, "errors": 0, "crashed": 0}"#)
    }
  }

  private static func read(_ kind: String, _ text: String) async throws -> String {
    try await withTemporaryFolder { folder in
      try Data(text.utf8).write(to: URL(filePath: "\(folder)/report"))
      let script = try #require(
        Bundle.module.url(forResource: "validate", withExtension: "py", subdirectory: "Fixtures"))
      let outcome = try await NightHarness.run(
        Readers.python ?? "", [script.path, kind, "\(folder)/report", Readers.kunit ?? ""],
        in: folder)
      return outcome.exitCode == 0
        ? outcome.output.trimmingCharacters(in: .newlines) : outcome.errors
    }
  }

  @Test func `the mail begins with its subject, and has what is new before all else`() throws {
    let lines = try NightReports.mail(of: try NightPages.report())
      .split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "[zswap nightly] 2026-12-28: 3 regressions")
    #expect(lines[4] == "New: 3")
    #expect(lines[5] == "  1 window no longer entered")
    #expect(lines.contains("  KASAN: slab-use-after-free in shrink_memcg_cb"))
    #expect(lines.allSatisfy { $0.count < 400 })
  }

  @Test func `a run that broke leads to what it said`() throws {
    let page = try NightReports.page(of: try NightPages.report())
    #expect(page.contains("\"cells/does-not-build~claims~default/run-1.log\""))
    #expect(page.contains("\"cells/mm-unstable~claims~default/run-1/report.html\""))
  }

  @Test func `what is new on a branch has the command that bisects it`() throws {
    try withHistory { history, file in
      let folder = URL(filePath: file).deletingLastPathComponent().path
      let plan = try Plan(
        parsing: """
          name: nightly
          kernels: [{name: mm, tree: /src/linux, branch: mm-unstable, with: kasan}]
          scenarios: [{name: claims}]
          """, file: "plan.yaml", folder: "/plans")
      var reports: [NightReport] = []
      // The branch did not move before the last night.
      for (day, commit) in ["a", "a", "a", "b"].enumerated() {
        let night = Night(
          key: "night-\(day)", plan: plan, startedAt: NightRecords.date(day: day))
        let path = NightFolder(path: "\(folder)/night-\(day)")
        try FileManager.default.createDirectory(
          atPath: path.path, withIntermediateDirectories: true)
        let id = try history.begin(
          key: night.key, plan: plan.name, folder: path.path, engine: "local",
          at: night.startedAt, cells: plan.cells.map(\.id))
        var kernels = NightKernels()
        kernels.entries = [.init(name: "mm", commit: String(repeating: commit, count: 40))]
        try path.write([UInt8](try JSONText.document(kernels)), to: NightKernels.file)
        for number in 1...2 {
          try history.record(
            NightRecords.run(
              "mm/claims/default", folder: "cells/mm~claims~default/run-\(number)", day: day,
              findings: day < 3 ? [:] : ["b2": "KASAN: slab-use-after-free"]), of: id)
        }
        reports.append(
          try NightReport(
            night: night, id: id, folder: path, history: history, known: KnownFindings()))
      }
      #expect(reports.dropLast().allSatisfy { $0.earlierCommits.isEmpty })
      let mail = try NightReports.mail(of: reports[3])
      #expect(
        mail.contains(
          "harness bisect --tree /src/linux --good aaaaaaaaaaaa --bad bbbbbbbbbbbb --with kasan "
            + "--finding b2\n"), "\(mail)")
    }
  }

  @Test func `a guest's words stay one line, and words`() throws {
    let report = try NightPages.report(hostile: true)
    let mail = try NightReports.mail(of: report)
    #expect(!mail.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" })
    #expect(!mail.contains("\nnot ok"))
    let ktap = try NightReports.ktap(of: report)
    #expect(!ktap.contains("\nnot ok 99"))
    let junit = try NightReports.junit(of: report)
    #expect(!junit.contains("<script>"))
    #expect(!junit.contains("\u{FFFE}"))
    let page = try NightReports.page(of: report)
    #expect(!page.contains("<script"))
    #expect(!page.contains("<img"))
  }

  @Test func `what is known upstream is told once, and changes no verdict`() throws {
    var report = try NightPages.report()
    let verdict = report.verdict
    let fingerprint = "0123456789abcdef"
    for index in report.cells.indices {
      for run in report.cells[index].runs.indices {
        report.cells[index].runs[run].findings.append(
          RunRow.Sighting(
            fingerprint: fingerprint, kind: "invariant", title: "nr_items drifts", trials: 3,
            isUpstream: true))
      }
    }
    report.findings[fingerprint] = FindingRow(
      fingerprint: fingerprint, kind: "invariant", title: "nr_items drifts",
      firstSeen: report.night.startedAt, lastSeen: report.night.startedAt, runs: 1, cells: [])
    let runs = report.cells.map(\.runs.count).reduce(0, +)
    let mail = try NightReports.mail(of: report)
    #expect(mail.contains("Known upstream: 1\n"))
    #expect(mail.contains("in \(runs * 3) trials of \(runs) runs"))
    #expect(mail.components(separatedBy: fingerprint).count == 2)
    #expect(report.verdict == verdict)
    #expect(try NightReports.page(of: report).contains("id=\"upstream\""))
  }

  @Test func `the gravest decides the exit status`() throws {
    #expect(NightReport.Verdict.allCases.map(\.exitCode) == [1, 2, 3, 4, 0])
    var report = try NightPages.report()
    #expect(report.verdict == .regression)
    for index in report.cells.indices { report.cells[index].changes = [] }
    report.known = []
    #expect(report.verdict == .broken)
    report.cells.removeAll { $0.runs.contains { $0.errorKind == "harness" } }
    #expect(report.verdict == .kernelUnusable)
    report.cells.removeAll { $0.runs.contains { $0.errorKind != nil } }
    #expect(report.verdict == .incomplete)
    report.cells.removeAll { $0.gap != nil || $0.status == .notExercised }
    #expect(report.verdict == .nothingNew)
    // That nothing is new is not that all is well.
    let failing = report.cells.count { $0.status == .fail }
    #expect(failing > 1)
    #expect(try NightReports.mail(of: report).contains(": nothing new: \(failing) cells fail\n"))
    report.cells.removeAll { $0.status == .fail }
    #expect(try NightReports.mail(of: report).contains(": nothing new\n"))
  }
}
