import Foundation
import HarnessKit

/// A night as KCIDB takes it, schema 5.3: a checkout and a build for each kernel, a test for
/// each run, an issue for each finding, an incident for each time it was seen.
struct KCIDBReport: Encodable {
  var version = Version()
  var checkouts: [Checkout] = []
  var builds: [Build] = []
  var tests: [Test] = []
  var issues: [Issue] = []
  var incidents: [Incident] = []

  struct Version: Encodable {
    var major = 5
    var minor = 3
  }

  struct Checkout: Encodable {
    var id: String
    var origin = KCIDBReport.origin
    var comment: String
    var gitCommitHash: String?
    var gitRepositoryBranch: String?
    var startTime: String
    var valid = true
  }

  struct Build: Encodable {
    var id: String
    var checkoutId: String
    var origin = KCIDBReport.origin
    var architecture = "x86_64"
    var configName: String?
    var comment: String?
    var startTime: String
    var status: String
    var logExcerpt: String?
    var misc: [String: String]
  }

  struct Test: Encodable {
    var id: String
    var buildId: String
    var origin = KCIDBReport.origin
    var path: String
    var comment: String
    var status: String
    var startTime: String
    var duration: Double?
    var environment: Environment
    var misc: [String: String]
  }

  struct Environment: Encodable {
    var comment: String
  }

  struct Issue: Encodable {
    var id: String
    var version = 1
    var origin = KCIDBReport.origin
    var comment: String
    var reportSubject: String
    var culprit = Culprit()
  }

  struct Culprit: Encodable {
    var code = true
    var tool = false
    var harness = false
  }

  struct Incident: Encodable {
    var id: String
    var origin = KCIDBReport.origin
    var issueId: String
    var issueVersion = 1
    var testId: String
    var present = true
    var comment: String?
  }

  static let origin = "zswap_harness"

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
  }

  init(_ report: NightReport) {
    let night = report.night
    func id(_ parts: String...) -> String {
      "\(Self.origin):\(night.key)/\(parts.joined(separator: "/"))"
    }
    let begun = night.startedAt.formatted(.iso8601)
    for kernel in night.plan.kernels {
      let entry = report.kernels?.entry(kernel.name)
      let runs = report.cells.filter { $0.cell.kernel.name == kernel.name }.flatMap(\.runs)
      let build = runs.last { $0.kernel != nil }
      var branch: String?
      if case .tree(_, let followed) = kernel.source { branch = followed }
      let commit = entry?.commit.flatMap { $0.count == 40 ? $0 : nil }
      checkouts.append(
        Checkout(
          id: id("checkout", kernel.name), comment: "\(kernel.name): \(kernel.words)",
          gitCommitHash: commit, gitRepositoryBranch: branch, startTime: begun))
      let unusable = HarnessFailure.Kind.kernelUnusable.rawValue
      let failure =
        entry?.failure.map { ($0.kind.rawValue, $0.message) }
        ?? runs.last { $0.errorKind == unusable }.map { (unusable, $0.error ?? "") }
      let status =
        build != nil && failure?.0 != unusable
        ? "PASS" : failure.map { $0.0 == unusable ? "FAIL" : "MISS" } ?? "MISS"
      builds.append(
        Build(
          id: id("build", kernel.name), checkoutId: id("checkout", kernel.name),
          configName: kernel.fragments.isEmpty ? nil : kernel.fragments.joined(separator: ","),
          comment: build?.release, startTime: begun, status: status,
          logExcerpt: failure.map { String($0.1.withoutNUL.prefix(4000)) },
          misc: build?.kernel.map { ["sha256": $0] } ?? [:]))
    }
    for cell in report.cells {
      let kernel = cell.cell.kernel.name
      let path = "zswap.\(cell.cell.scenario.label.pathWord).\(cell.cell.machine.name.pathWord)"
      if cell.runs.isEmpty {
        tests.append(
          Test(
            id: id("test", cell.cell.id), buildId: id("build", kernel), path: path,
            comment: (cell.gap ?? "did not run").withoutNUL, status: "MISS", startTime: begun,
            environment: Environment(comment: cell.cell.machine.name), misc: [:]))
      }
      for run in cell.runs {
        let test = id("test", run.folder)
        tests.append(
          Test(
            id: test, buildId: id("build", kernel), path: path,
            comment: (run.error ?? run.trials.of("trial")).withoutNUL, status: run.kcidbStatus,
            startTime: run.started.formatted(.iso8601), duration: run.seconds,
            environment: Environment(
              comment: [run.machine, run.accelerator, run.qemu.map { "QEMU \($0)" }]
                .compactMap(\.self).joined(separator: ", ").withoutNUL),
            misc: ["seed": run.seed, "folder": run.folder]))
        for finding in run.findings where !finding.isUpstream {
          incidents.append(
            Incident(
              id: id("incident", run.folder, finding.fingerprint),
              issueId: "\(Self.origin):\(finding.fingerprint)", testId: test,
              comment: finding.schedule))
        }
      }
    }
    let seen = report.cells.flatMap(\.runs).flatMap(\.findings).filter { !$0.isUpstream }
    var told: Set<String> = []
    issues = seen.filter { told.insert($0.fingerprint).inserted }.map { finding in
      Issue(
        id: "\(Self.origin):\(finding.fingerprint)", comment: finding.title.withoutNUL,
        reportSubject: finding.title.withoutNUL)
    }
  }
}

extension RunRow {
  /// As the harness's exit codes have it.
  fileprivate var kcidbStatus: String {
    switch status {
    case .pass: "PASS"
    case .fail: "FAIL"
    case .notExercised: "SKIP"
    case .error: "MISS"
    }
  }
}

extension String {
  fileprivate var withoutNUL: String { replacing("\0", with: "") }

  fileprivate var pathWord: String {
    String(map { $0.isASCII && ($0.isLetter || $0.isNumber || "_-".contains($0)) ? $0 : "_" })
  }
}
