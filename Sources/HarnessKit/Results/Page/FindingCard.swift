import GuestWire

/// A finding, as the template takes it.
struct FindingCard {
  /// Of its section.
  let id: String
  let fingerprint: String
  let title: String
  let kind: String
  let isKnown: Bool
  let schedule: String?
  let claims: String?
  let details: String
  let explanation: String?
  let frames: [String]
  let excerpt: String?
  let trials: [Int]
  let moreTrials: Int?
  /// How often it came again on fresh guests, and by which schedule.
  let again: String?
  let shortest: String?

  /// Links that one finding has.
  private static let links = 40

  static func all(of record: RunRecord) -> [FindingCard] {
    var seenIn: [String: [Int]] = [:]
    for trial in record.trials {
      for finding in trial.findings { seenIn[finding.fingerprint, default: []].append(trial.index) }
    }
    return record.findings.enumerated().map { number, finding in
      FindingCard(
        finding, number: number, in: seenIn[finding.fingerprint] ?? [],
        record.reproductions?.first { $0.fingerprint == finding.fingerprint })
    }
  }

  private init(
    _ finding: Finding, number: Int, in seenIn: [Int], _ reproduction: Reproduction?
  ) {
    id = "f\(number)"
    fingerprint = finding.fingerprint
    title = finding.title
    kind = finding.kind.rawValue
    isKnown = finding.known != nil
    schedule = finding.schedule?.description
    claims =
      finding.claims.isEmpty || isKnown
      ? nil : finding.claims.map(\.rawValue).joined(separator: ", ")
    details = finding.details
    explanation = finding.known.map { "\($0.title): \($0.explanation)" }
    frames = finding.frames.prefix(32).flatMap(\.lines)
    excerpt = finding.excerpt?.replacing("\r\n", with: "\n")
    let all = seenIn.isEmpty ? finding.trial.map { [$0] } ?? [] : seenIn
    trials = Array(all.prefix(Self.links))
    again = reproduction?.description
    shortest = reproduction.flatMap { $0.schedule == finding.schedule ? nil : "\($0.schedule)" }
    moreTrials = all.count > Self.links ? all.count - Self.links : nil
  }
}
