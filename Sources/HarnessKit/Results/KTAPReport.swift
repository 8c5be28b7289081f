/// A run in the kernel's own result format (Documentation/dev-tools/ktap.rst):
/// a test for each scenario, with its trials as subtests, one for the claims,
/// and one for the run, which fails with whatever belongs to no trial.
struct KTAPReport {
  static func text(of record: RunRecord) -> String {
    var groups: [(name: String, cases: [Case])] = []
    for trial in record.trials {
      if groups.last?.name != trial.scenario { groups.append((trial.scenario, [])) }
      groups[groups.count - 1].cases.append(Case(trial, target: record.target))
    }
    groups.append(("claims", record.claims.map(Case.init)))
    var lines = ["KTAP version 1", "1..\(groups.count + 1)"]
    for (number, group) in groups.enumerated() {
      lines += ["  KTAP version 1", "  1..\(group.cases.count)"]
      for (index, entry) in group.cases.enumerated() {
        lines += entry.lines(index + 1).map { "  " + $0 }
      }
      lines += Case.summary(of: group.cases, name: group.name).lines(number + 1)
    }
    lines += Case(run: record).lines(groups.count + 1)
    return lines.joined(separator: "\n") + "\n"
  }

  private struct Case {
    var isOK: Bool
    var name: String
    var directive: String?
    var diagnostics: [String] = []

    init(isOK: Bool, name: String, directive: String? = nil) {
      self.isOK = isOK
      self.name = name
      self.directive = directive
    }

    init(_ trial: TrialRecord, target: String?) {
      name = trial.title
      isOK = trial.verdict == .pass || trial.verdict == .notExercised
      switch trial.verdict {
      case .pass: diagnostics = ["outcome: \(trial.outcome)"]
      case .fail:
        diagnostics = trial.failingFindings.map(Case.line(of:))
        if !trial.findings.contains(where: { $0.isTarget(target) }) { directive = "other" }
      case .notExercised:
        directive = "SKIP not exercised: " + trial.reasons.joined(separator: "; ")
      case .error: directive = "ERROR " + trial.failures.map(\.message).joined(separator: "; ")
      }
      diagnostics += trial.findings.compactMap(\.known).map { "known upstream: \($0.title)" }
    }

    init(_ claim: ClaimStatus) {
      name = "\(claim.claim.rawValue) \(claim.claim.title)"
      isOK = claim.result != .violated
      if claim.result == .notExercised {
        directive = "SKIP not exercised: " + (claim.reason ?? "")
      }
      diagnostics = claim.violatedBy.map { "violated by: \($0)" }
    }

    init(run record: RunRecord) {
      name = "run"
      isOK = record.status == .pass || record.status == .notExercised
      switch record.status {
      case .pass: break
      case .fail:
        diagnostics = record.findings.filter { $0.known == nil && $0.trial == nil }
          .map(Case.line(of:))
      case .notExercised: directive = "SKIP not exercised"
      case .error: directive = "ERROR " + (record.error?.message ?? "unknown")
      }
    }

    /// A group fails with any of its tests, and is skipped with all of them.
    static func summary(of cases: [Case], name: String) -> Case {
      let isSkipped = !cases.isEmpty && cases.allSatisfy { $0.isOK && $0.directive != nil }
      return Case(
        isOK: cases.allSatisfy(\.isOK), name: name, directive: isSkipped ? "SKIP" : nil)
    }

    private static func line(of finding: Finding) -> String {
      "\(finding.kind.rawValue): \(finding.title) (\(finding.fingerprint))"
    }

    func lines(_ number: Int) -> [String] {
      let result = isOK ? "ok" : "not ok"
      let suffix = directive.map { " # " + $0.oneKTAPLine } ?? ""
      return diagnostics.map { "# " + $0.oneKTAPLine }
        + ["\(result) \(number) \(name.oneKTAPLine)\(suffix)"]
    }
  }
}

extension String {
  /// Without newlines, control characters and `#`, which end a description.
  fileprivate var oneKTAPLine: String {
    String(
      String.UnicodeScalarView(
        unicodeScalars.map {
          $0.value < 0x20 || $0.value == 0x7F || $0 == "#" ? Unicode.Scalar(0x20) : $0
        }))
  }
}
