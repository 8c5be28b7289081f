import ArgumentParser
import Foundation
import HarnessKit

/// `harness report`: a run's reports, made anew from its record.
struct ReportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Writes the reports of a run anew, from its result.json.",
    discussion: """
      Examples:
        harness report runs/20261124T231500Z-bzImage
      """)

  @Argument(help: "The run's folder.")
  var folder: String

  func run() async throws {
    try await reportingFailures {
      let data = try Data(contentsOf: URL(filePath: folder).appending(path: "result.json"))
      let folder = RunFolder(existing: folder)
      try folder.writeReports(of: try RunRecord(json: data))
      print(folder.file("report.html"))
    }
  }
}
