public import Bisect

/// What is bisected, and how: all that has to be the same for a record to be gone on with.
public struct BisectPlan: Hashable, Sendable, Codable {
  /// The old end, whatever it is: good, or for a fix the one that is bad.
  public var old: String
  public var new: String
  /// Only commits that touch these.
  public var paths: [String]
  /// Part of a finding's title, or its fingerprint; nil for any.
  public var target: String?
  /// As `--schedule` takes them; none for the default scenarios.
  public var schedules: [String]
  public var fragments: [String]
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
}
