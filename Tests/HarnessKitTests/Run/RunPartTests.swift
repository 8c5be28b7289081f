import GuestWire
import Testing

@testable import HarnessKit

@Suite struct RunPartTests {
  @Test func `the parts have every trial once, with the number and seed of the whole`() throws {
    let all = Scenario.standard.flatMap { $0.trials(startingAt: 0, provider: .patch, seed: 7) }
      .enumerated().map { index, spec in
        var spec = spec
        spec.index = index
        return spec
      }
    let parts = try (1...4).map { try #require(RunPart(number: $0, of: 4)).trials(of: all) }
    #expect(parts.joined().sorted { $0.index < $1.index } == all)
    #expect(Set(parts.map(\.count)).count <= 2)
  }

  @Test(arguments: ["0/4", "5/4", "1/0", "1", "1/2/3", "/2", "x/y", "1/1001"])
  func `what is no part is refused`(text: String) {
    #expect(RunPart(text) == nil)
  }
}
