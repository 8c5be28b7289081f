import GuestWire

/// Something that a sound kernel does not do.
public struct Finding: Hashable, Sendable, Codable {
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    case splat
    case staleData = "stale-data"
    case foreignData = "foreign-data"
    case lostData = "lost-data"
    case corruptData = "corrupt-data"
    /// A figure at rest is not what it has to be.
    case invariant
    /// An actor did not come back.
    case stall
    /// An actor was killed, and nothing says by what.
    case killed
    /// The kernel's ordering or result is not that of the rule.
    case claim
    case consoleFlood = "console-flood"
  }

  public var kind: Kind
  /// Stable from run to run, as is the fingerprint.
  public var title: String
  public var fingerprint: String
  /// What was seen, in words, with this run's numbers.
  public var details: String
  /// Of the console, for a splat.
  public var excerpt: String?
  /// Innermost first.
  public var frames: [StackFrame]
  /// Claims that it speaks against.
  public var claims: [Claim]
  /// The trial's schedule; nil for a stress, and outside of trials.
  public var schedule: Schedule?
  /// The trial's index; nil outside of trials.
  public var trial: Int?
  /// Upstream is known to do this: a note, and no failure.
  public var known: KnownNote?

  public init(
    kind: Kind, title: String, fingerprint: String? = nil, details: String,
    excerpt: String? = nil, frames: [StackFrame] = [], claims: [Claim] = [],
    schedule: Schedule? = nil, trial: Int? = nil, known: KnownNote? = nil
  ) {
    self.kind = kind
    self.title = title
    self.fingerprint = fingerprint ?? Fingerprint.of([kind.rawValue, title])
    self.details = details
    self.excerpt = excerpt
    self.frames = frames
    self.claims = claims
    self.schedule = schedule
    self.trial = trial
    self.known = known
  }

  /// The console brought more reports than were looked at.
  public static func consoleFlood(omitted: Int) -> Finding {
    Finding(
      kind: .consoleFlood, title: "console flooded with reports",
      details: "\(omitted) more reports than the \(SplatClassifier.splatLimit) that were kept")
  }
}
