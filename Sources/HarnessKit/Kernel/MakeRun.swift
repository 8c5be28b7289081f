import Foundation
import SystemPackage

/// One call of make: shown as it goes, logged whole, and told from its last
/// errors when it fails.
struct MakeRun {
  let log: FilePath
  let title: String

  func run(_ arguments: [String], in directory: FilePath) async throws {
    let file = try FileDescriptor.open(
      log, .writeOnly, options: [.create, .append, .closeOnExec],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    defer { try? file.close() }
    try file.writeAll("make \(arguments.joined(separator: " "))\n".utf8)
    let progress = Progress(title)
    var tail = LogTail()
    // A MAKEFLAGS of an outer make would pull us into its job server.
    let make = Tool("make", in: directory, environment: ["MAKEFLAGS": nil, "MFLAGS": nil])
    let status = try await make.stream(arguments) { line in
      try file.writeAll("\(line)\n".utf8)
      tail.add(line)
      progress.step(line)
    }
    guard status == 0 else {
      progress.finish("failed")
      throw KernelError(
        .build, "make", directory.string, "failed with status \(status)", details: tail.errors)
    }
    progress.finish()
  }
}

/// The lines of a build's output that say why it failed.
struct LogTail {
  private var found: [String] = []
  private var last: [String] = []

  mutating func add(_ line: String) {
    last = last.suffix(11) + [line]
    let marks = ["error:", "Error:", "undefined reference", "No such file", "not found", "No rule"]
    guard marks.contains(where: line.contains) else { return }
    // The first error is the cause; the rest often follow from it.
    if found.count < 12 { found.append(line) }
  }

  var errors: [String] { found.isEmpty ? last : found }
}
