import FoundationEssentials
import GuestWire
import Mustache

/// A run as one page that needs nothing else: verdict, claims, the race matrix,
/// findings, and each trial with its timeline.
public struct HTMLReport {
  public static func text(of record: RunRecord) throws -> String {
    try MustacheTemplate(string: HTMLReportTemplate.text).render(model(record))
  }

  private typealias Model = [String: Any]

  private static func model(_ record: RunRecord) -> Model {
    var header: [Model] = []
    func fact(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { header.append(["name": name, "value": value.oneLine]) }
    }
    fact("kernel", record.kernel?.release)
    fact("image", record.kernel?.path)
    fact(
      "machine",
      record.machine.map {
        "\($0.name), \($0.cpus) CPUs, \($0.memoryMiB) MiB, \($0.accelerator), QEMU \($0.qemuVersion)"
      })
    fact("begun", record.startedAt.formatted(.iso8601))
    fact("took", record.durationSeconds.map { "\(Int($0.rounded())) s" })
    fact("seed", record.seed)
    fact("command", record.commandLine.joined(separator: " "))
    let words = record.trials.compactMap(Mark.init)
    return [
      "title": "\(record.kernel?.release ?? "zswap harness"): \(record.status.rawValue)".oneLine,
      "verdict": record.status.rawValue, "status": Mark(record.status).css,
      "error": (record.error?.message ?? "").oneLine, "hasError": record.error != nil,
      "header": header,
      "claims": record.claims.map(claim),
      "matrices": Matrix.all(of: record.trials).map(\.model),
      "legend": Mark.allCases.filter { words.contains($0) }.map {
        ["css": $0.css, "sign": $0.sign, "name": $0.rawValue] as Model
      },
      "findings": record.findings.map(finding), "hasFindings": !record.findings.isEmpty,
      "reasons": record.reasons.prefix(50).map(\.oneLine), "hasReasons": !record.reasons.isEmpty,
      "trials": record.trials.map(trial),
      "notes": record.notes.map(\.oneLine), "hasNotes": !record.notes.isEmpty,
    ]
  }

  private static func claim(_ claim: ClaimStatus) -> Model {
    [
      "id": claim.claim.rawValue, "sentence": claim.claim.sentence,
      "result": claim.result.rawValue, "css": Mark(claim.result).css,
      "why": (claim.reason ?? claim.violatedBy.joined(separator: "; ")).oneLine,
    ]
  }

  private static func finding(_ finding: Finding) -> Model {
    [
      "title": finding.title.oneLine, "kind": finding.kind.rawValue,
      "known": finding.known != nil,
      "css": finding.known == nil ? Mark.finding.css : Mark.notExercised.css,
      "fingerprint": finding.fingerprint, "schedule": finding.schedule?.description ?? "",
      "hasSchedule": finding.schedule != nil,
      "claims": finding.claims.map(\.rawValue).joined(separator: ", "),
      "hasClaims": !finding.claims.isEmpty && finding.known == nil,
      "details": (finding.known?.explanation ?? finding.details).oneLine,
      "frames": finding.frames.prefix(24).map(\.description.oneLine),
      "hasFrames": !finding.frames.isEmpty,
      "excerpt": (finding.excerpt ?? "").split(separator: "\n", omittingEmptySubsequences: false)
        .map { String($0).oneLine }.joined(separator: "\n"),
      "hasExcerpt": finding.excerpt != nil,
      "trial": finding.trial.map(String.init) ?? "", "hasTrial": finding.trial != nil,
    ]
  }

  private static func trial(_ trial: TrialRecord) -> Model {
    let mark = Mark(trial)
    let isOpen = mark.isBad
    let said =
      trial.failingFindings.map(\.title) + trial.failures.map(\.message) + trial.reasons
      + trial.notes.prefix(8)
    return [
      "index": trial.index, "title": trial.title.oneLine, "css": mark.css, "sign": mark.sign,
      "outcome": trial.outcome.description.oneLine, "open": isOpen,
      "said": said.map(\.oneLine), "hasSaid": !said.isEmpty,
      "timeline": trial.report.map { TimelineSVG.text(of: $0, schedule: trial.schedule) } ?? "",
      "milliseconds": trial.report?.milliseconds ?? 0,
      "rule": trial.schedule.flatMap(ScheduleRule.rule).map {
        "\($0.expectation): \($0.reason)".oneLine
      } ?? "",
    ]
  }
}

