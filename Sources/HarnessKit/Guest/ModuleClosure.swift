/// The modules that have to be loaded to get some others, in load order. Pure:
/// made from the text of `modules.dep`, `modules.builtin`, `modules.softdep`
/// and `modules.alias`.
struct ModuleClosure: Hashable, Sendable, Codable {
  /// Paths below the module directory, dependencies first.
  let paths: [String]
  /// Wanted, and part of the kernel image.
  let builtin: [String]
  /// Wanted, and nowhere.
  let absent: [String]

  /// The tables of one kernel's module directory.
  struct Index: Hashable, Sendable {
    var pathByName: [String: String] = [:]
    var dependencies: [String: [String]] = [:]
    var builtin: Set<String> = []
    var soft: [String: [String]] = [:]
    var aliases: [String: [String]] = [:]

    /// An index of a kernel without modules.
    init() {}

    /// - Parameters:
    ///   - tables: Lines of `modules.dep`, `modules.softdep` and `modules.alias`,
    ///     in one text or as depmod's dry run prints them. Others are passed over.
    ///   - builtin: The text of `modules.builtin`.
    init(tables: String, builtin: String) {
      for line in builtin.split(whereSeparator: \.isNewline) {
        self.builtin.insert(ModuleClosure.name(ofPath: String(line)))
      }
      for line in tables.split(whereSeparator: \.isNewline) {
        if line.hasPrefix("softdep ") {
          addSoftDependency(line)
        } else if line.hasPrefix("alias crypto-") {
          // The only aliases that soft dependencies name.
          let words = line.split(separator: " ")
          guard words.count == 3 else { continue }
          aliases[ModuleClosure.canonical(words[1]), default: []]
            .append(ModuleClosure.canonical(words[2]))
        } else if let colon = line.firstIndex(of: ":"), line[..<colon].contains(".ko") {
          let path = String(line[..<colon])
          pathByName[ModuleClosure.name(ofPath: path)] = path
          dependencies[path] = line[line.index(after: colon)...]
            .split(separator: " ").map(String.init)
        }
      }
    }

    private mutating func addSoftDependency(_ line: Substring) {
      let words = line.split(separator: " ")
      guard words.count > 2 else { return }
      var before = true
      for word in words.dropFirst(2) {
        if word == "pre:" || word == "post:" {
          before = word == "pre:"
        } else if before {
          soft[ModuleClosure.canonical(words[1]), default: []]
            .append(ModuleClosure.canonical(word))
        }
      }
    }
  }

  init(of wanted: [String], in index: Index) {
    var walk = Walk(index: index)
    var builtin: [String] = []
    var absent: [String] = []
    for module in wanted {
      let name = Self.canonical(module)
      if let path = index.pathByName[name] {
        walk.visit(path)
      } else if index.builtin.contains(name) {
        builtin.append(module)
      } else {
        absent.append(module)
      }
    }
    paths = walk.order
    self.builtin = builtin
    self.absent = absent
  }

  private struct Walk {
    let index: Index
    var order: [String] = []
    var seen: Set<String> = []

    mutating func visit(_ path: String) {
      // Marked before its dependencies: a circle of soft ones must end.
      guard seen.insert(path).inserted else { return }
      for name in index.soft[ModuleClosure.name(ofPath: path)] ?? [] {
        for provider in providers(of: name) { visit(provider) }
      }
      // depmod lists the nearest first; the furthest has to be loaded first.
      for dependency in (index.dependencies[path] ?? []).reversed() { visit(dependency) }
      order.append(path)
    }

    /// The modules behind a name or an alias. Of several that do the same, the
    /// generic one: the others refuse to load on a CPU that is not theirs.
    private func providers(of name: String) -> [String] {
      if let path = index.pathByName[name] { return [path] }
      if index.builtin.contains(name) { return [] }
      var names = index.aliases[name] ?? []
      if names.contains(where: index.builtin.contains) { return [] }
      if let generic = names.first(where: { $0.hasSuffix("_generic") }) { names = [generic] }
      return names.compactMap { index.pathByName[$0] }
    }
  }

  /// The kernel takes `-` and `_` in a module's name for the same.
  static func canonical(_ name: some StringProtocol) -> String {
    name.replacing("-", with: "_")
  }

  /// `kernel/fs/ext4/ext4.ko.xz` is `ext4`.
  static func name(ofPath path: String) -> String {
    let file = path.split(separator: "/").last.map(String.init) ?? ""
    return canonical(file.prefix { $0 != "." })
  }
}

extension StringProtocol {
  fileprivate func replacing(_ old: Character, with new: Character) -> String {
    String(map { $0 == old ? new : $0 })
  }
}
