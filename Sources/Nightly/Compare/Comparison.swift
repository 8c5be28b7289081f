import HarnessKit

/// A cell's runs of tonight, compared with those of the nights before.
///
/// Nothing is said on the word of a single run: what differs is run again on a fresh
/// guest as long as the plan allows, and both results count.
public struct Comparison: Hashable, Sendable {
  /// The verdict first, then findings by their fingerprints, windows, the time. Those of known
  /// findings are among them. Empty where nothing differs, and where nothing ran tonight.
  public var changes: [Change] = []
  /// Whether one run more would tell something.
  public var wantsAnother = false
  /// Of the runs that gave a verdict, tonight and before, those that failed.
  public var failures: Rate
  /// Tonight's runs do not agree, brought something once, or have what comes and goes.
  public var isFlaky = false
  /// Findings of tonight that come and go: of the runs since they came, those that had them.
  public var intermittent: [String: Rate] = [:]

  /// A finding that is silent so long has gone, if chance would keep it silent less often
  /// than this.
  static let goneBelow = 0.05
  /// A run of a second is soon one of two, on a busy host.
  static let leastSeconds = 10.0

  /// - Parameters:
  ///   - past: of earlier nights, the oldest first.
  ///   - now: tonight's, in their order.
  ///   - isKnown: whether a finding is one that somebody has looked at.
  public init(
    past: [CellRun], now: [CellRun], rule: RegressionRule,
    isKnown: (String) -> Bool = { _ in false }
  ) {
    let told = (past + now).filter(\.saysSomething)
    failures = Rate(told.count { $0.status == .fail }, of: told.count)
    guard !now.isEmpty else { return }
    compareVerdicts(past, now)
    let spoken = (past: past.filter(\.saysSomething), now: now.filter(\.saysSomething))
    guard !spoken.now.isEmpty else {
      wantsAnother = true
      return
    }
    let fingerprints = Set((spoken.past + spoken.now).flatMap(\.sightings.keys)).sorted()
    for fingerprint in fingerprints {
      let wanted = wantsAnother
      compare(fingerprint, spoken.past, spoken.now, rule)
      if isKnown(fingerprint) { wantsAnother = wanted }
    }
    compareWindows(spoken.past, spoken.now, rule)
    compareTimes(spoken.past, spoken.now, rule)

    let failed = spoken.now.filter { $0.status != .pass }
    let isExplained = failed.allSatisfy { run in
      run.status == .fail && run.sightings.keys.allSatisfy(isKnown)
    }
    if !failed.isEmpty, !isExplained, now.count < 2 { wantsAnother = true }
    let statuses = Set(spoken.now.map(\.status))
    let hasOnce = changes.contains { if case .once = $0 { true } else { false } }
    isFlaky = statuses.count > 1 || hasOnce || !intermittent.isEmpty
  }

  private mutating func compareVerdicts(_ past: [CellRun], _ now: [CellRun]) {
    let wasBroken = past.last.map { !$0.saysSomething } ?? false
    if let error = now.last?.error, now.allSatisfy({ !$0.saysSomething }) {
      changes.append(.broken(error.message))
    } else if wasBroken, past.contains(where: \.saysSomething) {
      changes.append(.mended)
    }
  }

