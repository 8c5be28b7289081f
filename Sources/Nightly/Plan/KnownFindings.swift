import Foundation

/// Findings that somebody has looked at: each with a reason, and a day on which it is
/// to be looked at again.
public struct KnownFindings: Hashable, Sendable {
  /// An item of the file; one that has a part of a title may cover several findings.
  public struct Entry: Hashable, Sendable {
    /// A fingerprint, or a part of a title.
    public var finding: String
    /// Of a cell, or a part of its name; nil for any.
    public var cell: String?
    /// For people: the page shows it.
    public var reason: String
    /// The first moment at which it counts no more.
    public var until: Date
    /// The same, as it was written.
    public var untilText: String
  }

  /// In the file's order: of several that fit, the first whose day is not past counts.
  public var entries: [Entry] = []

  public init() {}

  /// Reads a file that is a list of `finding`, `reason`, `until` and perhaps `cell`.
  public init(parsing text: String, file: String) throws(PlanError) {
    for value in try YAMLValue.document(text, file: file).list() {
      let fields = try value.fields(["finding", "cell", "reason", "until"])
      let until = try fields.required("until")
      let day = try until.string()
      guard let last = KnownFindings.day(day) else {
        throw until.error("“\(day)” is no day: write 2027-01-31")
      }
      entries.append(
        Entry(
          finding: try fields.required("finding").string(),
          cell: try fields.optional("cell") { value throws(PlanError) in try value.string() },
          reason: try fields.required("reason").string(),
          until: last.addingTimeInterval(86400), untilText: day))
    }
  }

  /// Reads a file. Nil knows of nothing, and so does a file that is empty or all comments. Throws
  /// where it cannot be read, or has a mistake in it.
  public init(file: String?) throws(PlanError) {
    self.init()
    guard let file else { return }
    guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
      throw PlanError(file: file, line: 0, column: 0, message: "it cannot be read")
    }
    // A file that has become empty knows nothing, and is no mistake.
    if text.split(separator: "\n").allSatisfy({ $0.isEmpty || $0.hasPrefix("#") }) { return }
    self = try KnownFindings(parsing: text, file: file)
  }

  /// The entry for a finding; those whose day is past come after those that count.
  public func entry(
    fingerprint: String, title: String, cell: String, at date: Date
  ) -> (entry: Entry, isExpired: Bool)? {
    let matching = entries.filter { entry in
      (entry.finding == fingerprint || title.contains(entry.finding))
        && (entry.cell.map { cell.contains($0) } ?? true)
    }
    if let valid = matching.first(where: { date < $0.until }) { return (valid, false) }
    return matching.first.map { ($0, true) }
  }

  /// Whether somebody has looked at a finding, and its day is not past.
  ///
  /// - Parameter titles: of findings, by their fingerprints.
  func covers(
    _ fingerprint: String, titles: [String: String], cell: Cell.ID, at date: Date
  ) -> Bool {
    let found = entry(
      fingerprint: fingerprint, title: titles[fingerprint] ?? "", cell: cell, at: date)
    return found.map { !$0.isExpired } ?? false
  }

  private static func day(_ text: String) -> Date? {
    let parts = text.split(separator: "-").map { Int($0) }
    guard parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2],
      (2000...9999).contains(year), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = .gmt
    let components = DateComponents(year: year, month: month, day: day)
    guard let date = calendar.date(from: components),
      calendar.component(.day, from: date) == day
    else { return nil }
    return date
  }
}
