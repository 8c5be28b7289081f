import HarnessKit

/// One run of a cell, as far as it is compared with others.
public struct CellRun: Hashable, Sendable {
  /// A schedule under a provider, by its number in the history.
  public typealias Window = Int64

  /// `error` where it gave no verdict: then it counts in no rate, for no window and for no time.
  public var status: RunRecord.Status
  /// Of an error, and who is at fault.
  public var error: HarnessFailure?
  /// It has a finding, and was ended by something else before all of its trials.
  public var isCutShort: Bool
  /// From the run's start to its end; nil where it did not come to one.
  public var seconds: Double?
  /// All of the run, those that were not begun included.
  public var trials: Int
  /// Trials in which a finding was seen, by its fingerprint; those known upstream are
  /// not among them.
  public var sightings: [String: Int]
  /// Whether each window was entered, of those that were tried.
  public var windows: [Window: Bool]

  public init(
    status: RunRecord.Status, error: HarnessFailure? = nil, isCutShort: Bool = false,
    seconds: Double? = nil, trials: Int = 0, sightings: [String: Int] = [:],
    windows: [Window: Bool] = [:]
  ) {
    self.isCutShort = isCutShort
    self.status = status
    self.error = error
    self.seconds = seconds
    self.trials = trials
    self.sightings = sightings
    self.windows = windows
  }

  /// Whether the absence of a finding says something.
  var isWhole: Bool { (status == .pass || status == .fail) && !isCutShort }
  var saysSomething: Bool { status != .error }
}
