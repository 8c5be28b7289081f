import Foundation
import GuestWire
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct HookPlanTests {
  private let series: [String]

  init() throws { series = try KernelPatch.series(of: SyntheticTree.checkout).map(\.text) }

  private static let source = ProcessInfo.processInfo.environment["HARNESS_TEST_SOURCE"]

  private func sources(_ tree: String) throws -> [String: [UInt8]] {
    try Dictionary(
      uniqueKeysWithValues: HookPlan.inputs.map {
        ($0, Array(try Data(contentsOf: URL(fileURLWithPath: "\(tree)/\($0)"))))
      })
  }

  /// The series is where the points belong; whatever the table says has to agree with it.
  @Test(.enabled(if: source != nil, "HARNESS_TEST_SOURCE: Debian's 6.12 source"))
  func `in Debian's 6.12 the anchors give what the series gives, byte for byte`() throws {
    let sources = try sources(try #require(Self.source))
    let bySeries = try HookPlan.make(sources, series: series)
    #expect(bySeries.method == .series)
    let byAnchors = try HookPlan.byAnchors(sources, series.flatMap { UnifiedDiff($0).files })
    #expect(byAnchors.files.map(\.path) == bySeries.files.map(\.path))
    for (ours, theirs) in zip(byAnchors.files, bySeries.files) {
      #expect(
        String(decoding: ours.after, as: UTF8.self)
          == String(decoding: theirs.after, as: UTF8.self), "\(ours.path)")
    }
    #expect(byAnchors.points == bySeries.points)
    #expect(byAnchors.missed.isEmpty)
  }

  @Test(.enabled(if: source != nil, "HARNESS_TEST_SOURCE: Debian's 6.12 source"))
  func `the series as patch applies it is the series as it is placed here`() async throws {
    let source = try #require(Self.source)
    let plan = try HookPlan.make(try sources(source), series: series)
    try await withTemporaryDirectory { root in
      for file in HookPlan.inputs {
        try write(try sources(source)[file]!, to: root.appending(file))
      }
      for patch in try KernelPatch.series(of: SyntheticTree.checkout) {
        try await patch.apply(to: root)
      }
      for file in plan.files {
        #expect(
          FileManager.default.contents(atPath: root.appending(file.path).string)
            == Data(file.after), "\(file.path)")
      }
    }
  }

  /// A hook point is a row of `HookPoint.table`, a constant of the series, and a row here.
  @Test func `each point of the series has rows in the table`() throws {
    let header = try #require(
      series.flatMap { UnifiedDiff($0).files }.first { $0.path == HookPlan.header })
    let constants = header.added.compactMap { line in
      line.firstMatch(of: /^\t(ZSWAP_HOOK_[A-Z_]+),/).map { String($0.output.1) }
    }
    #expect(!constants.isEmpty)
    #expect(Set(constants) == Set(HookPlan.pointNames.map(HookSite.constant(of:))))
  }

  /// The rules of 6.1 are argued for the points that its module has.
  @Test func `what the table calls absent, the module does in 6.1 too`() throws {
    let designs = try String(
      contentsOfFile: SyntheticTree.checkout.kmod.appending("designs.c").string, encoding: .utf8)
    let poolLRU = try #require(designs.split(separator: "[ZH_DESIGN_MEMCG_LRU]").first)
    let named = poolLRU.matches(of: /\[ZH_([A-Z_]+)\] =\n/).map { "ZSWAP_HOOK_\($0.output.1)" }
    #expect(!named.isEmpty)
    let absent = HookSite.table.filter { $0.absence != nil }.map { HookSite.constant(of: $0.point) }
    #expect(Set(named) == Set(absent))
  }

  @Test func `a point's rows are of one file`() {
    for name in HookPlan.pointNames {
      #expect(Set(HookSite.table.filter { $0.point == name }.map(\.file)).count == 1, "\(name)")
    }
  }

  @Test func `a tree without any of the functions has no place for points`() throws {
    var sources = SyntheticTree.files.mapValues { Array($0.utf8) }
    sources["mm/zswap.c"] = Array("#include <linux/module.h>\nint x;\n".utf8)
    sources["mm/swapfile.c"] = sources["mm/zswap.c"]
    #expect {
      try HookPlan.make(sources, series: series)
    } throws: {
      if case HookPlan.Failure.noPoints = $0 { true } else { false }
    }
  }

  @Test(arguments: ["mm/Kconfig", "mm/Makefile"])
  func `a tree without zswap's option or object is refused`(file: String) throws {
    var sources = SyntheticTree.files.mapValues { Array($0.utf8) }
    sources[file] = Array("# nothing\n".utf8)
    #expect {
      try HookPlan.make(sources, series: series)
    } throws: {
      if case HookPlan.Failure.noPlace(file, _) = $0 { true } else { false }
    }
  }

  @Test func `the option comes behind zswap's, and the object behind zswap's`() throws {
    let plan = try HookPlan.make(
      SyntheticTree.files.mapValues { Array($0.utf8) }, series: series)
    func text(_ path: String) -> String {
      plan.files.first { $0.path == path }.map { String(decoding: $0.after, as: UTF8.self) } ?? ""
    }
    let entries = text("mm/Kconfig").split(separator: "\n").filter { $0.hasPrefix("config ") }
    #expect(entries == ["config ZSWAP", "config ZSWAP_HOOKS", "config OTHER"])
    #expect(
      text("mm/Makefile").hasPrefix(
        "obj-$(CONFIG_ZSWAP)\t+= zswap.o\nobj-$(CONFIG_ZSWAP_HOOKS)\t+= zswap_hooks.o\n"))
    #expect(
      text("mm/swapfile.c").hasPrefix(
        "#include <linux/swap.h>\n#include <linux/zswap_hooks.h>\n"))
  }

  @Test func `a diff that fits only elsewhere is applied there, and one that does not is not`() {
    let diff = UnifiedDiff(
      "--- a/f\n+++ b/f\n@@ -1,2 +1,3 @@\n one\n+new\n two\n@@ -5,1 +6,1 @@\n-five\n+5\n")
    func apply(_ text: String) -> String? {
      diff.files[0].apply(to: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(
      apply("zero\none\ntwo\nthree\nfour\nfive\n") == "zero\none\nnew\ntwo\nthree\nfour\n5\n")
    #expect(apply("one\n2\n") == nil)
  }
}
