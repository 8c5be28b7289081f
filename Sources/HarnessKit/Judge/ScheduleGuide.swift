import GuestWire

/// What a schedule is made of, for whoever writes one: docs/schedules.md.
public enum ScheduleGuide {
  /// The whole page, made of the tables by which schedules are read and claims are judged.
  public static var markdown: String {
    var lines = [
      "# Schedules", "",
      "Written by `harness list --page`.", "",
      "`POINT > POINT` holds a task at the first point until another has passed the second. Up to",
      "\(Schedule.pointsLimit) points of up to \(Schedule.actorsLimit) actors make a chain: each "
        + "but the last is held until the next has been passed.",
      "Points of one actor stand in the order in which it passes them. `invalidate`, `load`,",
      "`store` and `fork` are done by the process that owns the pages: one of them at a time.", "",
      "    harness --schedule \"writeback@unlocked > invalidate@freed free=exit\"", "",
      "## Claims", "",
      "The comment in `shrink_memcg_cb()` (f9c0f1c32cb5, 6.9), sentence by sentence. A claim is held",
      "when each of its schedules came out as a sound kernel has it, by every provider that ran; S7",
      "wants the figures at rest of every steered trial as well. `harness list --schedules --reasons`",
      "says how each has to come out, and by which lock, pin or reference.", "",
      "| | the comment says | schedules |", "|---|---|---|",
    ]
    lines += Claim.allCases.map { claim in
      row([
        claim.rawValue, claim.sentence,
        claim.schedules.map { "`\($0)`" }.joined(separator: "<br>"),
      ])
    }
    lines += [
      "", "## Points", "",
      "At a point with “hold” a task can be held, at every one it can be waited for. Where one",
      "cannot hold, a spinlock or an RCU read lock is held, or may be. A mark is of the actor, in user",
      "space, and there on any kernel; which others a kernel has, and by which provider, is what",
      "`harness list --kernel bzImage` says.", "",
      "| point | | where |", "|---|---|---|",
    ]
    lines += HookPoint.catalogue.map { point in
      row([
        "`\(point)`", point.isMark ? "mark, hold" : point.maySleep ? "hold" : "",
        point.whereabouts,
      ])
    }
    lines += [
      "", "## Words", "",
      "Behind the points. Of several values the first is what goes without saying, and is left out.",
      "",
      "| word | |", "|---|---|",
    ]
    for word in TrialSetup.words {
      lines += word.values.map { row(["`\(word.key)=\($0.value)`", $0.meaning]) }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func row(_ cells: [String]) -> String {
    "| " + cells.joined(separator: " | ") + " |"
  }
}
