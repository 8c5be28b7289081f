import Foundation
import Glibc
import SystemPackage

/// Where what took long to make is kept: directories named after what went
/// into them, made aside and renamed into place, so that one which is there is
/// whole.
public struct Cache: Sendable {
  /// Has a directory for each kind of entry. It need not be there: the first entry makes it.
  public let root: FilePath

  public init(root: FilePath) { self.root = root }

  /// `$ZSWAP_HARNESS_CACHE`, else `zswap-harness` in `$XDG_CACHE_HOME`, else in
  /// `~/.cache`.
  public static func standard(
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) throws(KernelError) -> Cache {
    func directory(_ variable: String) -> FilePath? {
      // XDG has relative paths ignored; so do we, as a chdir would move them.
      environment[variable].map { FilePath($0) }.flatMap { $0.isAbsolute ? $0 : nil }
    }
    if let own = directory("ZSWAP_HARNESS_CACHE") { return Cache(root: own) }
    if let shared = directory("XDG_CACHE_HOME") {
      return Cache(root: shared.appending("zswap-harness"))
    }
    if let home = directory("HOME") { return Cache(root: home.appending(".cache/zswap-harness")) }
    throw KernelError(
      .host, "find", "the cache directory", "neither ZSWAP_HARNESS_CACHE nor HOME is set",
      advice: "Set ZSWAP_HARNESS_CACHE to a directory with 5 GB free.")
  }

  /// Where an entry is, or would be.
  public func path(_ kind: String, _ key: String) -> FilePath {
    root.appending(kind).appending(key)
  }

  /// The entry, if it is there.
  public func existing(_ kind: String, _ key: String) -> FilePath? {
    let path = path(kind, key)
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path.string, isDirectory: &isDirectory)
    return exists && isDirectory.boolValue ? path : nil
  }

  /// The entry, if it is there, which is of use now: see ``touch(_:_:)``.
  func used(_ kind: String, _ key: String) -> FilePath? {
    guard let path = existing(kind, key) else { return nil }
    touch(kind, key)
    return path
  }

  /// The entries of a kind, the newest first.
  public func entries(_ kind: String) -> [FilePath] {
    let parent = root.appending(kind)
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent.string)) ?? []
    return names.filter { !$0.hasPrefix(".") && existing(kind, $0) != nil }
      .map { name in
        let path = parent.appending(name)
        let attributes = try? FileManager.default.attributesOfItem(atPath: path.string)
        return (path, attributes?[.modificationDate] as? Date ?? .distantPast)
      }
      .sorted { ($0.1, $0.0.string) > ($1.1, $1.0.string) }.map(\.0)
  }

  /// The entry; made first where it is not there.
  ///
  /// - Parameters:
  ///   - waiting: called once when another process is making the same entry.
  ///   - make: fills the directory that it is given, which is not yet the
  ///     entry. A half that a killed maker left behind is never believed, and
  ///     the next maker removes it.
  public func obtain(
    _ kind: String, _ key: String, waiting: () -> Void = {},
    make: (FilePath) async throws -> Void
  ) async throws -> FilePath {
    let entry = try await found(kind, key, waiting: waiting, orMake: make)
    touch(kind, key)
    return entry
  }

  private func found(
    _ kind: String, _ key: String, waiting: () -> Void, orMake make: (FilePath) async throws -> Void
  ) async throws -> FilePath {
    if let found = existing(kind, key) { return found }
    let parent = root.appending(kind)
    try createDirectory(parent)
    let lock = try await Cache.lock(parent.appending(".\(key).lock"), waiting: waiting)
    defer { withExtendedLifetime(lock) {} }
    if let found = existing(kind, key) { return found }

    let files = FileManager.default
    let prefix = ".\(key).partial-"
    for name in (try? files.contentsOfDirectory(atPath: parent.string)) ?? []
    where name.hasPrefix(prefix) {
      // We hold the lock, so whoever made it is gone.
      try? files.removeItem(atPath: parent.appending(name).string)
    }
    let partial = parent.appending(prefix + UUID().uuidString.prefix(8))
    try createDirectory(partial)
    do {
      try await make(partial)
    } catch {
      try? files.removeItem(atPath: partial.string)
      throw error
    }
    let entry = path(kind, key)
    guard rename(partial.string, entry.string) == 0 else {
      let error = Errno(rawValue: errno)
      try? files.removeItem(atPath: partial.string)
      throw KernelError("rename the finished cache entry to", entry, error)
    }
    return entry
  }

  /// Removes an entry that has shown itself to be bad. It is no entry any more
  /// before the first of its files goes.
  public func remove(_ kind: String, _ key: String) {
    let aside = root.appending(kind)
      .appending(".\(key).partial-\(UUID().uuidString.prefix(8))")
    guard rename(path(kind, key).string, aside.string) == 0 else { return }
    try? FileManager.default.removeItem(atPath: aside.string)
  }

  /// Notes that an entry was of use, for ``trim(_:keeping:)`` and ``prune(unusedSince:)``.
  public func touch(_ kind: String, _ key: String) {
    // Of no use where the cache cannot be written: nothing is trimmed there.
    try? FileManager.default.setAttributes(
      [.modificationDate: Date()], ofItemAtPath: path(kind, key).string)
  }

  /// Notes it of the entry that a file is in, by whatever way somebody knows of that.
  public func touch(entryOf file: FilePath) {
    var rest = FilePath(URL(filePath: file.string).standardizedFileURL.path)
    guard rest.removePrefix(root), rest.components.count >= 2 else { return }
    let names = rest.components.prefix(2).map(\.string)
    touch(names[0], names[1])
  }

  /// Removes all entries of a kind but those used last.
  public func trim(_ kind: String, keeping count: Int) {
    for entry in entries(kind).dropFirst(count) {
      if let key = entry.lastComponent?.string { remove(kind, key) }
    }
  }

  private func createDirectory(_ path: FilePath) throws(KernelError) {
    do {
      try SharedDirectory.make(path)
    } catch {
      throw KernelError(
        .host, "make cache directory", path.string, "\(error)",
        advice: "Set ZSWAP_HARNESS_CACHE to a directory that you may write.")
    }
  }

  private static func lock(
    _ path: FilePath, waiting: () -> Void
  ) async throws -> FileLock {
    var said = false
    while true {
      if let lock = try FileLock.take(path) { return lock }
      if !said { waiting() }
      said = true
      // Polled, as flock() would block a thread of the cooperative pool.
      try await Task.sleep(for: .milliseconds(200))
    }
  }
}
