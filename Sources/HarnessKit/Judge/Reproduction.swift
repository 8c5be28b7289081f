import GuestWire

/// How often a finding comes again when its schedule is run on fresh guests.
public struct Reproduction: Hashable, Sendable, Codable {
  public var schedule: Schedule
  public var provider: Provider
  /// Of the finding that is looked for.
  public var fingerprint: String
  /// Runs that brought it.
  public var failures: Int
  /// Runs that brought another finding instead.
  public var others: Int
  /// Runs whose window was entered, or that failed; the rest say nothing.
  public var runs: Int

  public init(
    schedule: Schedule, provider: Provider, fingerprint: String, failures: Int = 0,
    others: Int = 0, runs: Int = 0
  ) {
    self.schedule = schedule
    self.provider = provider
    self.fingerprint = fingerprint
    self.failures = failures
    self.others = others
    self.runs = runs
  }

  /// Takes one more run over.
  public mutating func count(_ trial: TrialJudgement) {
    let failing = trial.findings.filter { $0.known == nil }
    let isEntered = trial.verdict == .pass
    guard isEntered || !failing.isEmpty else { return }
    runs += 1
    if failing.contains(where: { $0.fingerprint == fingerprint }) {
      failures += 1
    } else if !failing.isEmpty {
      others += 1
    }
  }

  /// Wilson's 95 % interval of the rate. It is honest at 0 of n and n of n, where
  /// the usual one is a point.
  public var interval: ClosedRange<Double> {
    guard runs > 0 else { return 0...1 }
    let z = 1.959964
    let n = Double(runs)
    let p = Double(failures) / n
    let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot() / (1 + z * z / n)
    return max(0, centre - half)...min(1, centre + half)
  }

  /// `5 of 5 runs (95 % interval 57 to 100 %)`
  public var description: String {
    let low = Int((interval.lowerBound * 100).rounded(.down))
    let high = Int((interval.upperBound * 100).rounded(.up))
    return "\(failures) of \(runs) runs (95 % interval \(low) to \(high) %)"
  }
}

extension Schedule {
  /// The same with one option less, each.
  public func simpler(on lru: ZswapLRU) -> [Schedule] {
    simpler.filter { $0.adapted(to: lru) == $0 }
  }

  /// On any kernel.
  var simpler: [Schedule] {
    let plain = TrialSetup()
    var setups: [TrialSetup] = []
    func drop<Choice: Equatable>(_ option: WritableKeyPath<TrialSetup, Choice>) {
      guard setup[keyPath: option] != plain[keyPath: option] else { return }
      var fewer = setup
      fewer[keyPath: option] = plain[keyPath: option]
      setups.append(fewer)
    }
    drop(\.via)
    drop(\.free)
    drop(\.fault)
    drop(\.swap)
    drop(\.pages)
    drop(\.failsPin)
    return setups.map { Schedule(hold: hold, until: until, setup: $0) }
  }
}
