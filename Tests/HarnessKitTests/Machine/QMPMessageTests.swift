import Foundation
import Testing

@testable import HarnessKit

@Suite struct QMPMessageTests {
  @Test func `a transcript is understood line by line`() throws {
    let url = try #require(
      Bundle.module.url(
        forResource: "reset", withExtension: "jsonl", subdirectory: "Fixtures/qmp"))
    let text = try String(contentsOf: url, encoding: .utf8)
    let messages = try text.split(separator: "\n").map { try QMPMessage(parsing: $0.utf8) }
    #expect(
      messages == [
        .greeting(version: "7.2.19"),
        .success(id: 1, status: nil),
        .event(.other("RTC_CHANGE")),
        .success(id: 2, status: "running"),
        .failure(
          id: 3, kind: "CommandNotFound", text: "The command nonsense has not been found"),
        .success(id: 4, status: nil),
        .unknown,
        .event(.shutdown(.guestReset)),
      ])
  }

  @Test(arguments: [
    ("guest-shutdown", ShutdownReason.guestShutdown), ("guest-reset", .guestReset),
    ("guest-panic", .guestPanic), ("host-signal", .hostSignal), ("host-qmp-quit", .hostQuit),
    ("subsystem-reset", .other("subsystem-reset")),
  ])
  func `the reason of a shutdown survives`(_ text: String, _ reason: ShutdownReason) throws {
    let line = #"{"event": "SHUTDOWN", "data": {"guest": true, "reason": "\#(text)"}}"#
    #expect(try QMPMessage(parsing: line.utf8) == .event(.shutdown(reason)))
    #expect(reason.description == text)
  }

  @Test func `a shutdown without a reason is still a shutdown`() throws {
    #expect(
      try QMPMessage(parsing: #"{"event": "SHUTDOWN"}"#.utf8) == .event(.shutdown(.other(""))))
  }

  @Test func `a disk that the host cannot write is told of, with the reason`() throws {
    let line = """
      {"event": "BLOCK_IO_ERROR", "data": {"device": "disk", "operation": "write", \
      "action": "stop", "nospace": true, "reason": "No space left on device"}}
      """
    #expect(
      try QMPMessage(parsing: line.utf8) == .event(.blockError("No space left on device")))
  }

  @Test func `what is not JSON is an error that shows it`() {
    #expect(throws: QMPMessage.ParseError(line: "qemu: oops")) {
      try QMPMessage(parsing: "qemu: oops".utf8)
    }
  }

  @Test func `a command is one line`() {
    func line(_ command: String, _ arguments: QMPArguments? = nil) -> String {
      String(decoding: QMPArguments.line(command, id: 7, arguments), as: UTF8.self)
    }
    #expect(line("cont") == #"{"execute":"cont","id":7}"# + "\n")
    #expect(
      line("migrate", .shell("cat > '/a \"b'"))
        == #"{"arguments":{"uri":"exec:cat > '/a \"b'"},"execute":"migrate","id":7}"# + "\n")
    #expect(
      line("migrate-set-capabilities", .ignoreSharedMemory)
        == #"{"arguments":{"capabilities":[{"capability":"x-ignore-shared","state":true}]},"#
        + #""execute":"migrate-set-capabilities","id":7}"# + "\n")
  }

  @Test func `a path is one word of the shell's, whatever is in it`() {
    #expect("/a b/it's".quotedForShell == #"'/a b/it'\''s'"#)
  }
}
