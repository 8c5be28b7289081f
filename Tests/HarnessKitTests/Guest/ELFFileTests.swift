import Foundation
import Testing

@testable import HarnessKit

@Suite struct ELFFileTests {
  /// Every glibc system has it, dynamic and with libc among its needs.
  private func sample() throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: "/bin/sleep")))
  }

  @Test func `an executable's libraries and interpreter are found`() throws {
    let file = try ELFFile(parsing: sample())
    #expect(file.needed.contains("libc.so.6"))
    #expect(file.interpreter == "/lib64/ld-linux-x86-64.so.2")
  }

  @Test func `another machine's executable is refused by its number`() throws {
    var bytes = try sample()
    bytes[18] = 183
    #expect(throws: ELFFile.ParseError.foreign(machine: 183)) { try ELFFile(parsing: bytes) }
  }

  @Test func `text is no ELF file`() {
    #expect(throws: ELFFile.ParseError.notELF) {
      try ELFFile(parsing: Array("#!/bin/sh\n".utf8))
    }
  }

  @Test func `a file cut anywhere or with any offset spoilt is an error at the worst`() throws {
    let bytes = try sample()
    for length in stride(from: 0, to: min(bytes.count, 4096), by: 61) {
      _ = try? ELFFile(parsing: Array(bytes.prefix(length)))
    }
    for position in 16..<1024 {
      var damaged = bytes
      damaged[position] = 0xFF
      _ = try? ELFFile(parsing: damaged)
    }
  }

  @Test func `the closure of an executable holds its libraries' libraries and the loader`() throws {
    let closure = try SharedLibraryClosure(of: "/bin/ls")
    let names = closure.libraries.map { $0.destination.split(separator: "/").last ?? "" }
    #expect(names.contains("libc.so.6"))
    #expect(closure.libraries.contains { $0.destination == "/lib64/ld-linux-x86-64.so.2" })
    #expect(Set(names).count == names.count)
  }

  @Test func `a missing library is named together with who needs it`() throws {
    let error = #expect(throws: SharedLibraryClosure.ClosureError.self) {
      try SharedLibraryClosure(of: "/bin/sleep", searchPath: ["/nonexistent"], additional: [])
    }
    #expect(
      error
        == .missing(library: "libc.so.6", neededBy: "/bin/sleep", searched: ["/nonexistent"]))
  }
}
