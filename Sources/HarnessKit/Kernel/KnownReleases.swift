/// The kernels whose zswap the module knows: kmod/README.md, "Two designs of zswap".
enum KnownReleases {
  /// Why there can be no run on a kernel; nil where nothing speaks against it. A release that
  /// cannot be read is left to the build.
  static func problem(with release: String) -> String? {
    let numbers = release.split(separator: ".", maxSplits: 2).prefix(2)
      .compactMap { Int($0.prefix(while: \.isNumber)) }
    guard numbers.count == 2 else { return nil }
    let version = (numbers[0], numbers[1])
    guard version >= (6, 13) || (6, 5) <= version && version <= (6, 8) else { return nil }
    return "\(release) has a zswap that the module does not know; it knows that of 6.1, and of"
      + " 6.10 to 6.12"
  }
}
