import Foundation
public import SystemPackage

/// What `--kernel` can name: something that has an image, or a stock kernel of Debian's.
public enum KernelReference: Hashable, Sendable {
  /// A bzImage or vmlinuz, a package with one, or the folder of a build.
  case image(FilePath)
  /// `debian:6.1`: the series, or a whole release, as in `harness kernel fetch`.
  case debian(String)

  /// What is tested where nothing is asked for.
  public static let standard = KernelReference.debian("6.12")

  /// As a run's folder is named by it.
  var name: String {
    switch self {
    case .image(let path): path.string
    case .debian(let series): "debian-\(series)"
    }
  }

  /// `debian:6.1`, by which anybody has the same kernel; nil for a path.
  var debianName: String? {
    if case .debian(let series) = self { Self.scheme + series } else { nil }
  }

  private static let scheme = "debian:"

  /// A text behind `debian:` that is no kernel's release.
  public struct ParseError: Error, Hashable, Sendable, CustomStringConvertible {
    /// As it was given, `debian:` included.
    public let text: String

    public var description: String {
      "“\(text)” names no kernel of Debian's: write debian:6.12 for the newest of that series, "
        + "or a whole release, such as debian:6.1.0-56-amd64"
    }
  }

  /// What does not begin with `debian:` is a path, and is not looked at. Throws where what stands
  /// behind that cannot be a series or a release.
  public init(parsing text: String) throws(ParseError) {
    guard text.hasPrefix(Self.scheme) else {
      self = .image(FilePath(text))
      return
    }
    let release = text.dropFirst(Self.scheme.count)
    // It becomes part of a package's name, and nothing else.
    let isName = release.allSatisfy {
      $0.isASCII && ($0.isLetter || $0.isNumber || ".+-~".contains($0))
    }
    guard release.first?.isNumber == true, isName else { throw ParseError(text: text) }
    self = .debian(String(release))
  }

  /// The image itself; a stock kernel is fetched where it is not there, a package unpacked.
  ///
  /// - Parameter withHeaders: whether a package's headers are looked for as well.
  public func image(cache: Cache, withHeaders: Bool = true) async throws -> FilePath {
    switch self {
    case .image(let path):
      try await KernelPlace.image(at: path, withHeaders: withHeaders, cache: cache)
    case .debian(let series): try await KernelFetch(cache: cache, series: series).stock()
    }
  }
}
