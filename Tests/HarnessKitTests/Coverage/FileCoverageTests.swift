import Foundation
import Testing

@testable import HarnessKit

@Suite struct FileCoverageTests {
  private static func file(_ counts: (line: UInt64, branches: [UInt64])...) -> FileCoverage {
    FileCoverage(
      file: "mm/zswap.c",
      lines: counts.enumerated().map { index, count in
        FileCoverage.Line(
          number: 10 + index, function: "shrink_memcg_cb", count: count.line,
          branches: count.branches.map { FileCoverage.Branch(count: $0) })
      })
  }

  @Test func `what one guest reached and another not is reached`() throws {
    let sum = try Self.file((1, [1, 0]), (0, [0, 0])).adding(Self.file((2, [0, 1]), (0, [0, 0])))
    #expect(sum.lineShare == .init(hit: 1, of: 2))
    #expect(sum.branchShare == .init(hit: 2, of: 4))
    #expect(sum.lines[0].count == 3)
  }

  @Test func `counts of two builds are not added up`() {
    #expect(throws: FileCoverage.Mismatch.self) {
      try Self.file((1, [1, 0])).adding(Self.file((1, [1])))
    }
    #expect(throws: FileCoverage.Mismatch.self) { try Self.file((1, [])).adding(Self.file()) }
  }

  @Test func `a share of nothing is no whole`() {
    #expect(FileCoverage.Share(hit: 0, of: 0).percent == 0)
    #expect(FileCoverage.Share(hit: 9, of: 10).description == "90.0 % (9 of 10)")
  }

  /// As gcov 12 writes it: the headers that were compiled in are files too.
  @Test func `of gcov's files the one that was asked for is read`() throws {
    let json = """
      {"gcc_version": "12.2.0", "files": [
        {"file": "../include/linux/list.h", "functions": [], "lines": [
          {"branches": [], "count": 7, "line_number": 3, "unexecuted_block": false}]},
        {"file": "../mm/zswap.c", "functions": [], "lines": [
          {"branches": [{"fallthrough": true, "count": 4, "throw": false},
                        {"fallthrough": false, "count": 0, "throw": false}],
           "count": 4, "line_number": 1183, "unexecuted_block": true,
           "function_name": "shrink_memcg_cb"}]}]}
      """
    let coverage = try Gcov.coverage(parsing: Data(json.utf8), source: "zswap.c")
    #expect(coverage.file == "mm/zswap.c")
    #expect(
      coverage.lines == [
        .init(
          number: 1183, function: "shrink_memcg_cb", count: 4,
          branches: [.init(count: 4), .init(count: 0)])
      ])
    #expect(throws: HarnessFailure.self) {
      try Gcov.coverage(parsing: Data(json.utf8), source: "zpool.c")
    }
  }
}
