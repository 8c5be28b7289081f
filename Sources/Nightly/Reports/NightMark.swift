import HarnessKit

/// How a run came out, as the pages mark it.
enum NightMark: String, CaseIterable {
  case pass, fail, notExercised, error, none

  init(_ status: RunRecord.Status?) {
    self =
      switch status {
      case .pass: .pass
      case .fail: .fail
      case .notExercised: .notExercised
      case .error: .error
      case nil: .none
      }
  }

  var style: String {
    switch self {
    case .pass: "pass"
    case .fail: "finding"
    case .notExercised: "unexercised"
    case .error: "error"
    case .none: "none"
    }
  }

  var letter: String {
    switch self {
    case .pass: "P"
    case .fail: "F"
    case .notExercised: "N"
    case .error: "E"
    case .none: "–"
    }
  }

  var name: String {
    switch self {
    case .pass: "pass"
    case .fail: "fail"
    case .notExercised: "not exercised"
    case .error: "error"
    case .none: "did not run"
    }
  }
}
