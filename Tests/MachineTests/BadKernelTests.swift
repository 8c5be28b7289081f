import Foundation
import Subprocess
import Testing

/// Kernels that cannot be used: each is refused before anything is booted.
@Suite(.enabled(if: TestKernel.arePrepared, "run scripts/test"))
struct BadKernelTests {
  private func refuse(
    _ bytes: Data, without option: String? = nil, _ body: (HarnessProcess.Outcome) -> Void
  ) async throws {
    try await HarnessProcess.with { harness in
      let image = harness.folder.appending(path: "bzImage")
      try bytes.write(to: image)
      let stock = URL(filePath: TestKernel.stock.path)
      let release = stock.lastPathComponent.dropFirst("vmlinuz-".count)
      let stockConfig = stock.deletingLastPathComponent().appending(path: "config-\(release)")
      if let option {
        let text = try String(contentsOf: stockConfig, encoding: .utf8)
          .replacingOccurrences(of: "\(option)=y", with: "# \(option) is not set")
        try text.write(
          to: harness.folder.appending(path: "config-\(release)"), atomically: true,
          encoding: .utf8)
      }
      let outcome = try await harness.run(["--kernel", image.path])
      #expect(outcome.exitCode == 3)
      #expect(outcome.console.isEmpty, "nothing was booted")
      body(outcome)
    }
  }

  private var stock: Data {
    get throws { try Data(contentsOf: URL(filePath: TestKernel.stock.path)) }
  }

  @Test func `a file of schedules is read: a bad line is bad usage, before anything is made`()
    async throws
  {
    try await HarnessProcess.with { harness in
      let file = harness.folder.appending(path: "schedules.txt")
      try "writeback@pinned > load@end\nwriteback@nowhere > load@end\n"
        .write(to: file, atomically: true, encoding: .utf8)
      let outcome = try await harness.run([
        "--kernel", TestKernel.stock.path, "--schedule-file", file.path,
      ])
      #expect(outcome.exitCode == 64)
      #expect(outcome.errors.contains("line 2: there is no hook point"))
      #expect(outcome.result.isEmpty)
    }
  }

  @Test func `an empty file is no kernel`() async throws {
    try await refuse(Data()) { #expect(($0.output + $0.errors).contains("empty")) }
  }

  @Test func `text is no kernel`() async throws {
    try await refuse(Data(repeating: 0x41, count: 100_000)) {
      #expect(($0.output + $0.errors).contains("not a"))
    }
  }

  @Test func `half a kernel is told by its own header`() async throws {
    let half = try stock.prefix(stock.count / 2)
    try await refuse(Data(half)) { #expect(($0.output + $0.errors).contains("cut")) }
  }

  @Test(arguments: ["CONFIG_ZSWAP", "CONFIG_MODULES"])
  func `a kernel without zswap or modules is refused by the option's name`(
    option: String
  ) async throws {
    try await refuse(try stock, without: option) {
      #expect(($0.output + $0.errors).contains(option))
    }
  }

  @Test func `a module of another kernel is refused, both named`() async throws {
    try await HarnessProcess.with { harness in
      // One of the stock kernel's own, with the release in it changed.
      let stock = URL(filePath: TestKernel.stock.path)
      let release = String(stock.lastPathComponent.dropFirst("vmlinuz-".count))
      let other = release.replacing("6.12.", with: "6.13.")
      let packed = stock.deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "lib/modules/\(release)/kernel/fs/mbcache.ko.xz")
      let bytes = try await Subprocess.run(
        .name("xz"), arguments: ["-dc", packed.path], output: .bytes(limit: 1 << 24),
        error: .discarded
      ).standardOutput
      let module = harness.folder.appending(path: "zswap_hooks.ko")
      try Data(bytes.replacing(Array(release.utf8), with: Array(other.utf8))).write(to: module)

      let outcome = try await harness.run([
        "--kernel", TestKernel.stock.path, "--module", module.path,
      ])
      #expect(outcome.exitCode == 3)
      #expect(outcome.output.contains(release))
      #expect(outcome.output.contains(other))
      #expect(outcome.console.isEmpty, "nothing was booted")
    }
  }

  @Test func `a folder that has results already is left alone, and no verdict given`() async throws
  {
    try await HarnessProcess.with { harness in
      try FileManager.default.createDirectory(at: harness.out, withIntermediateDirectories: true)
      let kept = harness.out.appending(path: "result.json")
      try Data("kept".utf8).write(to: kept)
      let outcome = try await harness.run(["--kernel", TestKernel.stock.path])
      #expect(outcome.exitCode == 2)
      #expect(outcome.errors.contains("not empty"))
      #expect(try Data(contentsOf: kept) == Data("kept".utf8))
    }
  }
}
