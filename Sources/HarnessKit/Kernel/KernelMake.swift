import Foundation
import SystemPackage

/// How kernels are configured and built here: the same inputs give the same bytes.
struct KernelMake: Sendable {
  let config: ConfigFragments
  let jobs: Int
  /// For `CC=`; nil for the Makefile's own.
  var compiler: String?
  /// See `MakeRun.lock`.
  var lock: FilePath?

  /// In `linux/build`, from allnoconfig and the fragments.
  func configure(_ linux: FilePath, log: FilePath) async throws {
    let build = linux.appending("build")
    try FileManager.default.createDirectory(
      atPath: build.string, withIntermediateDirectories: true)
    let fragment = build.appending("harness.config")
    try Data(config.text.utf8).write(to: URL(fileURLWithPath: fragment.string))
    try await MakeRun(log: log, title: "configuring the kernel", lock: lock).run(
      variables + ["KCONFIG_ALLCONFIG=\(fragment)", "allnoconfig"], in: linux)
    try config.requireSurvival(in: try KernelConfig.read(build.appending(".config")))
  }

  /// Image and modules; the modules are installed below `root`.
  func make(_ linux: FilePath, log: FilePath, installTo root: FilePath) async throws {
    try await MakeRun(log: log, title: "building the kernel", lock: lock).run(
      variables + ["-j\(jobs)", "bzImage", "modules"], in: linux)
    try await MakeRun(log: log, title: "installing its modules", lock: lock).run(
      variables + ["INSTALL_MOD_PATH=\(root)", "modules_install"], in: linux)
    // Links to where the tree is now, which is not where it will be.
    let modules = root.appending("lib/modules")
    for release in (try? FileManager.default.contentsOfDirectory(atPath: modules.string)) ?? [] {
      for link in ["build", "source"] {
        try? FileManager.default.removeItem(
          atPath: modules.appending(release).appending(link).string)
      }
    }
  }

  /// The same inputs give the same bytes, and nothing of this host in them.
  /// LOCALVERSION, set though empty, keeps a "+" for git trees away.
  private var variables: [String] {
    [
      "O=build", "ARCH=x86_64", "LOCALVERSION=", "KBUILD_BUILD_USER=harness",
      "KBUILD_BUILD_HOST=zswap", "KBUILD_BUILD_TIMESTAMP=1970-01-01", "KBUILD_BUILD_VERSION=1",
    ] + (compiler.map { ["CC=\($0)"] } ?? []) + config.makeVariables
  }
}
