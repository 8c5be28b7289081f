import Foundation
import Testing

@testable import HarnessKit

@Suite struct RunFolderTests {
  private let begun = RunRecord(begun: Records.start, commandLine: ["harness"], seed: 1)

  private func inScratch(_ body: (String) throws -> Void) throws {
    let scratch = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    defer { try? FileManager.default.removeItem(at: scratch) }
    try body(scratch.path)
  }

  private func contents(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  @Test func `a run that dies at once leaves an error`() throws {
    try inScratch { path in
      let folder = try RunFolder(creating: path + "/runs/a", record: begun)
      let record = try RunRecord(json: Data(contents(folder.file("result.json")).utf8))
      #expect(record.status == .error)
      #expect(record.error?.message == "did not finish")
    }
  }

  @Test func `an earlier run is not written over`() throws {
    try inScratch { path in
      _ = try RunFolder(creating: path, record: begun)
      let before = contents(path + "/result.json")
      #expect {
        _ = try RunFolder(creating: path, record: Records.passed)
      } throws: { error in
        (error as? RunFolderError)?.path == path && "\(error)".contains("not empty")
      }
      #expect(contents(path + "/result.json") == before)
    }
  }

  @Test func `runs that begin in the same second have a folder each`() throws {
    try inScratch { path in
      let first = try RunFolder(numbering: "\(path)/runs/a")
      let second = try RunFolder(numbering: "\(path)/runs/a")
      #expect([first.path, second.path] == ["\(path)/runs/a", "\(path)/runs/a-2"])
      #expect(try RunFolder(numbering: "\(path)/b/").path == "\(path)/b")
      #expect(try RunFolder(numbering: "\(path)/b/").path == "\(path)/b-2")
    }
  }

  @Test func `an empty folder that is there already is taken`() throws {
    try inScratch { path in
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      _ = try RunFolder(creating: path, record: begun)
      #expect(contents(path + "/result.json").contains("did not finish"))
    }
  }

  @Test func `the result is replaced whole`() throws {
    try inScratch { path in
      let folder = try RunFolder(creating: path, record: begun)
      try folder.write(Records.passed)
      try folder.write("KTAP version 1\n", to: "ktap.txt")
      #expect(try RunRecord(json: Data(contents(path + "/result.json").utf8)) == Records.passed)
      let names = try FileManager.default.contentsOfDirectory(atPath: path).sorted()
      #expect(names == ["ktap.txt", "result.json"])
    }
  }

  @Test func `a full disk is an error with path and errno, and loses nothing`() throws {
    try inScratch { path in
      var folder = try RunFolder(creating: path, record: begun)
      let before = contents(path + "/result.json")
      folder.write = { descriptor, bytes in
        _ = RunFolder.writeAll(descriptor, Array(bytes.prefix(10)))
        return ENOSPC
      }
      #expect {
        try folder.write(Records.passed)
      } throws: { error in
        guard let error = error as? RunFolderError else { return false }
        return error.errno == ENOSPC && error.path == path + "/result.json"
      }
      #expect(contents(path + "/result.json") == before)
      #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["result.json"])
    }
  }

  @Test func `a write that really fails reports its errno`() throws {
    let full = open("/dev/full", O_WRONLY)
    try #require(full >= 0)
    defer { close(full) }
    #expect(RunFolder.writeAll(full, [1, 2, 3]) == ENOSPC)
    let log = try ConsoleLog(path: "/dev/full", limit: 100)
    #expect(throws: RunFolderError.self) { try log.append([1, 2, 3]) }
  }

  @Test func `a folder that cannot be made names the path`() throws {
    #expect {
      _ = try RunFolder(creating: "/dev/null/run", record: begun)
    } throws: { error in
      (error as? RunFolderError)?.errno == ENOTDIR
    }
  }

  @Test func `a console that floods is cut, and says so`() throws {
    try inScratch { path in
      let folder = try RunFolder(creating: path, record: begun)
      let log = try ConsoleLog(path: folder.file("console.log"), limit: 10)
      try log.append("0123456".utf8)
      try log.append("789abc".utf8)
      try log.append("def".utf8)
      try log.close()
      try log.close()
      #expect(
        contents(path + "/console.log") == """
          0123456789
          [harness: the log is cut here, at 10 bytes]
          [harness: 6 bytes omitted]

          """)
    }
  }

  @Test func `a console within the limit is kept as it came`() throws {
    try inScratch { path in
      let folder = try RunFolder(creating: path, record: begun)
      let log = try ConsoleLog(path: folder.file("console.log"), limit: 10)
      try log.append("0123456789".utf8)
      try log.close()
      #expect(contents(path + "/console.log") == "0123456789")
    }
  }

  @Test func `a run is named after its time and kernel, whatever the kernel's name`() {
    #expect(
      RunFolder.defaultPath(at: Records.start, kernel: "boot/vmlinuz-6.12.117+deb12")
        == "runs/20261123T123209Z-vmlinuz-6.12.117+deb12")
    #expect(RunFolder.defaultPath(at: Records.start, kernel: "a b;c").hasSuffix("Z-a-b-c"))
    #expect(RunFolder.defaultPath(at: Records.start, kernel: "/").hasSuffix("Z-kernel"))
  }
}
