import Foundation
import SystemPackage

/// One call of make: shown as it goes, logged whole, and told from its last
/// errors when it fails.
struct MakeRun {
  let log: FilePath
  let title: String
  /// Held by make and all that it starts, for as long as any of them lives.
  var lock: FilePath?

  func run(_ arguments: [String], in directory: FilePath) async throws {
    let file = try FileDescriptor.open(
      log, .writeOnly, options: [.create, .append, .closeOnExec],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    defer { try? file.close() }
    let words = (lock.map { ["--no-fork", $0.string, "make"] } ?? []) + arguments
    try file.writeAll("make \(arguments.joined(separator: " "))\n".utf8)
    let progress = Progress(title)
    var tail = LogTail()
    // A MAKEFLAGS of an outer make would pull us into its job server.
    let make = Tool(
      lock == nil ? "make" : "flock", in: directory,
      environment: ["MAKEFLAGS": nil, "MFLAGS": nil])
    let status = try await make.stream(words) { line in
      try file.writeAll("\(line)\n".utf8)
      tail.add(line)
      progress.step(line)
    }
    guard status == 0 else {
      progress.finish("failed")
      if let why = tail.hostFailure {
        throw KernelError(
          .host, "make", directory.string, why,
          advice: "It says nothing about the source. Make room for it, and try again.",
          details: tail.errors)
      }
      throw KernelError(
        .build, "make", directory.string, "failed with status \(status)", details: tail.errors)
    }
    progress.finish()
  }
}

extension KernelError {
  /// Makes; where that fails, the log is kept where it outlives the directory, and the error
  /// names it.
  static func keeping<Value>(
    log: FilePath, at kept: FilePath, _ body: () async throws -> Value
  ) async throws -> Value {
    do {
      return try await body()
    } catch let error as KernelError {
      try? FileManager.default.removeItem(atPath: kept.string)
      try? FileManager.default.copyItem(atPath: log.string, toPath: kept.string)
      throw KernelError(
        error.code, error.operation, error.object, error.problem,
        advice: (error.advice.map { "\($0)\n  " } ?? "") + "The log: \(kept)",
        details: error.details)
    }
  }
}

/// The lines of a build's output that say why it failed.
struct LogTail {
  private var found: [String] = []
  private var last: [String] = []

  /// What the host lacked, by a line that said so: a compiler or a linker that ends for want of
  /// it fails make as an error in the source does.
  private(set) var hostFailure: String?

  private static let killed = "a program of the build was killed, for want of memory perhaps"
  private static let hostFailures = [
    ("No space left on device", "the disk is full"),
    ("Disk quota exceeded", "the disk quota is used up"),
    // gcc, clang, collect2, and make of whatever else it had started: 137 is 128 + SIGKILL.
    ("Killed signal terminated program", killed),
    ("Terminated signal terminated program", killed), ("unable to execute command: Killed", killed),
    ("terminated with signal 9", killed), ("terminated with signal 15", killed),
    ("] Killed", killed), ("] Terminated", killed), ("] Error 137", killed),
    ("Resource temporarily unavailable", "there are too many processes"),
    ("Cannot allocate memory", "there is not enough memory"),
    ("virtual memory exhausted", "there is not enough memory"),
  ]

  mutating func add(_ line: String) {
    if hostFailure == nil {
      hostFailure = Self.hostFailures.first { line.contains($0.0) }?.1
    }
    last = last.suffix(11) + [line]
    let marks = ["error:", "Error:", "undefined reference", "No such file", "not found", "No rule"]
    guard marks.contains(where: line.contains) else { return }
    // The first error is the cause; the rest often follow from it.
    if found.count < 12 { found.append(line) }
  }

  var errors: [String] { found.isEmpty ? last : found }
}
