import Foundation
import SystemPackage

/// Gets a stock kernel of Debian's, with its modules and all that it takes to
/// build one more, without installing anything.
public struct KernelFetch: Sendable {
  /// Keeps what is fetched, of the kind `fetched`.
  public let cache: Cache
  /// `6.12` means the newest 6.12 that apt knows; a whole release is taken at
  /// its word.
  public var series = "6.12"

  public init(cache: Cache, series: String = "6.12") {
    self.cache = cache
    self.series = series
  }

  /// The kernel that is there already, else the one that `image()` fetches: a
  /// run on a stock kernel needs no network twice.
  public func stock() async throws -> FilePath {
    for entry in cache.entries("fetched") {
      if let image = KernelFetch.image(in: entry),
        let release = image.lastComponent?.string.dropFirst("vmlinuz-".count),
        KernelFetch.isOf(series, String(release))
      {
        return image
      }
    }
    return try await image()
  }

  /// The vmlinuz of the newest kernel of the series, fetched where it is not
  /// there.
  public func image() async throws -> FilePath {
    let archive = DebianArchive()
    let package = try await concretePackage(archive)
    let release = String(package.dropFirst("linux-image-".count))
    let packages = try await [package] + headerPackages(release, archive)
    var versions: [(String, String)] = []
    for package in packages {
      guard let version = try await archive.candidate(of: package) else {
        throw notFound(package)
      }
      versions.append((package, version))
    }
    let key = "\(release)_\(versions[0].1.replacing(":", with: "%3a"))"
    let waiting = { Progress.note("waiting: another process fetches \(release)") }
    let entry = try await cache.obtain("fetched", key, waiting: waiting) { directory in
      for (package, version) in versions {
        try await archive.unpack(package, version: version, into: directory)
      }
      try await KernelFetch.arrange(directory, release: release)
    }
    guard let image = KernelFetch.image(in: entry) else {
      throw KernelError(.notFound, "find vmlinuz in", package, "the package has none")
    }
    return image
  }

  private static func image(in entry: FilePath) -> FilePath? {
    let boot = entry.appending("boot")
    let names = try? FileManager.default.contentsOfDirectory(atPath: boot.string)
    return names?.first { $0.hasPrefix("vmlinuz-") }.map { boot.appending($0) }
  }

  /// From `6.12` through the meta package to `linux-image-6.12.117+deb12-amd64`.
  private func concretePackage(_ archive: DebianArchive) async throws -> String {
    try await archive.requireLists()
    let exact = "linux-image-\(series)"
    if try await archive.candidate(of: exact) != nil { return exact }
    let meta = "\(exact)-amd64"
    if try await archive.candidate(of: meta) != nil {
      let target = try await archive.dependencies(of: meta).first { $0.hasPrefix("linux-image-") }
      return target ?? meta
    }
    // A distribution's first kernel has no meta package of its own number.
    let names = try await archive.names(startingWith: exact)
    for name in KernelFetch.packages(of: series, among: names)
    where try await archive.candidate(of: name) != nil {
      return name
    }
    throw notFound(meta)
  }

  /// Whether a release is of a series: 6.1.0-56-amd64 is of 6.1 and of 6.1.0, and
  /// 6.12.117+deb12-amd64 is not.
  static func isOf(_ series: String, _ release: String) -> Bool {
    release.hasPrefix(series) && release.dropFirst(series.count).first?.isNumber != true
  }

  /// The plain kernels of a series among the packages' names, the newest first.
  static func packages(of series: String, among names: [String]) -> [String] {
    let prefix = "linux-image-"
    return names.filter { name in
      name.hasPrefix(prefix) && isOf(series, String(name.dropFirst(prefix.count)))
        && name.hasSuffix("-amd64") && !["-cloud-", "-rt-"].contains(where: name.contains)
    }.sorted { $0.compare($1, options: .numeric) == .orderedDescending }
  }

  /// linux-headers for the release, and those of its parts that hold files.
  private func headerPackages(
    _ release: String, _ archive: DebianArchive
  ) async throws -> [String] {
    let headers = "linux-headers-\(release)"
    return [headers] + (try await archive.dependencies(of: headers)).filter(Self.isPartOfHeaders)
  }

  /// Of what a package of headers depends on, those that hold files of the headers.
  static func isPartOfHeaders(_ package: String) -> Bool {
    package.hasPrefix("linux-headers-") || package.hasPrefix("linux-kbuild-")
  }

  private func notFound(_ package: String) -> KernelError {
    KernelError(
      .notFound, "find package", package, "apt knows no such package",
      advice: "Run `apt-get update` (as root); `apt-cache pkgnames linux-image-` lists what there"
        + " is. For 6.12 on Debian 12 the security archive has to be among the sources.")
  }

  /// Makes the unpacked packages usable where they are: the headers' paths
  /// relative, modules.dep made.
  static func arrange(_ root: FilePath, release: String) async throws {
    let files = FileManager.default
    let sources = root.appending("usr/src")
    let headers = sources.appending("linux-headers-\(release)")
    for name in ["Makefile", ".kernelvariables"] {
      let url = URL(fileURLWithPath: headers.appending(name).string)
      guard let text = try? String(contentsOf: url, encoding: .utf8) else { continue }
      // make -C enters that folder, so that a sibling is at "..".
      try text.replacing("/usr/src/", with: "../").replacing("/usr/lib/", with: "../../lib/")
        .write(to: url, atomically: true, encoding: .utf8)
    }
    guard
      ["lib/modules", "usr/lib/modules"].contains(where: {
        files.fileExists(atPath: root.appending($0).appending(release).string)
      })
    else { return }
    let library = root.appending(
      files.fileExists(atPath: root.appending("lib/modules").string) ? "lib" : "usr/lib")
    let modules = library.appending("modules").appending(release)
    let up = library == root.appending("lib") ? "../../.." : "../../../.."
    for link in ["build", "source"] {
      let path = modules.appending(link).string
      guard let target = try? files.destinationOfSymbolicLink(atPath: path) else { continue }
      try files.removeItem(atPath: path)
      try files.createSymbolicLink(atPath: path, withDestinationPath: up + target)
    }
    try await Tool("depmod").run(["-b", library.removingLastComponent().string, release])
  }
}
