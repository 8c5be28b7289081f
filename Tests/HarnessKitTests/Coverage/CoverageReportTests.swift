import Testing

@testable import HarnessKit

@Suite struct CoverageReportTests {
  private static let source = ["if (!pool)", "\tgoto fail;", "return entry;"]
  private static let explanations = [
    CoverageReport.Explanation(
      function: "zswap_store", text: "goto fail;", reason: "an allocation has to fail")
  ]

  private static func coverage(_ counts: [UInt64], branches: [UInt64]) -> FileCoverage {
    FileCoverage(
      file: "mm/zswap.c",
      lines: counts.enumerated().map { index, count in
        .init(
          number: index + 1, function: "zswap_store", count: count,
          branches: index == 0 ? branches.map { .init(count: $0) } : [])
      })
  }

  @Test func `a line that is out of reach counts neither way, until a run reaches it`() throws {
    let harness = Self.coverage([1, 0, 1], branches: [0, 1])
    let tool = Self.coverage([1, 0, 0], branches: [0, 1])
    let report = try CoverageReport(
      [.init(name: "sweep", coverage: harness), .init(name: "tool", coverage: tool)],
      source: Self.source, explanations: Self.explanations)
    #expect(report.shares(of: harness).lines == .init(hit: 2, of: 2))
    #expect(report.shares(of: tool).lines == .init(hit: 1, of: 2))
    #expect(report.shares(of: harness).branches == .init(hit: 1, of: 2))

    let lucky = Self.coverage([1, 1, 1], branches: [1, 1])
    let other = try CoverageReport(
      [.init(name: "sweep", coverage: harness), .init(name: "lucky", coverage: lucky)],
      source: Self.source, explanations: Self.explanations)
    #expect(other.shares(of: harness).lines == .init(hit: 2, of: 3))
  }

  @Test func `branches that are not the file's own never count`() throws {
    let run = Self.coverage([1, 0, 1], branches: [1, 0])
    let report = try CoverageReport(
      [.init(name: "sweep", coverage: run)], source: Self.source,
      explanations: [
        .init(
          function: "zswap_store", text: "if (!pool)", reason: "not zswap's: a hook's static key")
      ])
    #expect(report.shares(of: run).branches == .init(hit: 0, of: 0))
    #expect(report.shares(of: run).lines == .init(hit: 2, of: 3))
  }

  @Test func `what nobody reached is listed, with the reason or without`() throws {
    let report = try CoverageReport(
      [.init(name: "sweep", coverage: Self.coverage([1, 0, 0], branches: [0, 1]))],
      source: Self.source, explanations: Self.explanations)
    let text = report.markdown(title: "Coverage", preface: "how")
    #expect(text.contains("| 1 | zswap_store | `if (!pool)` | 1 of 2 |"))
    #expect(text.contains("| 3 | zswap_store | `return entry;` | not run |"))
    #expect(
      text.contains("| 2 | zswap_store | `goto fail;` | not run | an allocation has to fail |"))
  }

  @Test func `a line that is in reach counts, and is listed with what it takes`() throws {
    let run = Self.coverage([1, 0, 1], branches: [0, 1])
    let report = try CoverageReport(
      [.init(name: "sweep", coverage: run)], source: Self.source,
      explanations: [
        .init(function: "zswap_store", text: "if (!pool)", reason: "in reach: no pool is left")
      ])
    #expect(report.shares(of: run).branches == .init(hit: 1, of: 2))
    #expect(
      report.markdown(title: "Coverage", preface: "how").contains(
        "| 1 | zswap_store | `if (!pool)` | 1 of 2 | no pool is left |"))
  }

  @Test func `an explanation without a reason is none`() throws {
    let text = "# why\nzswap_store | goto fail; | an allocation has to fail\n"
    #expect(try CoverageReport.Explanation.list(parsing: text) == Self.explanations)
    #expect(throws: CoverageReport.Explanation.FormatError(line: 1)) {
      try CoverageReport.Explanation.list(parsing: "zswap_store | goto fail;")
    }
  }

  @Test func `code with a bar in it is a source line like any`() throws {
    let list = try CoverageReport.Explanation.list(
      parsing: "shrink_worker | if (!memcg || x) { | never")
    #expect(list.first?.text == "if (!memcg || x) {")
  }
}