/// What a cell of the matrix shows, the worst last.
enum Mark: String, CaseIterable, Comparable {
  case interleaved, excluded
  case ran = "stress"
  case notExercised = "not exercised"
  case error, finding

  static func < (left: Mark, right: Mark) -> Bool { left.rank < right.rank }

  private var rank: Int { Mark.allCases.firstIndex(of: self) ?? 0 }

  init(_ trial: TrialRecord) {
    switch trial.verdict {
    case .fail: self = .finding
    case .error: self = .error
    case .notExercised: self = .notExercised
    case .pass:
      switch trial.outcome {
      case .interleaved: self = .interleaved
      case .excluded: self = .excluded
      case .ran: self = .ran
      case .notExercised: self = .notExercised
      }
    }
  }

  init(_ status: RunRecord.Status) {
    switch status {
    case .pass: self = .interleaved
    case .fail: self = .finding
    case .notExercised: self = .notExercised
    case .error: self = .error
    }
  }

  init(_ result: ClaimCheck.Result) {
    switch result {
    case .held: self = .interleaved
    case .violated: self = .finding
    case .notExercised: self = .notExercised
    }
  }

  var isBad: Bool { self >= .notExercised }
  var css: String { self == .notExercised ? "skip" : self == .ran ? "interleaved" : rawValue }

  /// For those who do not see the colour.
  var sign: String {
    switch self {
    case .interleaved: "I"
    case .excluded: "X"
    case .ran: "S"
    case .notExercised: "?"
    case .error: "E"
    case .finding: "F"
    }
  }
}

/// Holds by awaited points, of one provider.
struct Matrix {
  var provider: Provider
  var holds: [HookPoint]
  var untils: [HookPoint]
  var cells: [[HookPoint: [TrialRecord]]]

  static func all(of trials: [TrialRecord]) -> [Matrix] {
    Provider.allCases.compactMap { provider in
      let steered = trials.filter { $0.provider == provider && $0.schedule != nil }
      guard !steered.isEmpty else { return nil }
      let holds = HookPoint.catalogue.filter { point in
        steered.contains { $0.schedule?.hold == point }
      }
      let untils = HookPoint.catalogue.filter { point in
        steered.contains { $0.schedule?.until == point }
      }
      let cells = holds.map { hold in
        Dictionary(grouping: steered.filter { $0.schedule?.hold == hold }) {
          $0.schedule?.until ?? hold
        }
      }
      return Matrix(provider: provider, holds: holds, untils: untils, cells: cells)
    }
  }

  fileprivate var model: [String: Any] {
    var groups: [[String: Any]] = []
    for point in untils {
      if groups.last?["actor"] as? String == point.actor, let span = groups.last?["span"] as? Int {
        groups[groups.count - 1]["span"] = span + 1
      } else {
        groups.append(["actor": point.actor, "span": 1])
      }
    }
    return [
      "provider": provider.rawValue, "groups": groups, "columns": untils.map(\.place),
      "rows": zip(holds, cells).map { hold, row in
        [
          "hold": hold.rawValue,
          "cells": untils.map { cell(hold, $0, row[$0] ?? []) },
        ] as [String: Any]
      },
    ]
  }

  private func cell(
    _ hold: HookPoint, _ until: HookPoint, _ trials: [TrialRecord]
  ) -> [String: Any] {
    guard var worst = trials.max(by: { Mark($0) < Mark($1) }) else {
      return ["there": false, "css": "none"]
    }
    // Where all is well, the plain set-up speaks for the pair: another may rightly
    // come out another way.
    let plain = trials.first { $0.schedule?.setup == TrialSetup() }
    if !Mark(worst).isBad { worst = plain ?? worst }
    let mark = Mark(worst)
    let count = trials.count > 1 ? "; \(trials.count) trials of this pair" : ""
    return [
      "there": true, "css": mark.css, "sign": mark.sign, "trial": worst.index,
      "tip": "\(hold) > \(until): \(mark.rawValue) (\(worst.outcome))\(count)".oneLine,
    ]
  }
}
