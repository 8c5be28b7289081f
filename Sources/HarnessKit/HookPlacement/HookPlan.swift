import GuestWire

/// How a source tree gets its hook points: what each file becomes, and what became of each
/// point.
struct HookPlan: Sendable {
  enum Method: Sendable {
    /// The series as it is.
    case series
    /// By what stands around each point, as ``HookSite/table`` says.
    case anchors
  }

  /// A file that changes.
  struct File: Sendable {
    let path: String
    /// nil where it was not there.
    let before: [UInt8]?
    let after: [UInt8]
  }

  /// A point, and where it is or why it is not.
  struct Point: Hashable, Sendable {
    let name: String
    let places: [Place]
    /// nil where it is placed.
    let reason: String?
    /// Whether this zswap has no such point; where not, it was not found.
    let isAbsentByDesign: Bool
  }

  struct Place: Hashable, Sendable {
    let file: String
    let line: Int
    let function: String
  }

  let method: Method
  let files: [File]
  let points: [Point]

  var placed: [Point] { points.filter { $0.reason == nil } }
  var missed: [Point] { points.filter { $0.reason != nil && !$0.isAbsentByDesign } }

  /// The files that it reads, and has to be given.
  static let inputs = ["mm/Kconfig", "mm/Makefile", "mm/zswap.c", "mm/swapfile.c"]
  static let header = "include/linux/zswap_hooks.h"
  static let implementation = "mm/zswap_hooks.c"

  /// The points that a run may name, in the order of their paths.
  static let pointNames = HookPoint.catalogue.map(\.rawValue).filter { name in
    HookSite.table.contains { $0.point == name }
  }
}

extension HookPlan {
  /// Why no plan can be made.
  enum Failure: Error, Hashable {
    /// Something that is not a point has no place: its file, and what was looked for.
    case noPlace(file: String, for: String)
    /// No point at all was found.
    case noPoints([Point])
    /// The series has no such file, or not what belongs into it.
    case series(String)
  }

  /// Makes a plan: the series where all of it fits, the anchors otherwise.
  ///
  /// - Parameters:
  ///   - sources: the text of each of ``inputs``, by its path.
  ///   - series: the patches, in order.
  static func make(_ sources: [String: [UInt8]], series: [String]) throws(Failure) -> HookPlan {
    let diffs = series.flatMap { UnifiedDiff($0).files }
    if let files = whole(diffs, sources) {
      return HookPlan(
        method: .series, files: files,
        points: pointNames.map { name in
          let places = places(of: name, in: files)
          return Point(
            name: name, places: places,
            reason: places.isEmpty ? "the series does not have it" : nil,
            isAbsentByDesign: false)
        })
    }
    return try byAnchors(sources, diffs)
  }

  /// All of the series, or nothing.
  private static func whole(_ diffs: [UnifiedDiff.File], _ sources: [String: [UInt8]]) -> [File]? {
    var files: [String: File] = [:]
    for diff in diffs {
      if diff.isNew {
        files[diff.path] = File(path: diff.path, before: nil, after: text(of: diff.added))
      } else {
        guard let before = files[diff.path]?.after ?? sources[diff.path],
          let after = diff.apply(to: before)
        else { return nil }
        files[diff.path] = File(path: diff.path, before: sources[diff.path], after: after)
      }
    }
    return files.values.sorted { $0.path < $1.path }
  }

  static func byAnchors(
    _ sources: [String: [UInt8]], _ diffs: [UnifiedDiff.File]
  ) throws(Failure) -> HookPlan {
    var placements: [String: AnchorPlacement] = [:]
    for file in Set(HookSite.table.map(\.file)) {
      guard let source = sources[file] else {
        throw .noPlace(file: file, for: "the points: there is no such file")
      }
      placements[file] = AnchorPlacement(source)
    }
    var outcomes: [String: AnchorPlacement.Outcome] = [:]
    for name in pointNames {
      let rows = HookSite.table.filter { $0.point == name }
      outcomes[name] = placements[rows[0].file]?.place(rows)
    }
    var files: [File] = []
    for (path, placement) in placements {
      let after = try including(header, in: placement.result, of: path)
      files.append(File(path: path, before: sources[path], after: after))
    }
    let points = pointNames.map { name in
      let (reason, isAbsent): (String?, Bool) =
        switch outcomes[name] {
        case .placed: (nil, false)
        case .absent(let reason): (reason, true)
        case .unplaced(let reason): (reason, false)
        case nil: ("not looked for", false)
        }
      return Point(
        name: name, places: reason == nil ? places(of: name, in: files) : [], reason: reason,
        isAbsentByDesign: isAbsent)
    }
    guard points.contains(where: { $0.reason == nil }) else { throw .noPoints(points) }
    files += try infrastructure(
      sources, diffs, missing: points.filter { $0.reason != nil }.map(\.name))
    return HookPlan(method: .anchors, files: files.sorted { $0.path < $1.path }, points: points)
  }

  private static func places(of name: String, in files: [File]) -> [Place] {
    let call = ["zswap_hook", "(", HookSite.constant(of: name), ","]
    return files.filter { $0.path.hasSuffix(".c") }.flatMap { file in
      let source = CSource(file.after)
      return source.functions.flatMap { function in
        source.matches(call, in: function.open..<function.close).map {
          Place(
            file: file.path, line: source.lineNumber(source.tokens[$0].start),
            function: function.name)
        }
      }
    }
  }
}

