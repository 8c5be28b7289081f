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
      let folder = RunFolder(existing: folder)
      let file = folder.file("result.json")
      guard let data = FileManager.default.contents(atPath: file) else {
        throw ValidationError("there is no \(file): name a run's folder, runs/<time>-<kernel>")
      }
      guard let record = try? RunRecord(json: data) else {
        throw ValidationError("\(file) is no run's record, or that of another version")
      }
      try folder.writeReports(of: record)
      print(folder.file("report.html"))
    }
  }
}
