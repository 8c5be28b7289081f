import CLinux
import Foundation

/// The guest's root file system: the agent as `/init`, the libraries that it
/// needs, the modules, and empty directories to mount on.
struct Initramfs: Sendable {
  /// The agent, stripped.
  var agent: String
  /// `lib/modules/RELEASE` of the kernel; nil for one with everything built in.
  var modules: ModuleDirectory?
  /// Modules to have, by name. Those that are built in are passed over.
  var wantedModules: [String]
  /// Our module for this kernel. Loaded by the agent, with parameters, and so
  /// not in `/modules/order`.
  var hooksModule: String?
  /// Other programs, with the libraries that they need.
  var programs: [Program]

  struct Program: Hashable, Sendable {
    /// A file of the host.
    var source: String
    /// Its place in the guest.
    var destination: String
  }

  /// What the agent needs of a kernel: its disk, its file system, its channel.
  static let defaultModules = [
    "virtio_pci", "virtio_console", "virtio_blk", "ext4", "brd",
  ]
  /// Where the agent finds our module.
  static let hooksModulePath = "/modules/zswap_hooks.ko"
  /// One path a line, to be loaded in this order.
  static let orderPath = "/modules/order"

  /// Raised when the same sources give another image.
  private static let layout = 2

  init(
    agent: String, modules: ModuleDirectory?, wantedModules: [String] = defaultModules,
    hooksModule: String?, programs: [Program] = []
  ) {
    self.programs = programs
    self.agent = agent
    self.modules = modules
    self.wantedModules = wantedModules
    self.hooksModule = hooksModule
  }

  /// An image in the cache.
  struct Image: Hashable, Sendable, Codable {
    let path: String
    /// SHA-256 over the contents' sums: the same key, the same image.
    let key: String
    /// Wanted modules that the kernel has neither built in nor as files.
    let absentModules: [String]
  }

  /// The image, made if the cache lacks it. Uncompressed, which boots faster.
  ///
  /// Its key comes from the contents. That the contents are still those of an
  /// earlier call is seen by their sizes and times, so that a warm start reads
  /// none of them.
  func image(cache: URL) async throws -> Image {
    let question =
      [
        "layout \(Self.layout)", FileStamp.of(agent),
        modules.map { FileStamp.of($0.path.path) } ?? "",
        hooksModule.map(FileStamp.of) ?? "", wantedModules.joined(separator: " "),
      ] + programs.map { FileStamp.of($0.source) + $0.destination }
    let memo = cache.appending(
      path:
        "initramfs-\(try await ContentHash.of(question.joined(separator: "\n")).prefix(16)).json")
    if let data = FileManager.default.contents(atPath: memo.path),
      let known = try? JSONDecoder().decode(Memo.self, from: data), known.isFresh
    {
      return known.image
    }
    let made = try await make(cache: cache)
    try AtomicFile.write([UInt8](try JSONEncoder().encode(made)), to: memo)
    return made.image
  }

  /// An image and the stamps of all that went into it.
  private struct Memo: Codable {
    let image: Image
    let stamps: [String: String]

    var isFresh: Bool {
      FileManager.default.fileExists(atPath: image.path)
        && stamps.allSatisfy { FileStamp.of($0.key) == $0.value }
    }
  }

  private func make(cache: URL) async throws -> Memo {
    var libraries = try SharedLibraryClosure(of: agent).libraries
    for program in programs {
      let known = Set(libraries)
      libraries += try SharedLibraryClosure(of: program.source).libraries
        .filter { !known.contains($0) }
    }
    let closure =
      try await modules?.closure(of: wantedModules, cache: cache)
      ?? ModuleClosure(of: wantedModules, in: ModuleClosure.Index())
    let moduleFiles = closure.paths.compactMap { modules?.path.appending(path: $0).path }

    let sources =
      [agent] + libraries.map(\.source) + moduleFiles + (hooksModule.map { [$0] } ?? [])
      + programs.map(\.source)
    let sums = try await ContentHash.of(files: sources)
    let places =
      ["/init"] + libraries.map(\.destination) + closure.paths
      + (hooksModule == nil ? [] : [Self.hooksModulePath]) + programs.map(\.destination)
    let key = try await ContentHash.of(
      "layout \(Self.layout)\n" + zip(places, sums).map { "\($0) \($1)\n" }.joined())
    let file = cache.appending(path: "initramfs-\(key.prefix(16)).cpio")
    // Without an index every module is as good as built in: the kernel may
    // have been given without its modules. The guest will tell.
    let absent = modules == nil ? [] : closure.absent
    let image = Image(path: file.path, key: key, absentModules: absent)
    let stamps = Dictionary(sources.map { ($0, FileStamp.of($0)) }) { first, _ in first }
    let memo = Memo(image: image, stamps: stamps)
    if FileManager.default.fileExists(atPath: file.path) { return memo }

    var files: [Entry] = [Entry("/init", mode: 0o755, try Self.read(agent))]
    for program in programs {
      files.append(Entry(program.destination, mode: 0o755, try Self.read(program.source)))
    }
    for library in libraries {
      files.append(Entry(library.destination, mode: 0o755, try Self.read(library.source)))
    }
    var order = ""
    for (path, file) in zip(closure.paths, moduleFiles) {
      let place = "/modules/\(ModuleClosure.name(ofPath: path)).ko"
      files.append(Entry(place, try await ModuleDirectory.contents(ofModule: file)))
      order += "\(place)\n"
    }
    files.append(Entry(Self.orderPath, Array(order.utf8)))
    if let hooksModule {
      files.append(
        Entry(Self.hooksModulePath, try await ModuleDirectory.contents(ofModule: hooksModule)))
    }
    try AtomicFile.write(Self.archive(files), to: file)
    return memo
  }

  struct Entry {
    let path: String
    let mode: UInt32
    let contents: [UInt8]

    init(_ path: String, mode: UInt32 = 0o644, _ contents: [UInt8]) {
      self.path = path
      self.mode = mode
      self.contents = contents
    }
  }

  /// An archive of these files, their directories, and those of any root.
  static func archive(_ files: [Entry]) -> [UInt8] {
    var directories: Set<String> = ["/proc", "/sys", "/dev", "/tmp", "/mnt", "/run", "/modules"]
    for file in files {
      var parts = file.path.split(separator: "/").dropLast()
      while !parts.isEmpty {
        directories.insert("/" + parts.joined(separator: "/"))
        parts = parts.dropLast()
      }
    }
    var archive = CpioArchive()
    // Tells the agent that this is no other system's init.
    archive.addFile(CLINUX_INITRAMFS_MARK, contents: [])
    // Sorted, a parent comes before what is in it.
    for directory in directories.sorted() { archive.addDirectory(directory) }
    // The kernel opens /dev/console for init before anything mounts devtmpfs.
    archive.addCharacterDevice("/dev/console", major: 5, minor: 1)
    archive.addCharacterDevice("/dev/null", mode: 0o666, major: 1, minor: 3)
    for file in files { archive.addFile(file.path, mode: file.mode, contents: file.contents) }
    return archive.encoded()
  }

  private static func read(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(filePath: path)))
  }
}