// MARK: What is not a point

extension HookPlan {
  /// What the series has beside the points: from it the text, from here the places.
  private static func infrastructure(
    _ sources: [String: [UInt8]], _ diffs: [UnifiedDiff.File], missing: [String]
  ) throws(Failure) -> [File] {
    func added(_ path: String) throws(Failure) -> [String] {
      guard let diff = diffs.first(where: { $0.path == path }), !diff.added.isEmpty else {
        throw .series("nothing comes into \(path)")
      }
      return diff.added
    }
    func source(_ path: String) throws(Failure) -> [UInt8] {
      guard let source = sources[path] else {
        throw .noPlace(file: path, for: "its lines: there is no such file")
      }
      return source
    }
    return [
      File(
        path: "mm/Kconfig", before: try source("mm/Kconfig"),
        after: try afterEntry(
          ["ZSWAP_DEFAULT_ON", "ZSWAP"], in: try source("mm/Kconfig"),
          put: try added("mm/Kconfig"))),
      File(
        path: "mm/Makefile", before: try source("mm/Makefile"),
        after: try afterLine(
          in: try source("mm/Makefile"), of: "mm/Makefile", put: try added("mm/Makefile"),
          what: "obj-$(CONFIG_ZSWAP)"
        ) { $0.hasPrefix("obj-$(CONFIG_ZSWAP)") && $0.hasSuffix("zswap.o") }),
      File(
        path: header, before: nil,
        after: try telling(missing, in: try added(header))),
      File(path: implementation, before: nil, after: text(of: try added(implementation))),
    ]
  }

  private static func text(of lines: [String]) -> [UInt8] {
    Array(lines.map { $0 + "\n" }.joined().utf8)
  }

  private static func strings(_ bytes: [UInt8]) -> [String] {
    textLines(bytes).map { String(decoding: $0, as: UTF8.self) }
  }

  private static func joined(_ lines: [String]) -> [UInt8] {
    Array(lines.joined(separator: "\n").utf8)
  }

  /// Behind the first of Kconfig's entries that is there.
  private static func afterEntry(
    _ names: [String], in bytes: [UInt8], put lines: [String]
  ) throws(Failure) -> [UInt8] {
    var all = strings(bytes)
    for name in names {
      guard let entry = all.firstIndex(of: "config \(name)") else { continue }
      // Up to what begins its line next, which is no part of the entry.
      let next =
        all[(entry + 1)...].firstIndex { line in
          !line.isEmpty && !line.hasPrefix("\t") && !line.hasPrefix(" ")
        } ?? all.count
      // As the series has it: ours begins where the next one did.
      let block = lines.last?.isEmpty == true ? lines : lines + [""]
      all.insert(contentsOf: block, at: next)
      return joined(all)
    }
    throw .noPlace(file: "mm/Kconfig", for: "the option: there is no “config ZSWAP”")
  }

  private static func afterLine(
    in bytes: [UInt8], of path: String, put lines: [String], what: String,
    _ isLine: (String) -> Bool
  ) throws(Failure) -> [UInt8] {
    var all = strings(bytes)
    guard let line = all.lastIndex(where: isLine) else {
      throw .noPlace(file: path, for: "“\(lines.joined())”: there is no “\(what)”")
    }
    all.insert(contentsOf: lines, at: line + 1)
    return joined(all)
  }

  /// Behind zswap's own header, or the last of those that stand first.
  private static func including(
    _ header: String, in bytes: [UInt8], of path: String
  ) throws(Failure) -> [UInt8] {
    let name = header.split(separator: "/").dropFirst().joined(separator: "/")
    let source = CSource(bytes)
    let first = source.tokens.first?.start ?? bytes.count
    let includes = source.directives.filter { directive in
      let line = String(decoding: bytes[directive], as: UTF8.self)
      return directive.lowerBound < first && line.hasPrefix("#include <linux/")
    }
    let zswap = includes.first {
      String(decoding: bytes[$0], as: UTF8.self).hasPrefix("#include <linux/zswap.h>")
    }
    guard let anchor = zswap ?? includes.last else {
      throw .noPlace(file: path, for: "“#include <\(name)>”: it includes nothing of <linux/>")
    }
    return TextEdit.apply(
      [.insert("#include <\(name)>\n", at: source.lineEnd(anchor.upperBound))], to: bytes)
  }

  /// The header, with the points named that this tree does not have: the module reads it.
  private static func telling(
    _ missing: [String], in lines: [String]
  ) throws(Failure) -> [UInt8] {
    guard !missing.isEmpty else { return text(of: lines) }
    guard let count = lines.firstIndex(where: { $0.contains("NR_ZSWAP_HOOK_POINTS") }),
      let end = lines[count...].firstIndex(of: "};")
    else { throw .series("no enum of the points in \(header)") }
    let bits = missing.map { "\t (1UL << \(HookSite.constant(of: $0)))" }
    let block =
      ["", "/* Not in this kernel. */", "#define ZSWAP_HOOKS_ABSENT \\"]
      + ["\t(" + bits.joined(separator: " | \\\n").dropFirst(2) + ")"]
    return text(of: lines[...end] + block + lines[(end + 1)...])
  }
}
