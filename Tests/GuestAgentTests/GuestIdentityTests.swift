import Testing

@testable import GuestAgent

@Suite struct GuestIdentityTests {
  private let token = "0123456789abcdef0123456789abcdef"

  @Test func `PID 1 and its child act where the command line carries the token`() {
    let line = "console=ttyS0 zswap_harness.token=\(token) zswap_harness.fault=hang quiet\n"
    for (pid, parent): (Int32, Int32) in [(1, 0), (34, 1)] {
      let identity = GuestIdentity(pid: pid, parent: parent, commandLine: line)
      #expect(identity?.token == token)
      #expect(identity?.options == ["fault": "hang"])
    }
  }

  @Test func `nobody else acts, token or not`() {
    let line = "zswap_harness.token=\(token)"
    #expect(GuestIdentity(pid: 4711, parent: 4710, commandLine: line) == nil)
  }

  @Test(arguments: [
    "", "quiet", "zswap_harness.token=", "zswap_harness.token=1234",
    "zswap_harness.token=zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz",
    "zswap_harness.fault=hang",
  ])
  func `PID 1 of any other machine does not act`(line: String) {
    #expect(GuestIdentity(pid: 1, parent: 0, commandLine: line) == nil)
  }
}
