import Foundation
import GuestWire
import SystemPackage

/// A file of a Debian package: of a kernel, or of a kernel's headers. From Debian's
/// archive, or as `make bindeb-pkg` leaves it. Unpacked into the cache, never installed.
struct DebianPackage: Hashable, Sendable {
  let path: FilePath
  let name: String
  let version: String
  let architecture: String
  /// Names only.
  let dependencies: [String]

  /// Whether a file is a Debian package, by how it begins.
  static func isPackage(_ path: FilePath) -> Bool {
    let start = Array("!<arch>\ndebian-binary".utf8)
    guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else {
      return false
    }
    defer { try? file.close() }
    let head = try? [UInt8](unsafeUninitializedCapacity: start.count) { buffer, count in
      count = try file.read(into: UnsafeMutableRawBufferPointer(buffer))
    }
    return head == start
  }

  /// What the package says of itself.
  static func read(_ path: FilePath) async throws -> DebianPackage {
    let fields = ["Package", "Version", "Architecture", "Depends"]
    do {
      let text = try await Tool("dpkg-deb").run(["-f", path.string] + fields).text
      return try DebianPackage(control: text, path: path)
    } catch let error as ToolError {
      if case .missing = error.reason { throw error }
      throw KernelError(
        .image, "read Debian package", path.string, "dpkg-deb cannot read it",
        advice: "Was it still being copied or built? Copy it again, or build it anew.",
        details: error.lastLines)
    }
  }

  /// - Parameter control: lines `Package: …`, as `dpkg-deb -f` prints them.
  init(control: String, path: FilePath) throws(KernelError) {
    var fields: [String: String] = [:]
    for line in control.split(separator: "\n") {
      let (key, value) = line.splitOnce(": ")
      fields[key] = value.trimmed
    }
    guard let name = fields["Package"], let version = fields["Version"],
      let architecture = fields["Architecture"]
    else {
      throw KernelError(
        .image, "read Debian package", path.string,
        "it does not say its name, version and architecture",
        advice: "Give a package as dpkg-deb --build or make bindeb-pkg makes it.")
    }
    self.path = path
    self.name = name
    self.version = version
    self.architecture = architecture
    dependencies = (fields["Depends"] ?? "").split { $0 == "," || $0 == "|" }.compactMap {
      $0.split(separator: " ").first.map(String.init)
    }
  }

  /// The release of the kernel in it; nil of a package that is no kernel's.
  var release: String? { release(behind: "linux-image-") }

  private func release(behind prefix: String) -> String? {
    guard let rest = name.after(prefix) else { return nil }
    return rest.hasSuffix("-unsigned") ? String(rest.dropLast("-unsigned".count)) : rest
  }

  // MARK: - The kernel's package

  /// The vmlinuz in it, unpacked; with its headers where they are to be had.
  ///
  /// - Parameter withHeaders: false where they are given otherwise.
  func image(cache: Cache, withHeaders: Bool) async throws -> FilePath {
    let release = try requireKernel()
    var parts: [Part] = []
    if withHeaders {
      do {
        parts = try await headers(of: release)
      } catch let error as KernelError {
        // Good enough to be looked at; who builds the module is told once more.
        Progress.note("\(error)")
      }
    }
    let entry = try await unpacked(with: parts, release: release, cache: cache)
    let image = entry.appending("boot/vmlinuz-\(release)")
    guard FileManager.default.fileExists(atPath: image.string) else {
      throw KernelError(
        .image, "use kernel package", path.string, "there is no boot/vmlinuz-\(release) in it",
        advice: "It may only depend on the package that has the kernel: give that one, or"
          + " debian:6.12 to have one fetched.",
        details: dependencies.isEmpty
          ? [] : ["it depends on \(dependencies.joined(separator: ", "))"])
    }
    return image
  }

