import FoundationEssentials
import Glibc
import GuestWire

/// What could not be done with a run's folder.
public struct RunFolderError: Error, Hashable, Sendable, CustomStringConvertible {
  /// "create", "write", …
  public var operation: String
  /// The file or folder that it was done to.
  public var path: String
  /// Of the system call; 0 where a refusal is our own.
  public var errno: Int32
  /// The system's text for the errno, or why it was refused.
  public var reason: String

  init(_ operation: String, _ path: String, errno: Int32) {
    self.operation = operation
    self.path = path
    self.errno = errno
    reason = String(cString: strerror(errno))
  }

  init(_ operation: String, _ path: String, refused reason: String) {
    self.operation = operation
    self.path = path
    errno = 0
    self.reason = reason
  }

  public var description: String {
    "\(operation) \(path): \(reason)" + (errno == 0 ? "" : " (errno \(errno))")
  }
}

/// The folder that a run leaves behind. From its first moment it holds a
/// `result.json` which says that the run did not finish; whatever is replaced
/// in it is replaced whole, or stays as it was.
public struct RunFolder: Sendable {
  /// As it was given, or made up; it may be relative.
  public let path: String
  /// Replaced in tests of a full disk.
  var write: @Sendable (Int32, [UInt8]) -> Int32 = RunFolder.writeAll

  /// `runs/<time>-<kernel>`: 20261123T123209Z and the image's own name.
  public static func defaultPath(at date: Date, kernel: String) -> String {
    let time = String(date.formatted(.iso8601).filter { character in !"-:".contains(character) })
    let name = kernel.split(separator: "/").last.map(String.init) ?? "kernel"
    let safe = name.prefix(64).map { character in
      character.isASCII && (character.isLetter || character.isNumber || "._+".contains(character))
        ? character : "-"
    }
    return "runs/\(time)-\(String(safe))"
  }

  /// Makes the folder, and the folders above it. An existing one is taken only
  /// if it is empty: an earlier run's results are not written over.
  public init(creating path: String, record: RunRecord) throws(RunFolderError) {
    self.path = path
    try RunFolder.makeFolder(path)
    if let name = try RunFolder.firstEntry(of: path) {
      throw RunFolderError(
        "create", path,
        refused: "it is there already, and not empty (\(name)): give another folder with --out")
    }
    try write(record)
  }

  /// Makes the folder that a run has where none is asked for. Of several runs that begin in
  /// the same second, each has its own.
  public init(at date: Date, kernel: String, record: RunRecord) throws(RunFolderError) {
    try self.init(numbering: RunFolder.defaultPath(at: date, kernel: kernel))
    try write(record)
  }

  /// Makes a folder of that name, or of that name and a number where it is taken: it is
  /// nobody else's.
  public init(numbering wanted: String) throws(RunFolderError) {
    // As a shell completes a folder.
    let path = wanted.count > 1 && wanted.hasSuffix("/") ? String(wanted.dropLast()) : wanted
    if let end = path.lastIndex(of: "/") { try RunFolder.makeFolder(String(path[..<end])) }
    var number = 1
    var name = path
    while mkdir(name, 0o755) != 0 {
      guard errno == EEXIST else { throw RunFolderError("create", name, errno: errno) }
      number += 1
      name = "\(path)-\(number)"
    }
    self.path = name
  }

  /// One that is there already.
  public init(existing path: String) {
    self.path = path
  }

  /// Everything that is made of a record: for people, for CI, for Perfetto.
  public func writeReports(of record: RunRecord) throws {
    for (number, text) in HandOver.all(of: record).enumerated() {
      try write(text, to: "finding-\(number + 1).txt")
    }
    try write(KTAPReport.text(of: record), to: "ktap.txt")
    try write(JUnitReport.text(of: record), to: "junit.xml")
    try replace("events.json", with: [UInt8](TraceEvents.json(of: record)))
    try write(HTMLReport.text(of: record), to: "report.html")
  }

  /// A path in the folder, whether or not there is anything.
  public func file(_ name: String) -> String { "\(path)/\(name)" }

  /// Replaces `result.json`, whole.
  public func write(_ record: RunRecord) throws(RunFolderError) {
    let bytes: [UInt8]
    do {
      bytes = [UInt8](try record.json())
    } catch {
      throw RunFolderError("encode", file("result.json"), refused: "\(error)")
    }
    try replace("result.json", with: bytes)
  }

  /// Replaces that file of the folder, whole.
  public func write(_ text: String, to name: String) throws(RunFolderError) {
    try replace(name, with: Array(text.utf8))
  }

