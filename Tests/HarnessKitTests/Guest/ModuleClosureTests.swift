import Foundation
import Testing

@testable import HarnessKit

@Suite struct ModuleClosureTests {
  private let index = ModuleClosure.Index(
    tables: """
      kernel/fs/ext4/ext4.ko.xz: kernel/lib/crc16.ko.xz kernel/fs/mbcache.ko.xz kernel/fs/jbd2/jbd2.ko.xz
      kernel/fs/jbd2/jbd2.ko.xz: kernel/fs/base.ko.xz
      kernel/fs/base.ko.xz:
      kernel/fs/mbcache.ko.xz:
      kernel/lib/crc16.ko.xz:
      kernel/drivers/block/virtio_blk.ko.xz:
      kernel/crypto/crc32c_generic.ko.xz:
      kernel/arch/x86/crypto/crc32c-intel.ko.xz:
      kernel/a.ko: kernel/b.ko
      kernel/b.ko:
      # Soft dependencies extracted from modules themselves.
      softdep ext4 pre: crypto-crc32c
      softdep a post: ext4
      softdep b pre: a
      alias crypto-crc32c crc32c_intel
      alias crypto-crc32c crc32c_generic
      alias pci:v00001AF4d* virtio_pci
      """,
    builtin: "kernel/drivers/virtio/virtio_pci.ko\nkernel/crypto/lzo-rle.ko\n")

  @Test func `a module comes after everything it needs`() {
    let paths = ModuleClosure(of: ["ext4"], in: index).paths
    for (path, needed) in index.dependencies {
      guard let position = paths.firstIndex(of: path) else { continue }
      for dependency in needed {
        let earlier = paths.firstIndex(of: dependency)
        #expect(earlier.map { $0 < position } == true, "\(dependency) before \(path)")
      }
    }
    #expect(paths.last == "kernel/fs/ext4/ext4.ko.xz")
  }

  @Test func `a soft dependency is met by the generic one of its providers`() {
    let paths = ModuleClosure(of: ["ext4"], in: index).paths
    #expect(paths.contains("kernel/crypto/crc32c_generic.ko.xz"))
    #expect(!paths.contains("kernel/arch/x86/crypto/crc32c-intel.ko.xz"))
  }

  @Test func `built-in modules are not looked for, absent ones are told`() {
    let closure = ModuleClosure(of: ["virtio-pci", "lzo_rle", "nowhere", "virtio_blk"], in: index)
    #expect(closure.builtin == ["virtio-pci", "lzo_rle"])
    #expect(closure.absent == ["nowhere"])
    #expect(closure.paths == ["kernel/drivers/block/virtio_blk.ko.xz"])
  }

  @Test func `hyphen and underscore are the same in a name`() {
    let closure = ModuleClosure(of: ["virtio-blk", "crc32c_intel"], in: index)
    #expect(closure.paths.count == 2)
  }

  @Test func `a circle of soft dependencies ends`() {
    #expect(Set(ModuleClosure(of: ["b", "a"], in: index).paths) == ["kernel/a.ko", "kernel/b.ko"])
  }
}
