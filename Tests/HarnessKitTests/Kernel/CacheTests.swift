import Foundation
import Glibc
import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct CacheTests {
  private struct Killed: Error {}

  @Test func `an entry is made once, however many want it`() async throws {
    try await withTemporaryDirectory { root in
      let cache = Cache(root: root)
      try await withThrowingTaskGroup(of: FilePath.self) { group in
        for _ in 0..<4 {
          group.addTask { @Sendable in
            try await cache.obtain("kernels", "k") { directory in
              try write("", to: root.appending("made/\(UUID().uuidString)"))
              try await Task.sleep(for: .milliseconds(20))
              try write("whole", to: directory.appending("file"))
            }
          }
        }
        for try await path in group { #expect(path == root.appending("kernels/k")) }
      }
      let made = try FileManager.default.contentsOfDirectory(atPath: root.appending("made").string)
      #expect(made.count == 1)
    }
  }

  @Test func `many who begin a cache at once do not get in each other's way`() async throws {
    try await withTemporaryDirectory { root in
      for round in 0..<50 {
        let folder = root.appending("\(round)/a/b/c")
        try await withThrowingTaskGroup { group in
          for _ in 0..<8 {
            group.addTask { try SharedDirectory.make(folder) }
          }
          try await group.waitForAll()
        }
      }
      try SharedDirectory.make("")
      let file = root.appending("file")
      try write("", to: file)
      #expect(throws: Errno.fileExists) { try SharedDirectory.make(file) }
      #expect(throws: Errno.notDirectory) { try SharedDirectory.make(file.appending("a")) }
    }
  }

  private static func age(_ path: FilePath, days: Double) throws {
    var old = [timespec](repeating: timespec(), count: 2)
    for index in old.indices { old[index].tv_sec = time(nil) - Int(days * 86_400) }
    #expect(utimensat(AT_FDCWD, path.string, old, 0) == 0)
  }

  @Test func `what was used of late is not pruned, and what is old is gone for good`() async throws
  {
    try await withTemporaryDirectory { root in
      let cache = Cache(root: root)
      for key in ["old", "used", "known by its path", "new"] {
        _ = try await cache.obtain("kernels", key) { try write("x", to: $0.appending("file")) }
      }
      try write("image", to: root.appending("guest/initramfs"))
      try write("half", to: root.appending("kernels/.k.partial-1/file"))
      for name in [
        "kernels/old", "kernels/used", "kernels/known by its path", "guest/initramfs",
        "kernels/.k.partial-1",
      ] {
        try Self.age(root.appending(name), days: 40)
      }
      _ = try await cache.obtain("kernels", "used") { _ in Issue.record("it is there") }
      cache.touch(entryOf: root.appending("kernels/../kernels/known by its path/file"))
      cache.touch(entryOf: root.appending("kernels"))
      cache.touch(entryOf: "/elsewhere/old/file")

      let month = Date().addingTimeInterval(-30 * 86_400)
      #expect(cache.contents().count == 6)
      #expect(cache.contents().allSatisfy { $0.bytes > 0 })
      let would = cache.prune(unusedSince: month, isDryRun: true)
      #expect(would.map(\.name) == ["initramfs", ".k.partial-1", "old"])
      #expect(cache.contents().count == 6)
      #expect(cache.prune(unusedSince: month) == would)
      #expect(cache.contents().map(\.name) == ["known by its path", "new", "used"])
      // Whoever makes an entry anew still waits for others by the same lock.
      #expect(FileManager.default.fileExists(atPath: root.appending("kernels/.old.lock").string))
    }
  }

  @Test func `a file that was read of late is not pruned, whenever it was made`() async throws {
    try await withTemporaryDirectory { root in
      let file = root.appending("guest/initramfs")
      try write("image", to: file)
      var times = [timespec](repeating: timespec(), count: 2)
      (times[0].tv_sec, times[1].tv_sec) = (time(nil), time(nil) - 40 * 86_400)
      #expect(utimensat(AT_FDCWD, file.string, times, 0) == 0)
      let month = Date().addingTimeInterval(-30 * 86_400)
      #expect(Cache(root: root).prune(unusedSince: month).isEmpty)
    }
  }

  @Test func `a tree that somebody builds in is not pruned, however old`() async throws {
    try await withTemporaryDirectory { root in
      let cache = Cache(root: root)
      let tree = root.appending("successive/linux")
      try write("", to: tree.appending("lock"))
      let lock = try FileDescriptor.open(tree.appending("lock"), .readWrite)
      #expect(flock(lock.rawValue, LOCK_EX) == 0)
      try Self.age(tree, days: 40)
      let month = Date().addingTimeInterval(-30 * 86_400)
      #expect(cache.prune(unusedSince: month).isEmpty)
      try lock.close()
      #expect(cache.prune(unusedSince: month).map(\.name) == ["linux"])
    }
  }

  @Test func `what a failed maker left is no entry, and is gone`() async throws {
    try await withTemporaryDirectory { root in
      let cache = Cache(root: root)
      await #expect(throws: Killed.self) { () async throws in
        _ = try await cache.obtain("kernels", "k") { directory in
          try write("half", to: directory.appending("file"))
          #expect(cache.existing("kernels", "k") == nil)
          throw Killed()
        }
      }
      #expect(cache.existing("kernels", "k") == nil)
      #expect(cache.entries("kernels").isEmpty)
    }
  }

  /// A kill -9 runs no handler: the half stays, and must not be believed.
  @Test func `the half of a killed maker is removed by the next one`() async throws {
    try await withTemporaryDirectory { root in
      let cache = Cache(root: root)
      let half = root.appending("kernels/.k.partial-dead")
      try write("half", to: half.appending("file"))
      #expect(cache.existing("kernels", "k") == nil)
      let entry = try await cache.obtain("kernels", "k") { directory in
        try write("whole", to: directory.appending("file"))
      }
      #expect(FileManager.default.contents(atPath: entry.appending("file").string)?.count == 5)
      #expect(!FileManager.default.fileExists(atPath: half.string))
      #expect(cache.entries("kernels") == [entry])
    }
  }

  @Test func `an entry that is removed can be made again`() async throws {
    try await withTemporaryDirectory { root in
      let cache = Cache(root: root)
      try write("bad", to: root.appending("snapshots/k/file"))
      cache.remove("snapshots", "k")
      #expect(cache.existing("snapshots", "k") == nil)
      #expect(cache.entries("snapshots").isEmpty)
      let names = try FileManager.default.contentsOfDirectory(
        atPath: root.appending("snapshots").string)
      #expect(names.isEmpty)
      cache.remove("snapshots", "never there")
      _ = try await cache.obtain("snapshots", "k") { try write("good", to: $0.appending("file")) }
    }
  }

  @Test func `the entries that were used last are kept`() async throws {
    try await withTemporaryDirectory { root in
      let cache = Cache(root: root)
      for key in ["a", "b", "c"] {
        try write("", to: root.appending("snapshots/\(key)/file"))
        try FileManager.default.setAttributes(
          [.modificationDate: Date(timeIntervalSince1970: 1)],
          ofItemAtPath: root.appending("snapshots/\(key)").string)
      }
      cache.touch("snapshots", "b")
      cache.trim("snapshots", keeping: 1)
      #expect(cache.entries("snapshots") == [root.appending("snapshots/b")])
    }
  }

  @Test func `the cache's place follows the environment`() throws {
    let home = ["HOME": "/home/u"]
    #expect(try Cache.standard(environment: home).root == "/home/u/.cache/zswap-harness")
    let shared = home.merging(["XDG_CACHE_HOME": "/c"]) { $1 }
    #expect(try Cache.standard(environment: shared).root == "/c/zswap-harness")
    let own = shared.merging(["ZSWAP_HARNESS_CACHE": "/o"]) { $1 }
    #expect(try Cache.standard(environment: own).root == "/o")
    #expect(throws: KernelError.self) { try Cache.standard(environment: [:]) }
  }
}
