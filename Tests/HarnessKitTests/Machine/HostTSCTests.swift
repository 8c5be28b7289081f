import Testing

@testable import HarnessKit

@Suite struct HostTSCTests {
  @Test func `two measurements of the counter agree`() throws {
    let first = try #require(HostTSC.kilohertz())
    let second = try #require(HostTSC.kilohertz())
    // A busy host may take the CPU away between two readings, not for long.
    #expect(abs(first - second) < first / 20)
  }
}
