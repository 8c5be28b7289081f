/// How a cell differs tonight from its own past.
public enum Change: Hashable, Sendable {
  /// A finding that this cell had not had, and had more than once tonight.
  case new(fingerprint: String, seen: Rate)
  /// One that had gone.
  case back(fingerprint: String, seen: Rate)
  /// One of a cell that has no past.
  case first(fingerprint: String, seen: Rate)
  /// Seen once, and not again: no regression, and not forgotten.
  case once(fingerprint: String, seen: Rate)
  /// More trials have it, or fewer, than chance brings.
  case rate(fingerprint: String, past: Rate, now: Rate, chance: Double)
  /// Gone, and chance would hide it so long less often than one time in twenty.
  case fixed(fingerprint: String, chance: Double)
  /// Not seen tonight, which may be chance.
  case missing(fingerprint: String, chance: Double)
  /// No longer entered.
  case windowsLost([CellRun.Window])
  /// Entered again.
  case windowsBack([CellRun.Window])
  /// Medians, in seconds.
  case slower(past: Double, now: Double)
  /// No run gave a verdict, where there had been one, or never was.
  case broken(String)
  /// There is a verdict again.
  case mended

  /// Whether somebody has to look at it in the morning.
  public var isRegression: Bool {
    switch self {
    case .new, .back, .windowsLost, .slower: true
    case .rate(_, let past, let now, _):
      now.count * past.total > past.count * now.total
    case .first, .once, .fixed, .missing, .windowsBack, .broken, .mended: false
    }
  }

  /// Of the finding that it is about; nil where it is about windows, times or the verdict.
  public var fingerprint: String? {
    switch self {
    case .new(let fingerprint, _), .back(let fingerprint, _), .first(let fingerprint, _),
      .once(let fingerprint, _), .rate(let fingerprint, _, _, _), .fixed(let fingerprint, _),
      .missing(let fingerprint, _):
      fingerprint
    case .windowsLost, .windowsBack, .slower, .broken, .mended: nil
    }
  }
}
