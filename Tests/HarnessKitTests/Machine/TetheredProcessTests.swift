import CLinux
import Foundation
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct TetheredProcessTests {
  private func spawn(
    _ executable: String, _ arguments: [String], output: SystemPackage.FileDescriptor? = nil
  ) async throws -> TetheredProcess {
    let null = try SystemPackage.FileDescriptor.open("/dev/null", .readWrite)
    defer { try? null.close() }
    return try await TetheredProcess.spawn(
      executable: executable, arguments: arguments,
      descriptors: [0: null, 1: output ?? null, 2: null])
  }

  private func isAlive(_ pid: Int32) -> Bool { kill(pid, 0) == 0 }

  @Test func `an exit status and a signal are told apart`() async throws {
    #expect(try await spawn("/bin/sh", ["-c", "exit 7"]).exitStatus() == .exited(7))
    #expect(try await spawn("/bin/sh", ["-c", "kill -9 $$"]).exitStatus() == .signalled(SIGKILL))
  }

  @Test func `terminating ends the process, and twice does no harm`() async throws {
    let process = try await spawn("/bin/sleep", ["100"])
    process.terminate()
    #expect(await process.exitStatus() == .signalled(SIGKILL))
    process.terminate()
    #expect(!isAlive(process.pid))
  }

  @Test func `letting go of the owner ends the process`() async throws {
    var process: TetheredProcess? = try await spawn("/bin/sleep", ["100"])
    let pid = try #require(process?.pid)
    #expect(isAlive(pid))
    process = nil
    for _ in 0..<100 where isAlive(pid) { try await Task.sleep(for: .milliseconds(20)) }
    #expect(!isAlive(pid))
  }

  @Test func `a program that is not there is an error with its name, and leaves no child`()
    async throws
  {
    let error = await #expect(throws: TetheredProcess.SpawnError.self) {
      try await spawn("/nonexistent/qemu", [])
    }
    #expect(error?.errno == .noSuchFileOrDirectory)
    #expect(error?.description.contains("/nonexistent/qemu") == true)
  }

  @Test func `the child has the listed descriptors and no others`() async throws {
    let stray = try SystemPackage.FileDescriptor.open("/dev/null", .readOnly)
    defer { try? stray.close() }
    let ends = try SystemPackage.FileDescriptor.pipe()
    defer { try? ends.readEnd.close() }
    let process = try await spawn("/bin/ls", ["/proc/self/fd"], output: ends.writeEnd)
    try ends.writeEnd.close()
    #expect(await process.exitStatus() == .exited(0))
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = try buffer.withUnsafeMutableBytes { try ends.readEnd.read(into: $0) }
    let listed = String(decoding: buffer.prefix(count), as: UTF8.self)
      .split(separator: "\n").compactMap { Int($0) }
    // ls itself has one open on the folder.
    #expect(listed == [0, 1, 2, 3])
  }

  /// The promise itself. The process in between, which is killed, is a fork of
  /// this one: a shell cannot tether.
  @Test func `the child ends with its parent, that being killed`() async throws {
    let ends = try SystemPackage.FileDescriptor.pipe()
    defer { try? ends.readEnd.close() }
    let parent = try forkParentOfSleep(reportingTo: ends.writeEnd.rawValue)
    try ends.writeEnd.close()
    var isReaped = false
    defer { if !isReaped { kill(parent, SIGKILL) } }
    var child: Int32 = 0
    let count = try withUnsafeMutableBytes(of: &child) { try ends.readEnd.read(into: $0) }
    try #require(count == 4 && child > 0)
    #expect(!isGone(child))
    kill(parent, SIGKILL)
    var status: Int32 = 0
    waitpid(parent, &status, 0)
    isReaped = true
    for _ in 0..<1000 where !isGone(child) { try await Task.sleep(for: .milliseconds(10)) }
    #expect(isGone(child))
  }

  /// Ended: not there, or a zombie that its new parent has yet to reap.
  private func isGone(_ pid: Int32) -> Bool {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8) else {
      return true
    }
    return text.split(separator: ")").last?.split(separator: " ").first == "Z"
  }

  private func forkParentOfSleep(reportingTo descriptor: Int32) throws -> Int32 {
    // Between the fork and `pause` below, only C runs, on memory made before.
    let path = strdup("/bin/sleep")
    let argument = strdup("100")
    defer {
      free(path)
      free(argument)
    }
    let argv = [path, argument, nil]
    let environment: [UnsafeMutablePointer<CChar>?] = [nil]
    let parent = argv.withUnsafeBufferPointer { argv in
      environment.withUnsafeBufferPointer { environment in
        let pid = clinux_fork()
        if pid == 0 {
          var child = clinux_spawn_tethered(path, argv.baseAddress, environment.baseAddress, nil, 0)
          write(descriptor, &child, 4)
          while true { pause() }
        }
        return pid
      }
    }
    try #require(parent > 0)
    return parent
  }
}
