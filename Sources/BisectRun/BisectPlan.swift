public import Bisect

/// What is bisected, and how.
public struct BisectPlan: Hashable, Sendable, Codable {
  /// The old end, whatever it is: good, or for a fix the one that is bad.
  public var old: String
  /// The new end: bad, or for a fix the one that is good.
  public var new: String
  /// Only commits that touch these.
  public var paths: [String]
  /// Part of a finding's title, or its fingerprint; nil for any.
  public var target: String?
  /// As `--schedule` takes them; none for the default scenarios.
  public var schedules: [String]
  /// Of the kernels' configuration, by name or path, laid over one another in this order.
  public var fragments: [String]
  /// Of these, the confidence and the limits of trials may change when it is gone on with.
  public var options: Bisection.Options

  public init(
    old: String, new: String, paths: [String] = [], target: String? = nil,
    schedules: [String] = [], fragments: [String] = [], options: Bisection.Options
  ) {
    self.old = old
    self.new = new
    self.paths = paths
    self.target = target
    self.schedules = schedules
    self.fragments = fragments
    self.options = options
  }

  /// Whether a record that was begun by this plan can be gone on with by another. How sure the
  /// answer has to be, and what is to be spent on it, may change: a record has nothing but what
  /// was seen.
  func isGoneOnWith(by other: BisectPlan) -> Bool {
    var same = other
    same.options.confidence = options.confidence
    same.options.endTrials = options.endTrials
    same.options.trialLimit = options.trialLimit
    return same == self
  }
}
