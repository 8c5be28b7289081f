import Foundation
import HarnessKit

@testable import Nightly

/// A night that has some of everything.
enum NightPages {
  static let evil =
    "<img src=x onerror=\"throw 1\"><script>throw 2</script> ]]> #\nnot ok 99 x\u{1B}[31m \u{FFFE}"
    + "\"\u{301} onmouseover=\"throw 3\" x=\"\u{301}"

  /// - Parameter hostile: whatever a guest may say is an attack.
  static func report(hostile: Bool = false, pastNights: Int = 40) throws -> NightReport {
    var made: NightReport?
    try withHistory { history, _ in
      made = try report(history, hostile, pastNights)
    }
    guard let made else { throw CancellationError() }
    return made
  }

  private static func report(
    _ history: History, _ hostile: Bool, _ pastNights: Int
  ) throws -> NightReport {
    let words = hostile ? evil : ""
    let plan = try Plan(
      parsing: """
        name: nightly
        kernels:
          - {name: stock-6.1, image: debian:6.1}
          - {name: stock-6.12, image: debian:6.12}
          - {name: mm-unstable, tree: /src/linux, branch: mm-unstable, with: "kasan,lockdep"}
          - {name: does-not-build, tree: /src/linux, branch: broken}
        scenarios: [{name: claims}, {name: sweep}, {name: random}]
        exclude:
          - {kernel: stock-6.1, scenario: random}
          - {kernel: does-not-build, scenario: sweep}
        """, file: "plan.yaml", folder: "/plans")
    let old = ["a1": "BUG: unable to handle page fault in _raw_spin_lock" + words]
    let new = ["b2": "KASAN: slab-use-after-free in shrink_memcg_cb" + words]
    let once = ["c3": "WARNING in zswap_store" + words]
    let known = ["d4": "invariant: stored_pages" + words]

    func night(_ day: Int) throws -> NightID {
      try history.begin(
        key: "night-\(day)", plan: plan.name, folder: "/nights/night-\(day)", engine: "local",
        at: NightRecords.date(day: day), cells: plan.cells.map(\.id))
    }
    func record(
      _ cell: String, _ day: Int, _ number: Int = 1, _ findings: [String: String] = [:],
      missed: Set<Int> = [], seconds: Double = 100, error: HarnessFailure? = nil, in id: NightID
    ) throws {
      var run = NightRecords.run(
        "\(cell)/default",
        folder: "cells/\(cell.replacing("/", with: "~"))~default/run-\(number)", day: day,
        findings: findings, missed: missed, seconds: seconds + Double(day * 7 % 13))
      if let error {
        run.record.status = .error
        run.record.error = error
        run.record.trials = []
      }
      try history.record(run, of: id)
    }
    for day in 0..<pastNights {
      let id = try night(day)
      try record("stock-6.1/claims", day, 1, old, in: id)
      try record("stock-6.1/sweep", day, 1, old, seconds: 40, in: id)
      try record("stock-6.12/claims", day, seconds: 20, in: id)
      try record("stock-6.12/sweep", day, seconds: 25, in: id)
      try record("stock-6.12/random", day, 1, day % 9 == 4 ? once : [:], in: id)
      try record("mm-unstable/claims", day, seconds: 90, in: id)
      try record("mm-unstable/sweep", day, 1, known, seconds: 300, in: id)
      try record("mm-unstable/random", day, seconds: 120, in: id)
      try record("does-not-build/claims", day, seconds: 60, in: id)
      try history.finish(id, verdict: "nothing new", at: NightRecords.date(day: day) + 5000)
    }
    let id = try night(pastNights)
    let day = pastNights
    try record("stock-6.1/claims", day, 1, old, in: id)
    // The old bug is gone.
    for number in 1...3 { try record("stock-6.1/sweep", day, number, seconds: 40, in: id) }
    for number in 1...3 {
      try record("stock-6.12/claims", day, number, missed: [2], seconds: 20, in: id)
    }
    try record("stock-6.12/sweep", day, seconds: 25, in: id)
    try record("stock-6.12/random", day, 1, once, in: id)
    for number in 1...3 { try record("mm-unstable/claims", day, number, new, seconds: 90, in: id) }
    try record("mm-unstable/sweep", day, 1, known, seconds: 300, in: id)
    try history.note(
      gap: "it was not begun before the deadline came", cell: "mm-unstable/random/default",
      of: id)
    try record(
      "does-not-build/claims", day,
      error: HarnessFailure(.kernelUnusable, "build a kernel: make failed" + words), in: id)
    try record(
      "does-not-build/random", day,
      error: HarnessFailure(.harness, "no space left on device" + words), in: id)

    var entries = KnownFindings()
    entries.entries = [
      .init(
        finding: "d4", reason: "being worked on" + words, until: .distantFuture,
        untilText: "2099-01-01"),
      .init(
        finding: "a1", reason: "closed in 6.12" + words, until: .distantPast,
        untilText: "2026-11-01"),
    ]
    var night = Night(
      key: "00000000-0000-0000-0000-000000000000", plan: plan,
      startedAt: NightRecords.date(day: day))
    night.finishedAt = night.startedAt + 5025
    let folder = NightFolder(path: "/nights/night-\(day)")
    let report = try NightReport(
      night: night, id: id, folder: folder, history: history, known: entries)
    return report
  }
}
