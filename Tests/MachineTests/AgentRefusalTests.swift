import Foundation
import Subprocess
import SystemPackage
import Testing

/// The agent makes swapfiles, mounts, loads modules and powers machines off.
@Suite struct AgentRefusalTests {
  private static let agent = URL(filePath: HarnessProcess.executable)
    .deletingLastPathComponent().appending(path: "guest-agent").path
  private static let hasStrace = FileManager.default.isExecutableFile(atPath: "/usr/bin/strace")

  @Test func `on a host the agent says why, and exits 64`() async throws {
    let record = try await Subprocess.run(
      .path(.init(Self.agent)), output: .discarded, error: .string(limit: 4096))
    #expect(record.terminationStatus == .exited(64))
    #expect(record.standardError.contains("not a guest of the zswap harness"))
  }

  /// Traced, its system calls are those of a process that starts, reads
  /// /proc/cmdline, writes to standard error and exits.
  @Test(.enabled(if: hasStrace, "needs strace"))
  func `on a host the agent makes no system call that changes anything`() async throws {
    let record = try await Subprocess.run(
      .path("/usr/bin/strace"),
      arguments: ["-f", "-qq", "-o", "/dev/stdout", Self.agent, "worker"],
      output: .string(limit: 1 << 20), error: .discarded)
    #expect(record.terminationStatus == .exited(64))
    let lines = record.standardOutput.split(separator: "\n")
    #expect(lines.contains { $0.contains(#""/proc/cmdline""#) }, "the trace is of the agent")
    let harmless: Set<Substring> = [
      "execve", "brk", "arch_prctl", "mmap", "mprotect", "munmap", "access", "openat", "read",
      "pread64", "fstat", "newfstatat", "close", "set_tid_address", "set_robust_list", "rseq",
      "prlimit64", "getrandom", "futex", "getpid", "getppid", "statfs", "readlink", "lseek",
      "rt_sigaction", "rt_sigprocmask", "sched_getaffinity", "sysinfo", "write", "exit_group",
      "gettid", "sigaltstack", "ioctl", "getuid", "geteuid", "getgid", "getegid", "uname", "poll",
      "getcwd",
    ]
    for line in lines where !line.contains("+++ exited") {
      let call = line.drop { $0.isNumber || $0 == " " }.prefix { $0 != "(" }
      #expect(harmless.contains(call), "\(line)")
      if call == "openat" { #expect(line.contains("O_RDONLY"), "\(line)") }
      // Whether standard output is a terminal, asked by the C library.
      if call == "ioctl" { #expect(line.contains("TCGETS"), "\(line)") }
      if call == "write" { #expect(line.contains("write(2, "), "\(line)") }
    }
  }
}
