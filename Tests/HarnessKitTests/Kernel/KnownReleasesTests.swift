import Testing

@testable import HarnessKit

@Suite struct KnownReleasesTests {
  @Test(arguments: ["6.13.0", "6.15-rc1", "7.0", "6.5.13", "6.8.0-31-generic"])
  func `a release whose zswap the module does not know is named`(release: String) {
    #expect(KnownReleases.problem(with: release)?.hasPrefix("\(release) has a zswap") == true)
  }

  @Test(arguments: ["6.1.0-32-amd64", "6.12.117+deb12-amd64", "6.10.0", "6.9.1", "5.10.0", "next"])
  func `of any other it is the build that tells`(release: String) {
    #expect(KnownReleases.problem(with: release) == nil)
  }
}
