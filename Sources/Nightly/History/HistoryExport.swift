import Foundation

/// The history as JSON: nights, runs and findings, as the tables have them.
public struct HistoryExport: Encodable {
  public static let currentSchemaVersion = 1

  public var schemaVersion = HistoryExport.currentSchemaVersion
  public var nights: [NightRow]
  public var runs: [RunRow]
  public var findings: [FindingRow]

  /// - Parameter nights: so many of the last.
  public init(_ history: History, nights count: Int) throws(HistoryError) {
    nights = try history.nights(limit: count)
    runs = []
    for night in nights { runs += try history.runs(of: night.id) }
    findings = try history.findings(limit: .max)
  }

  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    return try encoder.encode(self) + Data("\n".utf8)
  }
}