  private mutating func compare(
    _ fingerprint: String, _ past: [CellRun], _ now: [CellRun], _ rule: RegressionRule
  ) {
    func has(_ run: CellRun) -> Bool { run.sightings[fingerprint] != nil }
    let seen = Rate(now.count(where: has), of: now.count)
    guard !past.isEmpty else {
      changes.append(.first(fingerprint: fingerprint, seen: seen))
      return
    }
    // A run that was cut short does not show that something is gone.
    let series = Series(past.filter { $0.isWhole || has($0) }.map(has))
    let before = past.count(where: has)
    let isGone = series.silence > 0 && series.chance(ofMore: 0) < Self.goneBelow
    // Once in many runs is not yet a thing that this cell has.
    let isEstablished = before >= 2 || before == past.count
    if before == 0 || isGone || !isEstablished {
      guard seen.count > 0 else { return }
      // Of another night it is another guest.
      let sightings = seen.count + (isGone ? 0 : before)
      if sightings >= 2 {
        changes.append(
          isGone
            ? .back(fingerprint: fingerprint, seen: seen)
            : .new(fingerprint: fingerprint, seen: seen))
      } else {
        changes.append(.once(fingerprint: fingerprint, seen: seen))
        wantsAnother = true
      }
      return
    }
    guard seen.count > 0 else {
      let whole = now.count(where: \.isWhole)
      guard whole > 0 else { return }
      let chance = series.chance(ofMore: whole)
      if chance < Self.goneBelow {
        changes.append(.fixed(fingerprint: fingerprint, chance: chance))
      } else {
        changes.append(.missing(fingerprint: fingerprint, chance: chance))
        wantsAnother = true
      }
      return
    }
    // Since it came it has not been in each.
    let since = past[(past.firstIndex(where: has) ?? 0)...]
    if !since.allSatisfy(has) {
      intermittent[fingerprint] = Rate(
        since.count(where: has) + seen.count, of: since.count + seen.total)
    }
    compareRates(fingerprint, past, now, rule)
  }

  private mutating func compareRates(
    _ fingerprint: String, _ past: [CellRun], _ now: [CellRun], _ rule: RegressionRule
  ) {
    func rate(_ runs: [CellRun]) -> Rate {
      Rate(
        runs.map { $0.sightings[fingerprint] ?? 0 }.reduce(0, +),
        of: runs.map { max($0.trials, $0.sightings[fingerprint] ?? 0) }.reduce(0, +))
    }
    let (before, after) = (rate(past), rate(now))
    let isMore = after.count * before.total > before.count * after.total
    let chance =
      isMore
      ? Chance.atLeast(after.count, of: after.total, after: before)
      : Chance.atMost(after.count, of: after.total, after: before)
    guard chance < rule.alpha else { return }
    guard now.count >= 2 else {
      wantsAnother = true
      return
    }
    changes.append(.rate(fingerprint: fingerprint, past: before, now: after, chance: chance))
  }

  private mutating func compareWindows(
    _ past: [CellRun], _ now: [CellRun], _ rule: RegressionRule
  ) {
    var lost: [CellRun.Window] = []
    var back: [CellRun.Window] = []
    for window in Set(now.flatMap(\.windows.keys)).sorted() {
      let series = Series(past.compactMap { $0.windows[window] })
      let tonight = now.compactMap { $0.windows[window] }
      guard series.rate.count > 0 else { continue }
      let wasLost = series.silence > 0 && series.chance(ofMore: 0) < rule.alpha
      if tonight.contains(true) {
        if wasLost { back.append(window) }
      } else if !wasLost, tonight.count >= 2, series.chance(ofMore: tonight.count) < rule.alpha {
        lost.append(window)
      } else if !wasLost {
        wantsAnother = true
      }
    }
    if !lost.isEmpty { changes.append(.windowsLost(lost)) }
    if !back.isEmpty { changes.append(.windowsBack(back)) }
  }

  /// Twice as long, and longer than ever: the host's load is in it as well.
  private mutating func compareTimes(
    _ past: [CellRun], _ now: [CellRun], _ rule: RegressionRule
  ) {
    let before = past.compactMap(\.seconds).sorted()
    let after = now.compactMap(\.seconds).sorted()
    guard before.count >= 3, let longest = before.last, let shortest = after.first else { return }
    let (old, new) = (before[before.count / 2], after[(after.count - 1) / 2])
    guard new > rule.slower * old, new - old > Self.leastSeconds, shortest > longest else {
      return
    }
    guard after.count >= 2 else {
      wantsAnother = true
      return
    }
    changes.append(.slower(past: old, now: new))
  }
}

/// Whether something was there, run after run.
private struct Series {
  /// Up to and with the last time.
  let rate: Rate
  /// Runs since.
  let silence: Int

  init(_ values: [Bool]) {
    let last = values.lastIndex(of: true).map { $0 + 1 } ?? 0
    rate = Rate(values[..<last].count { $0 }, of: last)
    silence = values.count - last
  }

  /// That it would be silent so long, and for that many runs more.
  func chance(ofMore runs: Int) -> Double {
    Chance.atMost(0, of: silence + runs, after: rate)
  }
}
