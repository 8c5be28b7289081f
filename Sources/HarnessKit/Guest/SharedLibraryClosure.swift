import Foundation

/// The shared libraries that an executable needs, and theirs in turn.
struct SharedLibraryClosure: Hashable, Sendable {
  /// A file of the host, and its place in the guest.
  struct Library: Hashable, Sendable {
    let source: String
    let destination: String
  }

  /// Sorted by destination; includes the interpreter.
  let libraries: [Library]

  enum ClosureError: Error, Equatable, CustomStringConvertible {
    case missing(library: String, neededBy: String, searched: [String])
    case unreadable(path: String, why: String)

    var description: String {
      switch self {
      case .missing(let library, let user, let searched):
        "\(user) needs \(library), which is in none of \(searched.joined(separator: ", ")); "
          + "install the package that has it"
      case .unreadable(let path, let why): "read \(path): \(why)"
      }
    }
  }

  /// Where the loader looks without a cache, which the guest does not have.
  static let defaultSearchPath = [
    "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib",
    "/usr/lib",
  ]

  /// Walks an executable's needs.
  ///
  /// - Parameters:
  ///   - searchPath: In the loader's order.
  ///   - additional: Places outside the loader's own list. A library found there
  ///     goes to the first directory of `searchPath` in the guest.
  init(
    of executable: String, searchPath: [String] = defaultSearchPath,
    additional: [String] = ["/usr/local/lib/x86_64-linux-gnu", "/usr/local/lib"]
  ) throws(ClosureError) {
    var found: [String: Library] = [:]
    var queue: [String] = [executable]
    while let path = queue.popLast() {
      let file = try Self.read(path)
      if let interpreter = file.interpreter, found[Self.name(of: interpreter)] == nil {
        // Named by its full path in the executable: it has to stay there.
        found[Self.name(of: interpreter)] = Library(
          source: interpreter, destination: interpreter)
        queue.append(interpreter)
      }
      for library in file.needed where found[library] == nil {
        let directories = searchPath + additional
        guard
          let directory = directories.first(where: {
            FileManager.default.isReadableFile(atPath: "\($0)/\(library)")
          })
        else { throw .missing(library: library, neededBy: path, searched: directories) }
        let home = searchPath.contains(directory) ? directory : searchPath.first ?? directory
        found[library] = Library(
          source: "\(directory)/\(library)", destination: "\(home)/\(library)")
        queue.append("\(directory)/\(library)")
      }
    }
    libraries = found.values.sorted { $0.destination < $1.destination }
  }

  private static func read(_ path: String) throws(ClosureError) -> ELFFile {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw .unreadable(path: path, why: "no such file, or not readable")
    }
    do {
      return try ELFFile(parsing: [UInt8](data))
    } catch {
      throw .unreadable(path: path, why: "\(error)")
    }
  }

  private static func name(of path: String) -> String {
    String(path.split(separator: "/").last ?? "")
  }
}
