import Foundation
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct KernelPatchTests {
  private let change = """
    --- a/mm/zswap.c
    +++ b/mm/zswap.c
    @@ -1,3 +1,3 @@
     one
    -two
    +three
     four

    """

  /// Sources of cache entries share their files by hard links.
  @Test func `patching a copy made of hard links leaves the original alone`() async throws {
    try await withTemporaryDirectory { root in
      try write("one\ntwo\nfour\n", to: root.appending("a/mm/zswap.c"))
      try write(change, to: root.appending("x.patch"))
      try await Tool("cp", in: root).run(["-al", "a", "b"])
      try await KernelPatch(root.appending("x.patch")).apply(to: root.appending("b"))
      func text(_ path: String) -> String? {
        FileManager.default.contents(atPath: root.appending(path).string)
          .map { String(decoding: $0, as: UTF8.self) }
      }
      #expect(text("b/mm/zswap.c") == "one\nthree\nfour\n")
      #expect(text("a/mm/zswap.c") == "one\ntwo\nfour\n")
    }
  }

  @Test func `a patch that fits only with fuzz does not fit`() async throws {
    try await withTemporaryDirectory { root in
      try write("uno\ntwo\nfour\n", to: root.appending("a/mm/zswap.c"))
      try write(change, to: root.appending("x.patch"))
      let patch = try KernelPatch(root.appending("x.patch"))
      await #expect {
        try await patch.apply(to: root.appending("a"))
      } throws: { error in
        "\(error)".contains("apply x.patch") && "\(error)".contains("Hunk #1")
      }
    }
  }

  @Test func `the series lists patches that are there, and all of them`() throws {
    let checkout = try Checkout.locate()
    let listed = try KernelPatch.series(of: checkout).map(\.name)
    let present = try FileManager.default.contentsOfDirectory(atPath: checkout.patches.string)
    #expect(listed == present.filter { $0.hasSuffix(".patch") }.sorted())
  }

  @Test func `a mutant that does not exist is refused`() throws {
    #expect {
      try KernelPatch.mutant("no-such", of: Checkout(root: "/nonexistent"))
    } throws: { error in
      "\(error)".contains("use mutant no-such")
    }
  }
}
