import GuestWire

/// Something that a sound kernel does not do.
public struct Finding: Hashable, Sendable, Codable {
  /// What saw it: the kernel itself, the audit of the pages, the figures at rest, the judge.
  public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
    /// The kernel reported itself, on its console or in kmemleak's list.
    case splat
    /// A page came back with an older generation of its own stamp.
    case staleData = "stale-data"
    /// A page came back with the stamp of another of our pages.
    case foreignData = "foreign-data"
    /// A page came back all zero.
    case lostData = "lost-data"
    /// A page came back with anything else.
    case corruptData = "corrupt-data"
    /// A figure at rest is not what it has to be.
    case invariant
    /// An actor did not come back.
    case stall
    /// An actor was killed, and nothing says by what.
    case killed
    /// The kernel's ordering or result is not that of the rule.
    case claim
    /// More reports came than are kept: see ``consoleFlood(omitted:)``.
    case consoleFlood = "console-flood"
  }

  /// Part of the fingerprint where none is given.
  public var kind: Kind
  /// Stable from run to run, as is the fingerprint.
  public var title: String
  /// 16 hex digits by which the same thing is known again: a splat's own, that of who slept where
  /// for an actor that stalled, else of kind and title.
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

  /// - Parameter fingerprint: nil for that of kind and title.
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
