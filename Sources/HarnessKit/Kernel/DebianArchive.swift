import Foundation
import SystemPackage

/// Packages from the distribution, downloaded and unpacked without being
/// installed, and so without root.
struct DebianArchive: Sendable {
  /// The version that apt would install; nil where it knows no such package.
  func candidate(of package: String) async throws -> String? {
    let lines = try await Tool("apt-cache").run(["policy", package]).lines
    // A name that apt does not know is a pattern to it: 6.1 is found in 6.12.
    guard lines.first == "\(package):" else { return nil }
    let version = lines.first { $0.hasPrefix("  Candidate: ") }?.dropFirst(13)
    return version.flatMap { $0 == "(none)" ? nil : String($0) }
  }

  /// What the package depends on, alternatives included.
  func dependencies(of package: String) async throws -> [String] {
    try await Tool("apt-cache").run(["depends", "--important", package]).lines.compactMap { line in
      line.split(separator: " ").last.flatMap { word in
        line.contains("Depends: ") ? String(word) : nil
      }
    }
  }

  func names(startingWith prefix: String) async throws -> [String] {
    try await Tool("apt-cache").run(["pkgnames", prefix]).lines
  }

  /// Throws where apt has no package lists at all.
  func requireLists() async throws {
    let stats = try await Tool("apt-cache").run(["pkgnames", "linux-"]).lines
    guard stats.isEmpty else { return }
    throw KernelError(
      .host, "look up", "Debian packages", "apt has no package lists",
      advice: "Run `apt-get update` once, as root.")
  }

  /// Downloads one package and unpacks it into a directory.
  func unpack(_ package: String, version: String, into directory: FilePath) async throws {
    let download = directory.appending(".download")
    let files = FileManager.default
    try files.createDirectory(atPath: download.string, withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: download.string) }
    // As root, apt would change to its own user, who may not write here.
    let options = geteuid() == 0 ? ["-o", "APT::Sandbox::User=root"] : []
    Progress.note("downloading \(package) \(version)")
    do {
      try await Tool("apt-get", in: download).run(
        options + ["-q", "download", "\(package)=\(version)"])
    } catch {
      throw KernelError(
        .host, "download", "\(package) \(version)", "apt-get failed",
        advice: "Is the network there? Are the lists of today (`apt-get update`, as root)?",
        details: [error.description])
    }
    let names = try files.contentsOfDirectory(atPath: download.string)
    guard let deb = names.first(where: { $0.hasSuffix(".deb") }) else {
      throw KernelError(
        .notFound, "download", "\(package) \(version)", "apt-get left no .deb file")
    }
    try await Tool("dpkg-deb").run(["-x", download.appending(deb).string, directory.string])
  }
}
