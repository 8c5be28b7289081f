import Foundation
import GuestWire
import SystemPackage

/// The program of a workload, on this host.
struct WorkloadProgram {
  let workload: Workload

  /// Into a pipe, the C library keeps lines back; the test forks, and each child would
  /// print what was kept once more.
  private static let unbuffered = """
    #include <stdio.h>

    __attribute__((constructor)) static void do_not_buffer(void)
    {
    \tsetvbuf(stdout, NULL, _IONBF, 0);
    }

    """

  init(_ workload: Workload) { self.workload = workload }

  /// Its path; built first where that is what it takes.
  func path(cache: Cache) async throws -> String {
    switch workload {
    case .kselftest: return try await kselftest(cache)
    case .stressNG:
      guard let path = Tool.locate("stress-ng") else {
        throw HarnessFailure(
          .harness,
          "there is no stress-ng here, which the scenario of that name runs\n"
            + "apt-get install stress-ng")
      }
      return path.string
    case .reclaim:
      throw HarnessFailure(.harness, "the guest agent itself does what \(workload.rawValue) is")
    }
  }

  /// Of the kernel's own source, as its Makefile compiles it.
  private func kselftest(_ cache: Cache) async throws -> String {
    let tree = try await KernelSource.standard.tree(in: cache)
    let selftests = tree.path.appending("tools/testing/selftests")
    let sources = ["test_zswap.c", "cgroup_util.c"].map {
      selftests.appending("cgroup").appending($0).string
    }
    let compiler = try await Tool("gcc").run(["--version"]).lines.first ?? ""
    let key = try await ContentHash.of(
      ([compiler, Self.unbuffered] + ContentHash.of(files: sources)).joined(separator: "\n"))
    let entry = try await cache.obtain("programs", String(key.prefix(24))) { directory in
      let unbuffered = directory.appending("unbuffered.c").string
      try Self.unbuffered.write(toFile: unbuffered, atomically: true, encoding: .utf8)
      try await Tool("gcc").run(
        ["-O2", "-Wall", "-I", selftests.string, "-o", directory.appending("test_zswap").string]
          + sources + [unbuffered])
    }
    return entry.appending("test_zswap").string
  }
}
