/// What a trial came to, as a cell of the race matrix shows it. The worse, the
/// greater: a cell with several trials shows the worst of them.
enum TrialMark: Int, CaseIterable, Comparable {
  case ran
  case returned
  case excluded
  case interleaved
  case notExercised
  case error
  case finding

  init(_ trial: TrialRecord) {
    switch trial.verdict {
    case .fail: self = .finding
    case .error: self = .error
    case .notExercised: self = .notExercised
    case .pass:
      switch trial.outcome {
      case .interleaved: self = .interleaved
      case .excluded(.returned): self = .returned
      case .excluded: self = .excluded
      case .notExercised: self = .notExercised
      case .ran: self = .ran
      }
    }
  }

  static func < (left: TrialMark, right: TrialMark) -> Bool { left.rawValue < right.rawValue }

  /// Something is to be looked at.
  var isTelling: Bool { self >= .notExercised }

  var name: String {
    switch self {
    case .ran: "stress"
    case .returned: "excluded (went another way)"
    case .excluded: "excluded (asleep)"
    case .interleaved: "interleaved"
    case .notExercised: "not exercised"
    case .error: "error"
    case .finding: "finding"
    }
  }

  /// For those who do not see the colour, and for paper.
  var letter: String {
    switch self {
    case .ran: "S"
    case .returned: "W"
    case .excluded: "X"
    case .interleaved: "I"
    case .notExercised: "?"
    case .error: "E"
    case .finding: "F"
    }
  }

  /// Its class in the style sheet.
  var style: String {
    switch self {
    case .returned: "returned"
    case .excluded: "excluded"
    case .notExercised: "unexercised"
    case .ran, .interleaved, .error, .finding: name
    }
  }

  var meaning: String {
    switch self {
    case .ran: "no order was asked for"
    case .returned: "it returned during the hold, by a way that does not lead to the point"
    case .excluded: "it slept, and could not pass before the first was let go"
    case .interleaved: "the awaited point was passed during the hold"
    case .notExercised: "neither was seen"
    case .error: "the harness broke; nothing is said of the kernel"
    case .finding: "a sound kernel does not do this"
    }
  }
}

extension RunRecord.Status {
  var style: String {
    switch self {
    case .pass: "pass"
    case .fail: "finding"
    case .notExercised: "unexercised"
    case .error: "error"
    }
  }
}

extension ClaimCheck.Result {
  var style: String {
    switch self {
    case .held: "pass"
    case .violated: "finding"
    case .notExercised: "unexercised"
    }
  }
}
