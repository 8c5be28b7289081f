import Foundation
import Glibc
import GuestWire
public import SystemPackage

/// A kernel source tree that gets hook points, or has them taken out again.
public struct HookTree: Sendable {
  /// What was done, in lines for people.
  public struct Report: Sendable {
    /// The table of the points, or what became of each file; `harness kernel patch` prints them.
    public let lines: [String]
    /// Whether a file was written or removed.
    public let hasChanged: Bool
  }

  let path: FilePath

  /// Throws unless it is a kernel's source.
  public init(_ path: FilePath) throws(KernelError) {
    self.path = path
    for file in ["Makefile", "Kconfig"] + HookPlan.inputs
    where !FileManager.default.fileExists(atPath: path.appending(file).string) {
      throw KernelError(
        .notFound, "patch", path.string, "there is no \(file) in it",
        advice: "Give the top folder of a Linux source tree, 6.1 or later.")
    }
    let makefile = String(decoding: try read("Makefile") ?? [], as: UTF8.self)
    guard makefile.contains("\nVERSION = ") || makefile.hasPrefix("VERSION = ") else {
      throw KernelError(
        .notFound, "patch", path.string, "its Makefile is not a kernel's: it has no VERSION",
        advice: "Give the top folder of a Linux source tree, 6.1 or later.")
    }
  }

  /// What ``place(checkout:)`` would do; nothing is written.
  public func show(checkout: Checkout) async throws -> Report {
    if let standing = try await standing() { return standing }
    return Report(lines: try plan(checkout).table, hasChanged: false)
  }

  /// Puts the hook points in; a tree that has them is left as it is.
  public func place(checkout: Checkout) async throws -> Report {
    if let standing = try await standing() { return standing }
    let plan = try plan(checkout)
    let record = try await self.record(of: plan)
    try requireWritable(plan.files.map(\.path) + [HookRecord.name])
    // The record first: from here on whatever breaks off can be undone.
    try write([UInt8](try JSONText.document(record)), to: HookRecord.name)
    do {
      for file in plan.files { try write(file.after, to: file.path) }
    } catch {
      _ = try? await undo()
      throw error
    }
    return Report(
      lines: plan.table + [
        "",
        "Set CONFIG_DEBUG_KERNEL=y and CONFIG_ZSWAP_HOOKS=y, and build. --undo takes all out again.",
      ], hasChanged: true)
  }

  /// Takes out what ``place(checkout:)`` put in.
  public func undo() async throws -> Report {
    guard let record = try readRecord() else {
      if try traces().isEmpty {
        return Report(lines: ["\(path): there are no hook points to take out"], hasChanged: false)
      }
      throw KernelError(
        .patch, "undo in", path.string,
        "it has hook points that were not put in by this command: there is no \(HookRecord.name)",
        advice: "Take them out as they were put in: `git revert`, `git checkout`, `patch -R`.",
        details: try traces())
    }
    try requireWritable(record.files.map(\.path) + [HookRecord.name])
    var lines: [String] = []
    for file in record.files { lines += try await undo(file) }
    try remove(HookRecord.name)
    return Report(lines: lines, hasChanged: true)
  }

  private func undo(_ file: HookRecord.File) async throws -> [String] {
    guard let bytes = try read(file.path) else {
      return file.before == nil ? [] : ["\(file.path): is gone; not touched"]
    }
    let sum = try await ContentHash.of(file: path.appending(file.path))
    if sum == file.before { return ["\(file.path): is as it was before; not touched"] }
    guard let before = file.before else {
      if sum == file.after {
        try remove(file.path)
        return ["\(file.path): removed"]
      }
      try rename(file.path, to: "\(file.path).edited")
      return ["\(file.path): was edited since; kept as \(file.path).edited"]
    }
    if sum == file.after {
      guard let original = file.undoExactly(bytes),
        try await ContentHash.of(bytes: original) == before
      else {
        throw KernelError(
          .patch, "undo in", file.path, "\(HookRecord.name) does not fit it",
          advice: "Restore the record or the file, for instance with `git checkout`.")
      }
      try write(original, to: file.path)
      return ["\(file.path): as it was before"]
    }
    let undone = file.undoAround(bytes)
    try write(undone.bytes, to: file.path)
    return ["\(file.path): was edited since; the hook points are out, the rest is untouched"]
      + undone.leftovers.map { "  look at line \($0): it was changed, and is left" }
  }
}

// MARK: What a tree has already

