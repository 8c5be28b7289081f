import SystemPackage
import Testing

@testable import HarnessKit

/// What `kmod/Kbuild` believes of where zswap has what in an entry.
@Suite struct ModuleLayoutTests {
  private static let known = """
    struct zswap_entry {
    	swp_entry_t swpentry;
    	unsigned int length;
    	bool referenced;	/* since the last pass */
    	struct zswap_pool *pool;
    	unsigned long handle;
    	struct obj_cgroup *objcg;
    	struct list_head lru;
    };

    """

  /// As Kbuild answers it for a tree with that in its mm/zswap.c; nil for headers alone.
  private static func flags(_ source: String?, patchLevel: Int = 12) async throws -> [String] {
    let kbuild = try Checkout.locate().kmod.appending("Kbuild")
    return try await withTemporaryDirectory { folder in
      if let source { try write("int x;\n\(source)int y;\n", to: folder.appending("mm/zswap.c")) }
      try write(
        """
        srctree := .
        VERSION := 6
        PATCHLEVEL := \(patchLevel)
        include \(kbuild)
        all: ; @echo $(ccflags-y)

        """, to: folder.appending("Makefile"))
      return try await Tool("make", in: folder).run(["-s"]).text
        .split(whereSeparator: \.isWhitespace).map(String.init)
    }
  }

  private static func isKnown(_ source: String?, patchLevel: Int = 12) async throws -> Bool {
    let flags = try await flags(source, patchLevel: patchLevel)
    #expect(flags.count { $0.hasPrefix("-DZH_LAYOUT_KNOWN=") } == 1)
    return flags.contains("-DZH_LAYOUT_KNOWN=1")
  }

  private static func hasSecondChance(
    _ source: String?, patchLevel: Int = 12
  ) async throws -> Bool {
    try await flags(source, patchLevel: patchLevel).contains("-DZH_SECOND_CHANCE=1")
  }

  @Test func `the layout of the release is believed of headers, and of the same structure`()
    async throws
  {
    #expect(try await Self.isKnown(nil))
    #expect(try await Self.isKnown(Self.known))
    #expect(try await !Self.isKnown(nil, patchLevel: 11))
    #expect(try await !Self.isKnown(Self.known, patchLevel: 11))
  }

  @Test func `a structure that somebody has changed is not taken for the release's`() async throws {
    let changed = [
      ("struct list_head lru;", "struct rcu_head rcu; struct list_head lru;"),
      ("bool referenced;", "u8 chances;"), ("struct zswap_entry {", "struct zswap_item {"),
    ]
    for (old, new) in changed {
      #expect(try await !Self.isKnown(Self.known.replacing(old, with: new)), "\(new)")
    }
  }

  @Test func `a second chance is given by kernels whose entries have a bit for it`() async throws {
    #expect(try await Self.hasSecondChance(nil))
    #expect(try await !Self.hasSecondChance(nil, patchLevel: 11))
    #expect(try await Self.hasSecondChance(Self.known))
    let more = Self.known.replacing("unsigned long handle;", with: "unsigned long handle, x;")
    #expect(try await Self.hasSecondChance(more))
    // 6.11's.
    let none = Self.known.replacing("bool referenced;", with: "")
    #expect(try await !Self.hasSecondChance(none, patchLevel: 11))
  }
}
