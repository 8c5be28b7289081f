import ArgumentParser
import Foundation
import HarnessKit
import SystemPackage

/// `harness coverage`: what runs on a kernel built with gcov have covered.
struct CoverageCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "coverage",
    abstract: "Shows what of mm/zswap.c runs have covered, side by side.",
    discussion: """
      The kernel is one of harness kernel build --with gcov. The first run is the one that \
      the others are compared with; lines that none of them reached are listed, with the \
      reason where qemu/kernel/unreached.txt has one.

      Examples:
        harness --kernel "$(harness kernel build --with gcov)" --out runs/covered
        harness coverage runs/covered
        scripts/coverage.sh > docs/coverage.md
      """)

  @Argument(help: ArgumentHelp("The runs' folders.", valueName: "run"))
  var folders: [String]

  @Option(help: ArgumentHelp("What each is called (default: its folder).", valueName: "name,..."))
  var names: String?

  @Option(help: ArgumentHelp("What stands above the tables.", valueName: "text"))
  var preface = "Written by `harness coverage`."

  func run() async throws {
    try await reportingFailures {
      let checkout = try Checkout.locate()
      let names = self.names?.components(separatedBy: ",") ?? folders
      guard names.count == folders.count else {
        throw ValidationError("--names has \(names.count) names for \(folders.count) runs")
      }
      var columns: [CoverageReport.Column] = []
      var record: RunRecord?
      for (name, folder) in zip(names, folders) {
        record = try RunRecord(json: Self.read("\(folder)/result.json"))
        let files = try JSONDecoder().decode(
          [FileCoverage].self, from: Self.read("\(folder)/coverage.json"))
        guard let coverage = files.first(where: { $0.file == "mm/zswap.c" }) else {
          throw HarnessFailure(.harness, "\(folder)/coverage.json says nothing about mm/zswap.c")
        }
        columns.append(.init(name: name, coverage: coverage))
      }
      // Beside the build that the image is of.
      guard let image = record?.kernel?.path,
        let build = KernelBuildTree.above(image: FilePath(image))
      else { throw HarnessFailure(.harness, "the build of the runs' kernel is not there any more") }
      let source = try Self.read(build.removingLastComponent().appending("mm/zswap.c").string)
      let explanations = try CoverageReport.Explanation.list(
        parsing: String(decoding: Self.read(checkout.unreached.string), as: UTF8.self))
      let report = try CoverageReport(
        columns, source: String(decoding: source, as: UTF8.self).components(separatedBy: "\n"),
        explanations: explanations)
      print(
        report.markdown(title: "Coverage of mm/zswap.c", preface: preface), terminator: "")
    }
  }

  private static func read(_ path: String) throws -> Data {
    guard let data = FileManager.default.contents(atPath: path) else {
      throw HarnessFailure(
        .usage,
        "read \(path): no such file, or not readable\n"
          + "coverage.json is left by runs on a kernel of harness kernel build --with gcov")
    }
    return data
  }
}