extension HookTree {
  /// A report, where the tree has its hook points; throws where it has half of them.
  private func standing() async throws -> Report? {
    let traces = try self.traces()
    guard let record = try readRecord() else {
      guard !traces.isEmpty else { return nil }
      guard traces.count == HookPlan.inputs.count + 2 else {
        throw KernelError(
          .patch, "patch", path.string, "it has some of the hook points already, and not all",
          advice: "Take them out as they were put in (`git checkout`, `patch -R`), then try again.",
          details: traces)
      }
      return Report(
        lines: ["\(path): has the hook points already, put there by other means; not touched"],
        hasChanged: false)
    }
    var lines = ["\(path): has the hook points already; not touched"]
    for file in record.files {
      let now = try read(file.path)
      let sum = now == nil ? nil : try await ContentHash.of(file: path.appending(file.path))
      if sum == file.after { continue }
      guard sum != file.before, traces.contains(where: { $0.hasPrefix("\(file.path):") }) else {
        throw KernelError(
          .patch, "patch", path.string,
          "it was patched before, and \(file.path) has lost its part since",
          advice: "`harness kernel patch --tree \(path) --undo` first, then patch again.")
      }
      lines.append("\(file.path): was edited since")
    }
    return Report(lines: lines, hasChanged: false)
  }

  /// The files that have hook points or what belongs to them, and the first line that says so.
  private func traces() throws(KernelError) -> [String] {
    var found: [String] = []
    for file in HookPlan.inputs + [HookPlan.header, HookPlan.implementation] {
      guard let bytes = try read(file) else { continue }
      let lines = String(decoding: bytes, as: UTF8.self).split(
        separator: "\n", omittingEmptySubsequences: false)
      if let line = lines.firstIndex(where: {
        $0.contains("zswap_hook") || $0.contains("ZSWAP_HOOK")
      }) {
        found.append("\(file): line \(line + 1): \(lines[line].trimmed)")
      }
    }
    return found
  }

  private func readRecord() throws(KernelError) -> HookRecord? {
    guard let bytes = try read(HookRecord.name) else { return nil }
    do {
      let record = try JSONDecoder().decode(HookRecord.self, from: Data(bytes))
      guard record.version == 1, record.files.allSatisfy({ Self.mayTouch($0.path) }) else {
        throw KernelError(
          .patch, "read", path.appending(HookRecord.name).string, "it is of another version",
          advice: "Undo with the harness that made it, or with `git checkout`.")
      }
      return record
    } catch let error as KernelError {
      throw error
    } catch {
      throw KernelError(
        .patch, "read", path.appending(HookRecord.name).string, "it is damaged",
        advice: "Undo with `git checkout`, then remove it.", details: ["\(error)"])
    }
  }

  /// A record is a file of the tree's, and may say anything.
  private static func mayTouch(_ file: String) -> Bool {
    (HookPlan.inputs + [HookPlan.header, HookPlan.implementation]).contains(file)
  }

  private func plan(_ checkout: Checkout) throws(KernelError) -> HookPlan {
    var sources: [String: [UInt8]] = [:]
    for file in HookPlan.inputs { sources[file] = try read(file) }
    return try HookPlan.make(sources, of: path.string, checkout: checkout)
  }

  private func record(of plan: HookPlan) async throws -> HookRecord {
    var files: [HookRecord.File] = []
    for file in plan.files {
      var before: String?
      if let bytes = file.before { before = try await ContentHash.of(bytes: bytes) }
      files.append(
        HookRecord.File(
          path: file.path, before: before, after: try await ContentHash.of(bytes: file.after),
          changes: file.before.map { HookRecord.changes(from: $0, to: file.after) } ?? []))
    }
    return HookRecord(files: files)
  }
}

// MARK: Files

extension HookTree {
  /// nil where there is none.
  private func read(_ file: String) throws(KernelError) -> [UInt8]? {
    let full = path.appending(file)
    var status = stat()
    guard lstat(full.string, &status) == 0 else {
      let error = Errno(rawValue: Glibc.errno)
      if error == .noSuchFileOrDirectory { return nil }
      throw KernelError("read", full, error)
    }
    // A link would be replaced by a file, and the one behind it is another tree's.
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw KernelError(
        .patch, "patch", full.string, "it is not a file of this tree's own",
        advice: "Patch the tree that it is in, or put a copy in its place.")
    }
    do {
      return Array(try Data(contentsOf: URL(fileURLWithPath: full.string)))
    } catch {
      throw KernelError("read", full, Self.errno(of: error))
    }
  }

  private func requireWritable(_ files: [String]) throws(KernelError) {
    for folder in Set(files.map { path.appending($0).removingLastComponent() })
    where access(folder.string, W_OK) != 0 {
      throw KernelError(
        "write into", folder, Errno(rawValue: Glibc.errno),
        advice: "Nothing was changed. Patch a copy of the tree: `cp -al` makes one at once.")
    }
  }

  /// Beside it, then renamed over it: a tree of hard links keeps its other side.
  fileprivate func write(_ bytes: [UInt8], to file: String) throws(KernelError) {
    let full = path.appending(file)
    let fresh = FilePath("\(full.string).zswap-hooks-new")
    var mode: mode_t = 0o644
    var status = stat()
    if lstat(full.string, &status) == 0 { mode = status.st_mode & 0o7777 }
    do {
      let descriptor = try FileDescriptor.open(
        fresh, .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
        permissions: FilePermissions(rawValue: mode))
      try descriptor.closeAfter {
        _ = try descriptor.writeAll(bytes)
        guard fchmod(descriptor.rawValue, mode) == 0, fsync(descriptor.rawValue) == 0 else {
          throw Errno(rawValue: Glibc.errno)
        }
      }
      guard Glibc.rename(fresh.string, full.string) == 0 else {
        throw Errno(rawValue: Glibc.errno)
      }
    } catch {
      let failure = Self.errno(of: error)
      unlink(fresh.string)
      throw KernelError("write", full, failure)
    }
  }

  private func remove(_ file: String) throws(KernelError) {
    let full = path.appending(file)
    guard unlink(full.string) == 0 else {
      throw KernelError("remove", full, Errno(rawValue: Glibc.errno))
    }
  }

  private func rename(_ file: String, to name: String) throws(KernelError) {
    let full = path.appending(file)
    guard Glibc.rename(full.string, path.appending(name).string) == 0 else {
      throw KernelError("rename", full, Errno(rawValue: Glibc.errno))
    }
  }

  private static func errno(of error: any Error) -> Errno {
    if let error = error as? Errno { return error }
    let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
    return Errno(rawValue: Int32(underlying?.code ?? Int(EIO)))
  }
}

