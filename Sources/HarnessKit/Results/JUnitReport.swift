import GuestWire

/// A run as JUnit XML, as CI systems read it: a suite for each scenario with a
/// case for each trial, one for the claims, and one with the run itself.
struct JUnitReport {
  static func text(of record: RunRecord) -> String {
    var suites: [(name: String, cases: [Case])] = []
    for trial in record.trials {
      if suites.last?.name != trial.scenario { suites.append((trial.scenario, [])) }
      suites[suites.count - 1].cases.append(Case(trial))
    }
    suites.append(("claims", record.claims.map(Case.init)))
    suites.append(("run", [Case(run: record)]))
    let all = suites.flatMap(\.cases)
    var lines = [#"<?xml version="1.0" encoding="UTF-8"?>"#]
    let time = seconds(record.durationSeconds ?? 0)
    lines.append(#"<testsuites name="zswap-harness" \#(counts(of: all)) time="\#(time)">"#)
    for suite in suites {
      lines.append(#"  <testsuite name="\#(suite.name.xml)" \#(counts(of: suite.cases))>"#)
      lines += suite.cases.flatMap { $0.lines(suite: suite.name) }
      lines.append("  </testsuite>")
    }
    lines.append("</testsuites>")
    return lines.joined(separator: "\n") + "\n"
  }

  private static func counts(of cases: [Case]) -> String {
    func count(_ element: String) -> Int { cases.count { $0.element == element } }
    return #"tests="\#(cases.count)" failures="\#(count("failure"))" "#
      + #"errors="\#(count("error"))" skipped="\#(count("skipped"))""#
  }

  private static func seconds(_ value: Double) -> String {
    let milliseconds = Int((max(0, min(value, 1e12)) * 1000).rounded())
    let fraction = String(milliseconds % 1000)
    return "\(milliseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }

  private struct Case {
    var name: String
    var time: Double = 0
    /// Nil for a pass.
    var element: String?
    var message = ""
    var text = ""

    init(_ trial: TrialRecord) {
      name = "\(trial.index) \(trial.title)"
      time = Double(trial.report?.milliseconds ?? 0) / 1000
      switch trial.verdict {
      case .pass: break
      case .fail: fail(trial.failingFindings)
      case .notExercised:
        element = "skipped"
        message = "not exercised: " + trial.reasons.joined(separator: "; ")
      case .error:
        element = "error"
        message = trial.failures.map(\.message).joined(separator: "; ")
      }
    }

    init(_ claim: ClaimStatus) {
      name = "\(claim.claim.rawValue) \(claim.claim.title)"
      switch claim.result {
      case .held: break
      case .violated:
        element = "failure"
        message = claim.line
        text = claim.claim.sentence
      case .notExercised:
        element = "skipped"
        message = "not exercised: " + (claim.reason ?? "")
      }
    }

    init(run record: RunRecord) {
      name = "run"
      time = record.durationSeconds ?? 0
      switch record.status {
      case .pass: break
      case .fail: fail(record.findings.filter { $0.known == nil })
      case .notExercised:
        element = "skipped"
        message = "not exercised: " + record.reasons.joined(separator: "; ")
      case .error:
        element = "error"
        message = record.error?.message ?? "unknown"
      }
    }

    private mutating func fail(_ findings: [Finding]) {
      element = "failure"
      message = findings.map(\.title).joined(separator: "; ")
      text = findings.map { finding in
        ["\(finding.title) (\(finding.fingerprint))", finding.details, finding.excerpt ?? ""]
          .filter { !$0.isEmpty }.joined(separator: "\n")
      }.joined(separator: "\n\n")
    }

    func lines(suite: String) -> [String] {
      let start =
        #"    <testcase classname="zswap-harness.\#(suite.xml)" name="\#(name.xml)" "#
        + #"time="\#(JUnitReport.seconds(time))""#
      guard let element else { return [start + "/>"] }
      let inner = #"      <\#(element) message="\#(message.xml)""#
      let body = text.isEmpty ? "\(inner)/>" : "\(inner)>\(text.xmlText)</\(element)>"
      return [start + ">", body, "    </testcase>"]
    }
  }
}

extension String {
  /// As text of an element, where line ends stay.
  fileprivate var xmlText: String {
    split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }.map { String($0).xml }
      .joined(separator: "\n")
  }

  /// As text of an attribute: escaped, and without the characters that XML 1.0
  /// does not allow at all.
  fileprivate var xml: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\n": result += "&#10;"
      case "\t": result += "&#9;"
      default:
        if scalar.value >= 0x20, !(0x7F...0x9F).contains(scalar.value),
          scalar.value != 0xFFFE, scalar.value != 0xFFFF
        {
          result.unicodeScalars.append(scalar)
        }
      }
    }
    return result
  }
}
