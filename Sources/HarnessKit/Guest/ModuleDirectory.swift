import Foundation

/// A kernel's `lib/modules/RELEASE` directory on the host.
struct ModuleDirectory: Sendable {
  let path: URL

  init(path: URL) { self.path = path }

  /// The kernel release, which is the directory's name.
  var release: String { path.lastPathComponent }

  /// What has to be loaded for these modules, in order. Kept in the cache: a
  /// distribution's tables have thousands of lines.
  ///
  /// A kernel package that was unpacked but not installed has no `modules.dep`;
  /// depmod's dry run makes one, for which it reads every module.
  func closure(of wanted: [String], cache: URL) async throws -> ModuleClosure {
    let tables = ["modules.dep", "modules.softdep", "modules.alias", "modules.builtin"]
    let identity = (tables + ["modules.order"]).map { FileStamp.of(path.appending(path: $0).path) }
    let key = try await ContentHash.of(([path.path] + identity + wanted).joined(separator: "\n"))
    let cached = cache.appending(path: "modules-\(key.prefix(16)).json")
    if let data = FileManager.default.contents(atPath: cached.path),
      let closure = try? JSONDecoder().decode(ModuleClosure.self, from: data)
    {
      return closure
    }
    var text = tables.dropLast().compactMap { self.text($0) }.joined(separator: "\n")
    if self.text("modules.dep") == nil, self.text("modules.order") != nil {
      // BASE/lib/modules/RELEASE
      let base = path.deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
      text = try await Tool("depmod").run(["-n", "-b", base.path, release]).text
    }
    let index = ModuleClosure.Index(tables: text, builtin: self.text("modules.builtin") ?? "")
    let closure = ModuleClosure(of: wanted, in: index)
    try AtomicFile.write([UInt8](try JSONEncoder().encode(closure)), to: cached)
    return closure
  }

  /// The bytes of a module, decompressed: the guest has no decompressor.
  static func contents(ofModule file: String) async throws -> [UInt8] {
    switch file.split(separator: ".").last {
    case "xz": return try await Tool("xz").run(["-dc", "--", file]).output
    case "zst": return try await Tool("zstd").run(["-dcq", "--", file]).output
    case "gz": return try await Tool("gzip").run(["-dc", "--", file]).output
    default: return [UInt8](try Data(contentsOf: URL(filePath: file)))
    }
  }

  private func text(_ name: String) -> String? {
    FileManager.default.contents(atPath: path.appending(path: name).path)
      .map { String(decoding: $0, as: UTF8.self) }
  }
}

/// Files that appear whole or not at all, though two processes make the same.
enum AtomicFile {
  static func write(_ bytes: [UInt8], to file: URL) throws {
    let folder = file.deletingLastPathComponent()
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    try Data(bytes).write(to: file, options: .atomic)
  }
}

/// Tells whether a file is still the same, without reading it.
enum FileStamp {
  /// Path, size and time; of a file that is not there, its path alone.
  static func of(_ path: String) -> String {
    var status = stat()
    guard stat(path, &status) == 0 else { return path }
    let time = status.st_mtim
    return "\(path) \(status.st_size) \(time.tv_sec).\(time.tv_nsec) \(status.st_ino)"
  }
}
