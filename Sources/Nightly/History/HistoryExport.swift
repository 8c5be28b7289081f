import Foundation
import HarnessKit

/// The history as JSON: nights, runs and findings, as the tables have them.
public struct HistoryExport: Encodable {
  /// Of the JSON, and not of the database's tables.
  public static let currentSchemaVersion = 1

  /// Always the current one: nothing here reads an export.
  public var schemaVersion = HistoryExport.currentSchemaVersion
  /// The newest first.
  public var nights: [NightRow]
  /// Of these nights and no others, night by night, each with its findings.
  public var runs: [RunRow]
  /// Of all nights, also of those that are forgotten; the last seen first.
  public var findings: [FindingRow]

  /// - Parameter nights: so many of the last.
  public init(_ history: History, nights count: Int) throws(HistoryError) {
    nights = try history.nights(limit: count)
    runs = []
    for night in nights { runs += try history.runs(of: night.id) }
    findings = try history.findings(limit: .max)
  }

  /// Keys sorted, times in ISO 8601, a newline at the end.
  public func json() throws -> Data { try JSONText.document(self) }
}
