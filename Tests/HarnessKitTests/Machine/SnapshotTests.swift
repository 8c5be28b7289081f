import Foundation
import GuestWire
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct SnapshotTests {
  private func key(
    kernel: String = "k", initramfs: String = "i", disk: String = "128 MiB", qemu: String = "7.2",
    hostCPU: String = "CPU",
    _ change: (inout QEMUCommandLine) -> Void = { _ in }
  ) async throws -> String {
    var line = QEMUCommandLine(
      machine: Machine(
        name: "test", machine: "q35", cpu: .init(tcg: "Nehalem", kvm: "host"), cpus: 2,
        memoryMiB: 512),
      acceleration: .tcg, kernel: "/k", initramfs: "/i", disk: "/d", token: "t")
    change(&line)
    return try await Snapshot.key(
      line, kernel: kernel, initramfs: initramfs, disk: disk, qemu: qemu, hostCPU: hostCPU)
  }

  @Test func `another kernel, agent, disk, QEMU, CPU or word is another guest`() async throws {
    let keys = [
      try await key(), try await key(kernel: "l"), try await key(initramfs: "j"),
      try await key(disk: "256 MiB"), try await key(qemu: "8.0"),
      try await key(hostCPU: "another"), try await key { $0.memoryMiB = 1024 },
      try await key { $0.extraKernelWords = ["quiet"] },
    ]
    #expect(Set(keys).count == keys.count)
  }

  @Test func `another run is not`() async throws {
    let other = try await key {
      $0.token = "u"
      $0.disk = "/e"
    }
    #expect(try await key() == other)
  }

  /// An entry as ``Snapshot/save(_:hello:disk:to:)`` leaves it, but for its
  /// contents.
  private func withEntry(_ body: (FilePath) throws -> Void) async throws {
    try await withTemporaryDirectory { root in
      let partial = root.appending("partial")
      for name in ["memory", "devices", "disk.img"] {
        try write(name, to: partial.appending(name))
      }
      try Snapshot.seal(
        partial,
        hello: Hello(protocolVersion: 1, token: "t", release: "6.12", cpus: 2))
      let entry = root.appending("entry")
      #expect(rename(partial.string, entry.string) == 0)
      try body(entry)
    }
  }

  @Test func `an entry reads back under its final name`() async throws {
    try await withEntry { entry in
      let snapshot = try Snapshot(reading: entry)
      #expect(snapshot.metadata.hello.token == "t")
      #expect(snapshot.memory == entry.appending("memory").string)
    }
  }

  @Test(arguments: ["memory", "devices", "disk.img"])
  func `a file that was cut, changed or lost is named`(name: String) async throws {
    try await withEntry { entry in
      #expect(truncate(entry.appending(name).string, 3) == 0)
      let error = #expect(throws: Snapshot.Failure.self) { try Snapshot(reading: entry) }
      #expect(error?.object.hasSuffix(name) == true)
    }
    try await withEntry { entry in
      try FileManager.default.removeItem(atPath: entry.appending(name).string)
      #expect(throws: Snapshot.Failure.self) { try Snapshot(reading: entry) }
    }
  }

  @Test func `an entry without its description is none`() async throws {
    try await withEntry { entry in
      try write("{", to: entry.appending("snapshot.json"))
      #expect(throws: Snapshot.Failure.self) { try Snapshot(reading: entry) }
    }
  }
}