extension HookPlan {
  /// The plan for the sources of a tree, with the checkout's series.
  static func make(
    _ sources: [String: [UInt8]], of tree: String, checkout: Checkout
  ) throws(KernelError) -> HookPlan {
    let series = try KernelPatch.series(of: checkout).map(\.text)
    do {
      return try HookPlan.make(sources, series: series)
    } catch {
      switch error {
      case .noPlace(let file, let what):
        throw KernelError(
          .patch, "place", "\(file) of \(tree)", "no place for \(what)",
          advice: "Is this Linux 6.1 or later? Else build with --without hooks.")
      case .noPoints(let points):
        throw KernelError(
          .patch, "place the hook points in", tree, "no point was found",
          advice: "Build with --without hooks: ftrace will do, where it is enabled.",
          details: points.map { "\($0.name): \($0.reason ?? "")" })
      case .series(let problem):
        throw KernelError(
          .patch, "read", "the patch series", problem,
          advice: "Restore qemu/kernel/patches from the checkout.")
      }
    }
  }

  /// The plan for a tree that has no hook points.
  static func make(for tree: FilePath, checkout: Checkout) throws(KernelError) -> HookPlan {
    var sources: [String: [UInt8]] = [:]
    for file in inputs {
      sources[file] = FileManager.default.contents(atPath: tree.appending(file).string).map(
        Array.init)
    }
    return try make(sources, of: tree.string, checkout: checkout)
  }

  /// Replaces the files of a copy; for good, as there is no record.
  func write(into tree: FilePath) throws(KernelError) {
    let tree = try HookTree(tree)
    for file in files { try tree.write(file.after, to: file.path) }
  }

  /// All that it changes, as a text that two plans share if they are the same.
  var text: String {
    files.map { file in
      let lines = HookRecord.changes(from: file.before ?? [], to: file.after).flatMap { change in
        ["@@ \(change.line)"] + change.removed.map { "-\($0)" } + change.added.map { "+\($0)" }
      }
      return ([file.path] + lines).joined(separator: "\n")
    }.joined(separator: "\n")
  }

  /// What the points come to, in a line.
  var summary: String {
    var summary = "hook points: \(placed.count) of \(points.count)"
    switch method {
    case .series: summary += ", by the series as it is"
    case .anchors: summary += ", by what stands around them"
    }
    let absent = points.count { $0.isAbsentByDesign }
    if absent > 0 { summary += "; \(absent) absent, as this zswap has none" }
    if !missed.isEmpty {
      summary += "; not placed, and absent in a run: \(missed.map(\.name).joined(separator: ", "))"
    }
    return summary
  }

  /// One line for each point, and what they come to.
  var table: [String] {
    let width = points.map(\.name.count).max() ?? 0
    let rows = points.map { point in
      let name = point.name.padded(to: width)
      if let reason = point.reason {
        return "\(name)  \(point.isAbsentByDesign ? "absent" : "NOT PLACED"): \(reason)"
      }
      let places = Dictionary(grouping: point.places) { "\($0.file)" }.sorted { $0.key < $1.key }
        .map { file, places in
          "\(file):\(places.map { "\($0.line)" }.joined(separator: ",")) in "
            + "\(Self.spelled(places[0].function))"
        }
      return "\(name)  \(places.joined(separator: "; "))"
    }
    return rows + ["", summary]
  }

  private static func spelled(_ function: String) -> String {
    function.contains("(") ? "\(function))" : "\(function)()"
  }
}