  private func requireKernel() throws(KernelError) -> String {
    guard let release, !name.hasSuffix("-dbg") else {
      throw KernelError(
        .image, "use kernel package", path.string, "\(name) holds no kernel image",
        advice: "Give linux-image-RELEASE_VERSION_amd64.deb; one of headers goes to --kernel-build."
      )
    }
    guard architecture == "amd64" else {
      throw KernelError(
        .image, "use kernel package", path.string, "it is built for \(architecture), not amd64",
        advice: "The guest is x86-64: give the amd64 package.")
    }
    return release
  }

  // MARK: - The headers' package

  /// The folder that modules are built against, unpacked with what it depends on.
  func headersTree(cache: Cache) async throws -> FilePath {
    guard let release = release(behind: "linux-headers-") else {
      throw KernelError(
        .notFound, "use as headers", path.string, "\(name) is no package of a kernel's headers",
        advice: "Give linux-headers-RELEASE_VERSION_amd64.deb, or the O= folder of the build.")
    }
    let parts = try await parts(among: dependencies)
    return try await unpacked(with: parts, release: release, cache: cache)
      .appending("usr/src/linux-headers-\(release)")
  }

  /// One more package to be unpacked: a file, or one of apt's.
  private enum Part: Hashable, Sendable {
    case file(DebianPackage)
    case archive(name: String, version: String)

    var dependencies: [String] {
      get async throws {
        switch self {
        case .file(let package): package.dependencies
        case .archive(let name, _): try await DebianArchive().dependencies(of: name)
        }
      }
    }
  }

  private func headers(of release: String) async throws -> [Part] {
    let main = try await part("linux-headers-\(release)")
    return try await [main] + parts(among: main.dependencies)
  }

  /// Of the headers, those other packages that hold files.
  private func parts(among names: [String]) async throws -> [Part] {
    var parts: [Part] = []
    for name in names.filter(KernelFetch.isPartOfHeaders) { parts.append(try await part(name)) }
    return parts
  }

  /// A package of this one's version: beside it, else apt's.
  private func part(_ name: String) async throws -> Part {
    let folder = path.removingLastComponent()
    let here = folder.isEmpty ? FilePath(".") : folder
    let names = (try? FileManager.default.contentsOfDirectory(atPath: here.string)) ?? []
    for file in names.sorted() where file.hasPrefix("\(name)_") && file.hasSuffix(".deb") {
      let package = try await DebianPackage.read(here.appending(file))
      if package.name == name, package.version == version { return .file(package) }
    }
    // Of another version than the kernel's, its structures may be laid out otherwise.
    let known = try? await DebianArchive().candidate(of: name)
    if known == version { return .archive(name: name, version: version) }
    throw KernelError(
      .notFound, "find package", "\(name) \(version)",
      "it is not beside \(path.lastComponent?.string ?? path.string), and apt has "
        + (known.map { "version \($0)" } ?? "none of that name"),
      advice: "Without it the module cannot be built: put \(name)_\(version)_*.deb there, give"
        + " the build tree or the headers with --kernel-build, or a module with --module.")
  }

  // MARK: - Unpacking

  private func unpacked(
    with parts: [Part], release: String, cache: Cache
  ) async throws -> FilePath {
    var manifest = ["package 1", try await ContentHash.of(file: path)]
    for part in parts {
      switch part {
      case .file(let package): manifest.append(try await ContentHash.of(file: package.path))
      case .archive(let name, let version): manifest.append("\(name) \(version)")
      }
    }
    let key = String(try await ContentHash.of(manifest.joined(separator: "\n")).prefix(24))
    let waiting = { Progress.note("waiting: another process unpacks \(name)") }
    // Not among the fetched: debian:6.12 is none of the user's own.
    return try await cache.obtain("packages", key, waiting: waiting) { directory in
      try await extract(into: directory)
      for part in parts {
        switch part {
        case .file(let package): try await package.extract(into: directory)
        case .archive(let name, let version):
          try await DebianArchive().unpack(name, version: version, into: directory)
        }
      }
      try await KernelFetch.arrange(directory, release: release)
    }
  }

  private func extract(into directory: FilePath) async throws {
    Progress.note("unpacking \(path.lastComponent?.string ?? name)")
    try await Tool("dpkg-deb").run(["-x", path.string, directory.string])
  }
}
