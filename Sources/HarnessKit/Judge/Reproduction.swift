import GuestWire

/// How often a finding comes again when its schedule is run on fresh guests.
public struct Reproduction: Hashable, Sendable, Codable {
  /// What was run: the finding's schedule, shortened as far as it still brought it.
  public var schedule: Schedule
  /// That of the trial which the finding is from.
  public var provider: Provider
  /// Of the finding that is looked for.
  public var fingerprint: String
  /// Runs that brought it.
  public var failures: Int
  /// Runs that brought another finding instead.
  public var others: Int
  /// Runs whose window was entered, or that failed; the rest say nothing.
  public var runs: Int
  /// Of each that brought either: from the guest being ready until the trial was over.
  public var seconds: [Double]

  public init(
    schedule: Schedule, provider: Provider, fingerprint: String, failures: Int = 0,
    others: Int = 0, runs: Int = 0, seconds: [Double] = []
  ) {
    self.schedule = schedule
    self.provider = provider
    self.fingerprint = fingerprint
    self.failures = failures
    self.others = others
    self.runs = runs
    self.seconds = seconds
  }

  /// Takes one more run over.
  ///
  /// - Parameter seconds: from the guest being ready until the trial was over.
  public mutating func count(_ trial: TrialJudgement, seconds: Double?) {
    let failing = trial.findings.filter { $0.known == nil }
    let isEntered = trial.verdict == .pass
    guard isEntered || !failing.isEmpty else { return }
    runs += 1
    guard !failing.isEmpty else { return }
    if failing.contains(where: { $0.fingerprint == fingerprint }) {
      failures += 1
    } else {
      others += 1
    }
    if let seconds { self.seconds.append(seconds) }
  }

  /// Of the rate; 95 %.
  public var interval: ClosedRange<Double> { Wilson.interval(failures, of: runs) }

  /// The upper one of the middle two, where there are two.
  public var medianSeconds: Double? {
    seconds.isEmpty ? nil : seconds.sorted()[seconds.count / 2]
  }

  /// `5 of 5 runs (95 % interval 56 to 100 %), median 0.4 s after the guest was ready`
  public var description: String {
    let low = Int((interval.lowerBound * 100).rounded(.down))
    let high = Int((interval.upperBound * 100).rounded(.up))
    let rate = "\(failures) of \(runs) runs (95 % interval \(low) to \(high) %)"
    guard let median = medianSeconds else { return rate }
    return rate + ", median \(TimeText.fixed(median, 1)) s after the guest was ready"
  }
}

/// Wilson's interval of a rate.
public enum Wilson {
  /// Of 95 %. It is honest at 0 of n and n of n, where the usual one is a point.
  public static func interval(_ count: Int, of runs: Int) -> ClosedRange<Double> {
    guard runs > 0 else { return 0...1 }
    let z = 1.959964
    let n = Double(runs)
    let p = Double(count) / n
    let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    let half = z * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot() / (1 + z * z / n)
    return max(0, centre - half)...min(1, centre + half)
  }
}

extension Schedule {
  /// The same with one end of the chain less, or one option, each.
  public func simpler(on lru: ZswapLRU) -> [Schedule] {
    simpler.filter { $0.adapted(to: lru) == $0 }
  }

  /// On any kernel.
  var simpler: [Schedule] {
    let shorter =
      points.count > 2
      ? [Array(points.dropFirst()), points.dropLast()].compactMap {
        try? Schedule(points: $0, setup: setup)
      } : []
    return shorter + plainer
  }

  private var plainer: [Schedule] {
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
    return setups.compactMap { try? Schedule(points: points, setup: $0) }
  }
}
