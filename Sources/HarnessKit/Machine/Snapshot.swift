import Foundation
import GuestWire
import SystemPackage

/// A guest that was saved when it was ready: a cache entry's files.
struct Snapshot: Hashable, Sendable {
  /// What the entry says of itself.
  struct Metadata: Hashable, Sendable, Codable {
    /// Raised when what is saved changes.
    static let currentLayout = 1

    var layout = Metadata.currentLayout
    /// What the guest said when it was saved, its token included.
    var hello: Hello
    /// ``FileStamp``s of the files, but for their folder.
    var stamps: [String: String]
  }

  /// Why a guest was not saved, or cannot be started from.
  struct Failure: Error, Hashable, CustomStringConvertible {
    let operation: String
    let object: String
    let reason: String

    var description: String { "\(operation) \(object): \(reason)" }
  }

  /// The kind of cache entry.
  static let kind = "snapshots"
  /// A kernel under work leaves one at each build, of some hundred megabytes.
  static let kept = 8

  let directory: FilePath
  let metadata: Metadata

  var memory: String { Self.file(.memory, in: directory) }
  var devices: String { Self.file(.devices, in: directory) }
  var disk: String { Self.file(.disk, in: directory) }

  private enum File: String, CaseIterable {
    case memory
    case devices
    case disk = "disk.img"
  }

  private static func file(_ file: File, in directory: FilePath) -> String {
    directory.appending(file.rawValue).string
  }

  private static func metadataFile(in directory: FilePath) -> String {
    directory.appending("snapshot.json").string
  }

  /// Reads an entry, and sees that its files are those that were written.
  init(reading directory: FilePath) throws(Failure) {
    let file = Self.metadataFile(in: directory)
    guard let data = FileManager.default.contents(atPath: file),
      let metadata = try? JSONDecoder().decode(Metadata.self, from: data)
    else {
      throw Failure(operation: "read", object: file, reason: "it is not what was written")
    }
    guard metadata.layout == Metadata.currentLayout else {
      throw Failure(operation: "read", object: file, reason: "layout \(metadata.layout)")
    }
    for file in File.allCases {
      guard Self.stamp(file, in: directory) == metadata.stamps[file.rawValue] else {
        throw Failure(
          operation: "use", object: Self.file(file, in: directory),
          reason: "it was changed after it was saved")
      }
    }
    self.directory = directory
    self.metadata = metadata
  }

  private static func stamp(_ file: File, in directory: FilePath) -> String {
    // The folder is renamed when it is whole.
    String(
      decoding: FileStamp.of(Self.file(file, in: directory)).utf8
        .dropFirst(directory.string.utf8.count), as: UTF8.self)
  }

  /// Saves a guest that waits for its host, into a folder that is not yet the
  /// entry. The guest stands still afterwards, until ``GuestSession/resume()``.
  static func save(
    _ session: GuestSession, hello: Hello, disk: String, to directory: FilePath
  ) async throws {
    try await session.saveDevices(to: file(.devices, in: directory))
    let copies = [(try session.memoryPath, File.memory), (disk, File.disk)]
    for (source, target) in copies {
      try await SparseFile.copy(source, to: file(target, in: directory))
    }
    // A rename must not overtake the contents, should the host crash.
    try await Tool("sync").run(
      ["--data"] + File.allCases.map { file($0, in: directory) })
    try seal(directory, hello: hello)
  }

  /// Writes what the entry says of itself, when its files are there.
  static func seal(_ directory: FilePath, hello: Hello) throws {
    let stamps = File.allCases.map { ($0.rawValue, stamp($0, in: directory)) }
    let metadata = Metadata(
      hello: hello, stamps: Dictionary(uniqueKeysWithValues: stamps))
    try AtomicFile.write(
      [UInt8](try JSONEncoder().encode(metadata)),
      to: URL(filePath: metadataFile(in: directory)))
  }

  /// The entry's key: the hash of all that the saved guest depends on.
  ///
  /// - Parameters:
  ///   - kernel: The image's sum.
  ///   - initramfs: The key of the image that has agent and module.
  static func key(
    _ commandLine: QEMUCommandLine, kernel: String, initramfs: String, disk: String, qemu: String,
    hostCPU: String
  ) async throws -> String {
    let parts = [
      "layout \(Metadata.currentLayout)", "protocol \(Hello.currentProtocol)",
      "kernel \(kernel)", "initramfs \(initramfs)", "disk \(disk)", "qemu \(qemu)",
      "host \(hostCPU)", commandLine.identity,
    ]
    return String(try await ContentHash.of(parts.joined(separator: "\n")).prefix(24))
  }

  /// The host's CPU, as it calls itself: a saved guest has seen its features, and
  /// the speed of its TSC.
  static func hostCPU() -> String {
    let text = String(
      decoding: FileManager.default.contents(atPath: "/proc/cpuinfo") ?? Data(), as: UTF8.self)
    return text.split(separator: "\n").first { $0.hasPrefix("model name") }
      .map(String.init) ?? "unknown"
  }
}

/// Files that are mostly holes.
enum SparseFile {
  /// Copies one, and makes holes of its zeros.
  static func copy(_ source: String, to target: String) async throws(ToolError) {
    try await Tool("cp").run(["--sparse=always", "--", source, target])
  }
}
