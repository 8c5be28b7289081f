import Foundation
import GuestWire
import SystemPackage

/// gcc's gcov: reads what a kernel counted, by what its build says of the file.
struct Gcov {
  /// Of the kernel that counted: it has the `.gcno` files.
  let buildTree: FilePath

  /// What of gcov's JSON is used.
  struct Report: Decodable {
    struct File: Decodable {
      var file: String
      var lines: [Line]
    }
    struct Line: Decodable {
      var lineNumber: Int
      var functionName: String?
      var count: UInt64
      var branches: [Branch]
    }
    struct Branch: Decodable {
      var count: UInt64
    }
    var files: [File]
  }

  /// - Parameter directory: for files on the way; has to be there.
  func coverage(of data: CoverageData, using directory: FilePath) async throws -> FileCoverage {
    let name = (data.path.split(separator: "/").last.map(String.init) ?? "").replacing(
      ".gcda", with: "")
    guard let notes = notes(of: data.path) else {
      throw KernelError(
        .notFound, "read the coverage of", data.path,
        "\(buildTree) has no \(name).gcno, which its build makes",
        advice: "Give the build tree of this very kernel with --kernel-build.")
    }
    let files = FileManager.default
    let work = directory.appending(".gcov-\(UUID().uuidString)")
    try files.createDirectory(atPath: work.string, withIntermediateDirectories: true)
    defer { try? files.removeItem(atPath: work.string) }
    try files.copyItem(atPath: notes.string, toPath: work.appending("\(name).gcno").string)
    try data.bytes.write(to: URL(fileURLWithPath: work.appending("\(name).gcda").string))
    let result = try await Tool("gcov", in: work).run(
      ["--branch-probabilities", "--json-format", "--stdout", "\(name).gcda"])
    return try Self.coverage(parsing: Data(result.output), source: "\(name).c")
  }

  /// - Parameter source: the file's name; gcov also reports the headers that were
  ///   compiled into it.
  static func coverage(parsing json: Data, source: String) throws -> FileCoverage {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    let report = try decoder.decode(Report.self, from: json)
    guard let file = report.files.first(where: { $0.file.hasSuffix("/\(source)") }) else {
      throw HarnessFailure(.harness, "gcov says nothing about \(source)")
    }
    return FileCoverage(
      file: file.file.split(separator: "/").drop { $0 == ".." }.joined(separator: "/"),
      lines: file.lines.map { line in
        FileCoverage.Line(
          number: line.lineNumber, function: line.functionName ?? "", count: line.count,
          branches: line.branches.map { FileCoverage.Branch(count: $0.count) })
      })
  }

  /// The path as compiled ends like one in the tree: the tree may have been moved.
  private func notes(of path: String) -> FilePath? {
    var rest = path.replacing(".gcda", with: ".gcno").split(separator: "/")[...]
    while !rest.isEmpty {
      let candidate = buildTree.appending(rest.joined(separator: "/"))
      if FileManager.default.fileExists(atPath: candidate.string) { return candidate }
      rest = rest.dropFirst()
    }
    return nil
  }
}
