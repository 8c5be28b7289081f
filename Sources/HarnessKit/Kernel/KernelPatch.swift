import Foundation
import SystemPackage

/// A change to a kernel's source.
struct KernelPatch: Hashable, Sendable {
  let name: String
  let path: FilePath
  let text: String
  /// Made for a source that has the hook points.
  let isMutant: Bool

  init(_ path: FilePath, name: String? = nil, isMutant: Bool = false) throws(KernelError) {
    let what = isMutant ? "mutant" : "patch"
    guard let data = FileManager.default.contents(atPath: path.string) else {
      throw KernelError(.usage, "read \(what)", path.string, "no such file, or not readable")
    }
    self.name = name ?? path.lastComponent?.string ?? path.string
    self.path = path
    text = String(decoding: data, as: UTF8.self)
    self.isMutant = isMutant
  }

  /// The series that gives a kernel its hook points. `series` is the order and
  /// the only list.
  static func series(of checkout: Checkout) throws(KernelError) -> [KernelPatch] {
    let list = checkout.patches.appending("series")
    guard let data = FileManager.default.contents(atPath: list.string) else {
      throw KernelError(
        .patch, "read the patch series", list.string, "no such file",
        advice: "Build with --without hooks, or restore the file from the checkout.")
    }
    var patches: [KernelPatch] = []
    for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
      let name = line.prefix { $0 != "#" }.split(separator: " ").first.map(String.init)
      guard let name else { continue }
      patches.append(try KernelPatch(checkout.patches.appending(name), name: name))
    }
    return patches
  }

  /// A kernel broken on purpose, by its name.
  static func mutant(_ id: String, of checkout: Checkout) throws(KernelError) -> KernelPatch {
    let path = checkout.mutants.appending("\(id).patch")
    guard !id.contains("/"), FileManager.default.fileExists(atPath: path.string) else {
      let names = (try? FileManager.default.contentsOfDirectory(atPath: checkout.mutants.string))
      let known = (names ?? []).filter { $0.hasSuffix(".patch") }.map { $0.dropLast(6) }.sorted()
      throw KernelError(
        .usage, "use mutant", id, "no file \(path)",
        advice: known.isEmpty
          ? "There are no mutants in this checkout."
          : "There are: \(known.joined(separator: ", ")).")
    }
    return try KernelPatch(path, name: "mutant \(id)", isMutant: true)
  }

  /// Applies the change to a tree; fuzz could put a hook point at the wrong
  /// place, so there is none.
  func apply(to tree: FilePath) async throws {
    let result = try await Tool("patch").run(
      [
        "-p1", "--fuzz=0", "--batch", "--forward", "--no-backup-if-mismatch", "-r", "-",
        "-d", tree.string, "-i", absolutePath,
      ],
      accepting: { $0 <= 1 })
    guard result.status == 0 else {
      throw KernelError(
        .patch, "apply", name, "it does not fit this source",
        advice: "Refresh the patch against this source, or give the source that it was made for"
          + " with --source.",
        details: (result.lines + [result.errors]).filter { !$0.isEmpty }.suffix(12))
    }
  }

  /// What it does to the source, whatever its header says.
  var changes: Substring {
    let start = text.firstRange(of: "\n--- ")?.lowerBound ?? text.startIndex
    return text[start...]
  }

  var absolutePath: String {
    URL(fileURLWithPath: path.string).standardizedFileURL.path
  }
}
