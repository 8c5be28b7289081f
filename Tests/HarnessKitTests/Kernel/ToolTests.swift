import Testing

@testable import HarnessKit

@Suite struct ToolTests {
  @Test func `a failure shows the command, its status and its last words`() async {
    await #expect {
      try await Tool("sh").run(["-c", "echo gone wrong >&2; exit 3"])
    } throws: { error in
      let text = "\(error)"
      return text.contains("sh -c") && text.contains("status 3") && text.contains("gone wrong")
    }
  }

  @Test func `a missing program names its package`() {
    let error = ToolError(
      command: "depmod", reason: .missing(package: Tool.package(of: "depmod")), lastLines: [])
    #expect(error.description == "depmod: not installed; apt-get install kmod")
  }

  @Test func `the first errors of a build are kept, not what follows from them`() {
    var tail = LogTail()
    tail.add("mm/zswap.c:1: error: first")
    for number in 0..<100 { tail.add("  CC file\(number).o") }
    tail.add("make: *** [Makefile:1: all] Error 2")
    #expect(tail.errors == ["mm/zswap.c:1: error: first"])
  }

  @Test func `a build that the host could not bear is not the source's fault`() {
    func why(_ line: String) -> String? {
      var tail = LogTail()
      tail.add("mm/zswap.c:1: error: first")
      tail.add(line)
      return tail.hostFailure
    }
    #expect(why("make[3]: *** [scripts/Makefile.build:229: mm/zswap.o] Error 1") == nil)
    #expect(why("as: BFD: mm/zswap.o: No space left on device") == "the disk is full")
    for line in [
      "gcc: fatal error: Killed signal terminated program cc1",
      "clang: error: unable to execute command: Killed",
      "collect2: fatal error: ld terminated with signal 9 [Killed]",
      "make[2]: *** [scripts/Makefile.vmlinux:34: vmlinux] Error 137",
      "make[1]: *** [vmlinux.o] Killed",
    ] {
      #expect(why(line)?.contains("was killed") == true, "\(line)")
    }
  }

  @Test func `whose fault an error is decides the exit code`() {
    func code(_ error: any Error) -> Int32 { HarnessFailure(error).kind.exitCode }
    #expect(code(KernelError(.build, "make", "linux", "failed")) == 3)
    #expect(code(KernelError(.host, "make", "linux", "the disk is full")) == 2)
    #expect(code(KernelError(.usage, "use", "kasn", "no file")) == 64)
    #expect(code(CancellationError()) == 2)
    #expect(code(HarnessFailure(.kernelUnusable, "no zswap")) == 3)
  }

  @Test func `an error's first line is the problem and its last the remedy`() {
    let error = KernelError(
      .image, "read kernel image", "bzImage", "the file is empty", advice: "Build it anew.",
      details: ["evidence"])
    #expect(
      error.description
        == "read kernel image bzImage: the file is empty\n    evidence\n  Build it anew.")
  }
}
