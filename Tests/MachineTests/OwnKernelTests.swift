import Foundation
import Subprocess
import Testing

/// Kernels that do not come up, and kernels given in other forms than an image, for real.
@Suite(.serialized, .enabled(if: TestKernel.arePrepared, "run scripts/test"))
struct OwnKernelTests {
  private static let schedule = ["--schedule", "writeback@unlocked > swapoff@trees-freed"]

  private func boot(
    _ words: String, _ body: (HarnessProcess.Outcome) -> Void
  ) async throws {
    try await HarnessProcess.with { harness in
      let outcome = try await harness.run(
        ["--kernel", TestKernel.stock.path, "--append", words, "--silence-limit", "20"]
          + Self.schedule)
      #expect(outcome.exitCode == 3)
      #expect(outcome.output.contains("the kernel does not come up"))
      body(outcome)
    }
  }

  @Test func `a kernel that finds no init is told why, with its last lines`() async throws {
    try await boot("rdinit=/nonexistent") { outcome in
      #expect(outcome.output.contains("names an init that the guest image does not have"))
      #expect(outcome.output.contains("Unable to mount root fs"))
      #expect(outcome.output.contains("its last lines were:"))
    }
  }

  @Test func `a kernel that waits for a root device is told from one that hangs`() async throws {
    try await boot("rdinit=/nonexistent root=/dev/nonexistent rootwait") { outcome in
      #expect(outcome.output.contains("it waits for a root device"))
      #expect(outcome.output.contains("CONFIG_BLK_DEV_INITRD"))
    }
  }

  @Test func `a kernel that is not heard is told from one that does not run`() async throws {
    try await boot("loglevel=0") { outcome in
      #expect(outcome.output.contains("its agent answers"))
      #expect(outcome.output.contains("loglevel="))
    }
  }

  @Test func `a package of the kernel is raced like its image`() async throws {
    try await HarnessProcess.with { harness in
      let stock = URL(filePath: TestKernel.stock.path)
      let root = stock.deletingLastPathComponent().deletingLastPathComponent()
      let release = String(stock.lastPathComponent.dropFirst("vmlinuz-".count))
      let tree = harness.folder.appending(path: "package")
      let files = FileManager.default
      for folder in ["DEBIAN", "boot"] {
        try files.createDirectory(
          at: tree.appending(path: folder), withIntermediateDirectories: true)
      }
      for name in ["vmlinuz-\(release)", "config-\(release)"] {
        try files.copyItem(
          at: root.appending(path: "boot/\(name)"), to: tree.appending(path: "boot/\(name)"))
      }
      try """
      Package: linux-image-\(release)
      Version: 6.12
      Architecture: amd64
      Maintainer: Nobody <nobody@example.org>
      Description: a kernel of a test

      """.write(to: tree.appending(path: "DEBIAN/control"), atomically: true, encoding: .utf8)
      let deb = harness.folder.appending(path: "linux-image.deb").path
      let built = try await Subprocess.run(
        .name("dpkg-deb"), arguments: ["-Znone", "--build", tree.path, deb], output: .discarded,
        error: .string(limit: 1 << 16))
      #expect(built.terminationStatus.isSuccess, "\(built.standardError)")
      // What is not in the package is named.
      let outcome = try await harness.run(
        [
          "--kernel", deb, "--kernel-build",
          root.appending(path: "usr/src/linux-headers-\(release)").path, "--kernel-modules",
          root.appending(path: "lib/modules/\(release)").path,
        ] + Self.schedule)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output.contains("pass  \(Self.schedule[1]) [ftrace]: interleaved"))
    }
  }
}