  /// Writes beside the file, sees that it is on the disk, and renames: after a
  /// crash, or on a full disk, either the old or the new contents are there.
  public func replace(_ name: String, with bytes: [UInt8]) throws(RunFolderError) {
    let target = file(name)
    let temporary = file(".\(name).tmp")
    let descriptor = open(
      temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw RunFolderError("create", temporary, errno: errno) }
    var failure = write(descriptor, bytes)
    if failure == 0, fsync(descriptor) != 0 { failure = errno }
    if close(descriptor) != 0, failure == 0 { failure = errno }
    guard failure == 0 else {
      unlink(temporary)
      throw RunFolderError("write", target, errno: failure)
    }
    guard rename(temporary, target) == 0 else {
      let failure = errno
      unlink(temporary)
      throw RunFolderError("rename", target, errno: failure)
    }
    syncFolder()
  }

  /// The rename itself has to reach the disk; where a file system cannot do
  /// that, the file is whole all the same.
  private func syncFolder() {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { return }
    fsync(descriptor)
    close(descriptor)
  }

  /// 0, or the errno of the write that failed.
  package static func writeAll(_ descriptor: Int32, _ bytes: [UInt8]) -> Int32 {
    bytes.withUnsafeBytes { buffer in
      var done = 0
      while done < buffer.count {
        let count = Glibc.write(descriptor, buffer[done...].baseAddressOrNil, buffer.count - done)
        if count < 0 {
          if errno == EINTR { continue }
          return errno
        }
        done += count
      }
      return 0
    }
  }

  private static func makeFolder(_ path: String) throws(RunFolderError) {
    var made = path.hasPrefix("/") ? "/" : ""
    for part in path.split(separator: "/") {
      made += (made.isEmpty || made.hasSuffix("/") ? "" : "/") + part
      if mkdir(made, 0o755) != 0, errno != EEXIST {
        throw RunFolderError("create", made, errno: errno)
      }
    }
  }

  /// Something that is in a folder; nil where it is empty.
  private static func firstEntry(of path: String) throws(RunFolderError) -> String? {
    guard let folder = opendir(path) else { throw RunFolderError("open", path, errno: errno) }
    defer { closedir(folder) }
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { return name }
    }
    return nil
  }
}

extension Slice where Base == UnsafeRawBufferPointer {
  fileprivate var baseAddressOrNil: UnsafeRawPointer? {
    UnsafeRawBufferPointer(rebasing: self).baseAddress
  }
}

/// `console.log`, growing as the guest talks, up to a limit.
public final class ConsoleLog {
  /// Bytes kept of the console of one job's guests: 16 MiB.
  public static let defaultLimit = 16 << 20

  /// Of the file: `console.log` of the folder, `console-2.log` for the second job's guests.
  public let path: String
  /// Bytes kept; the notes of what was cut come on top.
  public let limit: Int
  /// Bytes that came after the limit.
  public private(set) var omitted = 0
  private var written = 0
  private var descriptor: Int32

  /// - Parameter limit: bytes kept.
  init(path: String, limit: Int) throws(RunFolderError) {
    self.path = path
    self.limit = limit
    descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw RunFolderError("create", path, errno: errno) }
  }

  deinit { if descriptor >= 0 { Glibc.close(descriptor) } }

  /// Beyond the limit only counts, after a line in the log that says so.
  public func append(_ bytes: some Sequence<UInt8>) throws(RunFolderError) {
    let bytes = Array(bytes)
    let room = limit - written
    try put(Array(bytes.prefix(max(0, room))))
    guard bytes.count > room else { return }
    if omitted == 0 {
      try put(Array("\n[harness: the log is cut here, at \(limit) bytes]\n".utf8))
    }
    omitted += bytes.count - max(0, room)
    written = limit
  }

  /// Says at the end how much is missing.
  public func close() throws(RunFolderError) {
    guard descriptor >= 0 else { return }
    if omitted > 0 { try put(Array("[harness: \(omitted) bytes omitted]\n".utf8)) }
    let closing = descriptor
    descriptor = -1
    guard Glibc.close(closing) == 0 else { throw RunFolderError("close", path, errno: errno) }
  }

  private func put(_ bytes: [UInt8]) throws(RunFolderError) {
    guard !bytes.isEmpty else { return }
    let failure = RunFolder.writeAll(descriptor, bytes)
    guard failure == 0 else { throw RunFolderError("write", path, errno: failure) }
    written += bytes.count
  }
}
