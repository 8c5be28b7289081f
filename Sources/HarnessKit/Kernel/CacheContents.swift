import Foundation
import Glibc
import SystemPackage

/// What a cache holds.
extension Cache {
  /// Something that was kept: a directory or a file.
  public struct Entry: Hashable, Sendable {
    /// What kind of thing: the directory in the cache that it is in.
    public var kind: String
    /// Within its kind: the key, or `.KEY.partial-…` for what a maker that was killed has left.
    public var name: String
    /// When it was made or last used.
    public var lastUse: Date
    /// What it takes on the disk; of a file that other trees have by a hard link, its share.
    public var bytes: UInt64
  }

  /// All entries, and what makers that were killed have left behind; by kind and name.
  ///
  /// - Parameter willMeasure: is told of each, as a kernel's tree has a hundred thousand files.
  public func contents(willMeasure: (String) -> Void = { _ in }) -> [Entry] {
    contents(willMeasure) { _, _ in true }
  }

  /// Only those that are of interest are measured, which takes long.
  private func contents(
    _ willMeasure: (String) -> Void, _ isOfInterest: (FilePath, Date) -> Bool
  ) -> [Entry] {
    names(in: root).flatMap { kind in
      names(in: root.appending(kind), withHalves: true).compactMap { name in
        let path = path(kind, name)
        guard let used = Self.lastUse(path), isOfInterest(path, used) else { return nil }
        willMeasure("\(kind)/\(name)")
        return Entry(kind: kind, name: name, lastUse: used, bytes: Self.bytes(path))
      }
    }
  }

  /// Removes what nothing has used since, and what makers that were killed before then have left
  /// behind. A tree that a process builds in stays, however old.
  ///
  /// What a run uses and began with before that time goes from under it.
  ///
  /// - Parameters:
  ///   - isDryRun: only says what would be removed.
  ///   - willMeasure: is told of each of those.
  /// - Returns: what was removed, and not what could not be, with what that took on the disk.
  public func prune(
    unusedSince date: Date, isDryRun: Bool = false, willMeasure: (String) -> Void = { _ in }
  ) -> [Entry] {
    contents(willMeasure) { path, used in used < date && !Self.isLocked(path) }
      .filter { entry in
        if isDryRun { return true }
        remove(entry.kind, entry.name)
        return Self.lastUse(path(entry.kind, entry.name)) == nil
      }
  }

  /// - Parameter withHalves: what is being made as well, or was.
  private func names(in directory: FilePath, withHalves: Bool = false) -> [String] {
    // Locks stay: one who waits for a file that is gone waits for nobody.
    ((try? FileManager.default.contentsOfDirectory(atPath: directory.string)) ?? [])
      .filter { !$0.hasPrefix(".") || withHalves && $0.contains(".partial-") }.sorted()
  }

  private static func lastUse(_ path: FilePath) -> Date? {
    var status = stat()
    guard lstat(path.string, &status) == 0 else { return nil }
    var used = status.st_mtim.tv_sec
    // A file is not touched, as its times tell whether it is still the same; but it is read. A
    // directory is read by whoever looks for something.
    if status.st_mode & S_IFMT == S_IFREG { used = max(used, status.st_atim.tv_sec) }
    return Date(timeIntervalSince1970: TimeInterval(used))
  }

  private static func isLocked(_ path: FilePath) -> Bool {
    do {
      return try FileLock.take(path.appending("lock"), options: .closeOnExec) == nil
    } catch {
      return false
    }
  }

  private static func bytes(_ path: FilePath) -> UInt64 {
    var status = stat()
    guard lstat(path.string, &status) == 0 else { return 0 }
    // Blocks of 512 bytes, whatever the file system's own are.
    let own = UInt64(status.st_blocks) * 512
    guard status.st_mode & S_IFMT == S_IFDIR else { return own / UInt64(max(1, status.st_nlink)) }
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path.string)) ?? []
    return names.reduce(own) { $0 + bytes(path.appending($1)) }
  }
}
