import Foundation
import Glibc
import HarnessKit

/// What a bisection has seen, a line for each: written at its end, and on the disk before
/// anything follows from it. Killed at any moment, at most the line that was being written
/// is lost, which is no trial that was finished.
public final class BisectJournal: Sendable {
  /// A line of it, in JSON. Commits go by their full hashes.
  public enum Entry: Hashable, Sendable, Codable {
    /// Always the first line, and no other: the plan as it was then.
    case begun(BisectPlan)
    /// The schedule that brought the finding at the bad end, by which all others are tried.
    case narrowed(schedule: String)
    /// The commit has a kernel; `seconds` is how long `BisectLab.build` took.
    case built(commit: String, kernel: BuiltKernel, seconds: Double)
    /// A trial of the commit is over.
    case trial(commit: String, trial: BisectTrial)
    /// The commit cannot be built, booted or tried.
    case skipped(commit: String, why: String)
  }

  /// As it was opened: `journal.jsonl` in the bisection's folder.
  public let path: String
  private let descriptor: Int32

  /// Opens the journal of a new bisection, or of one that is to go on. No second process
  /// has it open at the same time.
  ///
  /// - Returns: also what it says so far.
  public static func open(
    _ path: String, plan: BisectPlan, resume: Bool
  ) throws(BisectError) -> (journal: BisectJournal, entries: [Entry]) {
    let flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC
    let descriptor = Glibc.open(path, flags, 0o644)
    guard descriptor >= 0 else { throw failure("open", path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw BisectError(
        "go on with", path, "another process is bisecting there",
        advice: "Wait for it, or give another folder with --out.")
    }
    let journal = BisectJournal(path: path, descriptor: descriptor)
    let entries = try journal.read()
    guard let first = entries.first else {
      try journal.append(.begun(plan))
      return (journal, [.begun(plan)])
    }
    guard resume else {
      throw BisectError(
        "begin in", path, "there is a bisection already",
        advice: "Go on with it by --resume, or give another folder with --out.", fault: .usage)
    }
    guard case .begun(let begun) = first, begun.isGoneOnWith(by: plan) else {
      throw BisectError(
        "go on with", path, "it was begun with other ends, paths, finding, schedules or fragments",
        advice: "Give the same arguments as then, or another folder with --out.", fault: .usage)
    }
    return (journal, entries)
  }

  private init(path: String, descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  deinit { close(descriptor) }

  /// Returns when the entry is on the disk.
  public func append(_ entry: Entry) throws(BisectError) {
    guard let data = try? JSONText.line(entry) else {
      throw BisectError("write", path, "the entry cannot be encoded")
    }
    let end = lseek(descriptor, 0, SEEK_END)
    let failure = RunFolder.writeAll(descriptor, [UInt8](data))
    guard failure == 0, fdatasync(descriptor) == 0 else {
      let number = failure == 0 ? errno : failure
      // Half a line would spoil whatever is written behind it.
      if end >= 0 { _ = ftruncate(descriptor, end) }
      throw Self.failure(
        "write", path, number,
        advice: "Nothing that was recorded is lost. Make room, and go on with --resume.")
    }
  }

  /// All whole lines; a torn one at the end is cut off.
  private func read() throws(BisectError) -> [Entry] {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw Self.failure("read", path)
    }
    let end = data.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    guard end == data.count || ftruncate(descriptor, off_t(end)) == 0 else {
      throw Self.failure("cut", path)
    }
    var entries: [Entry] = []
    for (number, line) in data[..<end].split(separator: UInt8(ascii: "\n")).enumerated() {
      guard let entry = try? JSONDecoder().decode(Entry.self, from: line) else {
        throw BisectError(
          "read", "\(path), line \(number + 1)", "it is no entry of a bisection's record",
          advice: "Remove the line, or begin anew with another --out.")
      }
      entries.append(entry)
    }
    return entries
  }

  private static func failure(
    _ operation: String, _ path: String, _ number: Int32 = errno, advice: String? = nil
  ) -> BisectError {
    BisectError(
      operation, path, "\(String(cString: strerror(number))) (errno \(number))", advice: advice)
  }
}
