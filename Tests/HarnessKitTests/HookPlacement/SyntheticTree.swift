import Foundation
import SystemPackage

@testable import HarnessKit

/// A source tree with as little in it as has a place for some of the points: of zswap's
/// names, and of nobody's code.
enum SyntheticTree {
  static let files: [String: String] = [
    "Makefile": "# SPDX\nVERSION = 7\nPATCHLEVEL = 0\n",
    "Kconfig": "mainmenu \"Linux\"\n",
    "mm/Kconfig": """
    config ZSWAP
    	bool "Compressed cache"

    config OTHER
    	bool "Other"

    """,
    "mm/Makefile": "obj-$(CONFIG_ZSWAP)\t+= zswap.o\nobj-y\t+= other.o\n",
    "mm/zswap.c": """
    #include <linux/module.h>
    #include <linux/zswap.h>

    void zswap_invalidate(swp_entry_t swp)
    {
    	struct xarray *tree = swap_zswap_tree(swp);
    	struct zswap_entry *entry;

    	entry = xa_erase(tree, swp_offset(swp));
    	if (entry)
    		zswap_entry_free(entry);
    }

    """,
    "mm/swapfile.c": """
    #include <linux/swap.h>

    SYSCALL_DEFINE1(swapoff, const char __user *, specialfile)
    {
    	BUG_ON(!current->mm);
    	return stop(specialfile);
    }

    """,
    "include/linux/other.h": "\n",
  ]

  static func make(at path: FilePath) throws {
    for (name, text) in files { try write(text, to: path.appending(name)) }
  }

  /// Every file's bytes, by its path.
  static func contents(of path: FilePath) throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    let walk = FileManager.default.enumerator(atPath: path.string)
    while let name = walk?.nextObject() as? String {
      let full = path.appending(name)
      var isFolder: ObjCBool = false
      guard FileManager.default.fileExists(atPath: full.string, isDirectory: &isFolder),
        !isFolder.boolValue, !name.hasPrefix(".git/")
      else { continue }
      found[name] = FileManager.default.contents(atPath: full.string).map(Array.init)
    }
    return found
  }

  static let checkout = Checkout(
    root: FilePath(#filePath).removingLastComponent().removingLastComponent()
      .removingLastComponent().removingLastComponent())
}
