import Glibc
import GuestWire
import SystemPackage

/// A system call of the agent's own that failed: a failure of the harness or of
/// its set-up, and no statement about the kernel under test.
struct SystemError: Error, Hashable, CustomStringConvertible {
  let operation: String
  let object: String
  let errno: Errno

  var description: String { "\(operation) \(object): \(errno) (\(errno.rawValue))" }

  /// With the errno of the call that has just failed.
  static func last(_ operation: String, _ object: String) -> SystemError {
    SystemError(operation: operation, object: object, errno: Errno(rawValue: Glibc.errno))
  }
}

/// Small text files of /proc, /sys and cgroupfs.
enum KernelFile {
  static func read(_ path: String) throws(SystemError) -> String {
    String(decoding: try bytes(of: path), as: UTF8.self)
  }

  static func bytes(of path: String) throws(SystemError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last("open", path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      guard count >= 0 else { throw .last("read", path) }
      guard count > 0 else { return bytes }
      bytes.append(contentsOf: chunk[..<count])
    }
  }

  /// The file's text as one number.
  static func number(_ path: String) throws(SystemError) -> Int64 {
    let text = try read(path)
    guard let value = Int64(text.trimmed) else {
      throw SystemError(operation: "parse", object: path, errno: .invalidArgument)
    }
    return value
  }

  /// The value after `key` in a file of "key value" lines.
  static func value(of key: String, in path: String) throws(SystemError) -> Int64 {
    guard let value = value(of: key, in: try bytes(of: path)) else {
      throw SystemError(operation: "find \(key) in", object: path, errno: .noSuchFileOrDirectory)
    }
    return value
  }

  /// As bytes: /proc/vmstat is read several times a trial, and to make strings of
  /// its lines takes longer than most trials' race.
  static func value(of key: String, in text: [UInt8]) -> Int64? {
    let head = Array("\(key) ".utf8)
    for line in text.split(separator: UInt8(ascii: "\n")) where line.starts(with: head) {
      return Int64(String(decoding: line.dropFirst(head.count), as: UTF8.self))
    }
    return nil
  }

  /// One write(2): these files take a command per call.
  static func write(_ text: String, to path: String) throws(SystemError) {
    close(try command(text, to: path, O_WRONLY))
  }

  /// Writes a command and reads, from the same descriptor, what came of it.
  static func ask(_ text: String, of path: String) throws(SystemError) -> String {
    let descriptor = try command(text, to: path, O_RDWR)
    defer { close(descriptor) }
    var answer = [UInt8](repeating: 0, count: 256)
    let count = pread(descriptor, &answer, answer.count, 0)
    guard count >= 0 else { throw .last("read", path) }
    return String(decoding: answer[..<count], as: UTF8.self)
  }

  /// - Returns: the file, open.
  private static func command(
    _ text: String, to path: String, _ access: Int32
  ) throws(SystemError) -> Int32 {
    let descriptor = open(path, access | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last("open", path) }
    let bytes = Array(text.utf8)
    guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count else {
      let failure = SystemError.last("write “\(text)” to", path)
      close(descriptor)
      throw failure
    }
    return descriptor
  }

  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func entries(_ path: String) throws(SystemError) -> [String] {
    guard let directory = opendir(path) else { throw .last("open", path) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}

/// Monotonic time, and the only sleep that the agent has.
enum MonotonicClock {
  static var microseconds: UInt64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000
  }

  static var milliseconds: UInt64 { microseconds / 1000 }

  static func sleep(milliseconds: Int) {
    var span = timespec(
      tv_sec: milliseconds / 1000, tv_nsec: (milliseconds % 1000) * 1_000_000)
    nanosleep(&span, nil)
  }
}

/// Where a trial's time goes.
struct PhaseClock {
  private(set) var phases: [TrialPhase] = []
  private var last = MonotonicClock.microseconds

  /// What has been since the last call was this.
  mutating func lap(_ name: String) {
    let now = MonotonicClock.microseconds
    if let index = phases.firstIndex(where: { $0.name == name }) {
      phases[index].microseconds += now - last
    } else {
      phases.append(TrialPhase(name: name, microseconds: now - last))
    }
    last = now
  }
}
