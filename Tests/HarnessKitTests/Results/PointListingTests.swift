import GuestWire
import Testing

@testable import HarnessKit

@Suite struct PointListingTests {
  private static func points(_ provider: Provider, without absent: HookPoint...) -> ProviderPoints {
    ProviderPoints(
      provider: provider,
      points: HookPoint.catalogue.map {
        PointStatus(
          point: $0, provider: absent.contains($0) ? nil : provider, hits: 0, available: [])
      })
  }

  @Test func `a point that no provider reaches is absent, and its schedules are named`() {
    let listing = PointListing([
      Self.points(.patch, without: .writebackPinned),
      Self.points(.ftrace, without: .writebackPinned, .swapoffTreesFreed),
    ])
    func line(_ point: HookPoint) -> String? {
      listing.lines.first { $0.hasPrefix("\(point.rawValue) ") }
    }
    #expect(listing.lines.count == HookPoint.catalogue.count)
    #expect(line(.writebackPinned)?.hasSuffix("absent") == true)
    #expect(line(.swapoffTreesFreed)?.hasSuffix("patch") == true)
    #expect(line(.writebackUnlocked)?.hasSuffix("patch, ftrace") == true)
    #expect(line(.known("pool@end"))?.hasSuffix("always") == true)
    let schedules = [
      Schedule.known("writeback@unlocked > pool@end"),
      .known("writeback@unlocked > swapoff@trees-freed"),
      .known("invalidate@begin > writeback@pinned > swapoff@trees-freed"),
    ]
    #expect(
      listing.coverage(of: schedules) == [
        "patch: 2 of 3 schedules",
        "  not invalidate@begin > writeback@pinned > swapoff@trees-freed: no writeback@pinned",
        "ftrace: 1 of 3 schedules",
        "  not writeback@unlocked > swapoff@trees-freed: no swapoff@trees-freed",
        "  not invalidate@begin > writeback@pinned > swapoff@trees-freed: no writeback@pinned, "
          + "swapoff@trees-freed",
      ])
  }
}
