import Foundation
import GuestWire
import SystemPackage

/// Builds the agent from the checkout that the harness runs from.
///
/// SwiftPM is incremental, but takes seconds to find that it has nothing to do.
/// A build is therefore kept under a key of its sources and its compiler, and a
/// warm start only hashes some small files.
struct GuestAgentBuild: Sendable {
  /// The checkout, with Package.swift.
  var root: URL
  /// The toolchain's `swift`; nil finds it in PATH.
  var swift: String?

  init(root: URL, swift: String? = nil) {
    self.root = root
    self.swift = swift
  }

  /// What the agent is made of.
  static let folders =
    ["CKmod", "CLibMount", "CLinux", "GuestAgent", "GuestWire", "Kmod", "LibMount", "guest-agent"]
    .map { "Sources/\($0)" } + ["kmod/uapi"]

  enum BuildError: Error, CustomStringConvertible {
    case notACheckout(String)
    case noCompiler
    case cannotKeep(String, Errno)

    var description: String {
      switch self {
      case .notACheckout(let path):
        "build the guest agent: \(path) has no Package.swift; run from the checkout"
      case .cannotKeep(let path, let errno):
        "keep the guest agent as \(path): \(errno) (\(errno.rawValue))"
      case .noCompiler: "build the guest agent: there is no `swift` in PATH"
      }
    }
  }

  /// The stripped executable in the cache, built if it is not there.
  ///
  /// - Parameter willBuild: Called before a build, which takes a minute or more
  ///   the first time.
  func executable(cache: URL, willBuild: @Sendable () -> Void = {}) async throws -> String {
    let key = try await key()
    let product = cache.appending(path: "guest-agent-\(key.prefix(16))")
    if FileManager.default.isExecutableFile(atPath: product.path) { return product.path }
    willBuild()
    let scratch = root.appending(path: ".build-guest").path
    let options = [
      "build", "--package-path", root.path, "--product", "guest-agent", "-c", "release",
      "--static-swift-stdlib", "--scratch-path", scratch,
    ]
    let swift = try compiler()
    try await Tool(swift).run(options)
    let folder = try await Tool(swift).run(options + ["--show-bin-path"]).text.trimmed
    try FileManager.default.createDirectory(at: cache, withIntermediateDirectories: true)
    let unfinished = cache.appending(path: "\(product.lastPathComponent).\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: unfinished) }
    try await Tool("strip").run(["-o", unfinished.path, "\(folder)/guest-agent"])
    guard rename(unfinished.path, product.path) == 0 else {
      throw BuildError.cannotKeep(product.path, Errno(rawValue: errno))
    }
    return product.path
  }

  /// SHA-256 over the names and contents of the sources, and the compiler's
  /// identity (asking it for its version would cost as much as all the rest).
  func key() async throws -> String {
    let package = root.appending(path: "Package.swift").path
    guard FileManager.default.fileExists(atPath: package) else {
      throw BuildError.notACheckout(root.path)
    }
    var files = ["Package.swift"]
    for folder in Self.folders {
      let names = FileManager.default.enumerator(atPath: root.appending(path: folder).path)
      while let name = names?.nextObject() as? String {
        if names?.fileAttributes?[.type] as? FileAttributeType == .typeRegular {
          files.append("\(folder)/\(name)")
        }
      }
    }
    files.sort()
    let sums = try await ContentHash.of(files: files.map { root.appending(path: $0).path })
    let swift = URL(filePath: try compiler()).resolvingSymlinksInPath().path
    let attributes = try FileManager.default.attributesOfItem(atPath: swift)
    let identity =
      "\(swift) \(attributes[.size] ?? 0) \(attributes[.modificationDate] ?? Date.distantPast)"
    return try await ContentHash.of(
      identity + "\n" + zip(files, sums).map { "\($0) \($1)\n" }.joined())
  }

  private func compiler() throws(BuildError) -> String {
    if let swift { return swift }
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let found = path.split(separator: ":").lazy.map { "\($0)/swift" }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
    guard let found else { throw .noCompiler }
    return found
  }
}
