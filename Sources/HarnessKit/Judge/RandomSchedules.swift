import GuestWire

/// Schedules for what nobody has thought of, after PCT, probabilistic concurrency
/// testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: “A randomized scheduler with
/// probabilistic guarantees of finding bugs”, ASPLOS 2010).
///
/// Each of n actors gets a random priority, and d - 1 random steps of the k that they
/// take together are change points: who comes to one falls to a priority below all
/// others. The highest that can run does. A bug that takes d ordering constraints is
/// then met with a probability of at least 1/(n * k^(d-1)).
///
/// The steps are the points at which an actor may be held, and the run is a chain of
/// holds: who is overtaken sleeps at its next point until the others have come to their
/// ends, or were found to wait. A chain says exactly what two actors do to depth 3, and
/// three to depth 2.
public enum RandomSchedules {
  /// Trials of the scenario for each provider, where `--trials` says nothing.
  public static let defaultTrials = 100

  /// The first of a seed, always the same, however many are asked for.
  ///
  /// - Parameter actors: who takes part; nil for writeback and others, drawn anew for
  ///   each schedule.
  public static func list(seed: UInt64, count: Int, actors: Actors? = nil) -> [Schedule] {
    (0..<count).map { index in
      var random = Generator(state: Scenario.seed(seed, of: index))
      return schedule(&random, actors)
    }
  }

  /// Two or three actors that one guest can have at once.
  public struct Actors: Sendable {
    let names: [String]

    /// - Parameter text: `writeback,invalidate,swapoff`
    public init(parsing text: String) throws(Schedule.ParseError) {
      names = text.split(separator: ",").map(\.trimmed)
      var ends: [HookPoint] = []
      for name in names {
        guard let end = HookPoint(rawValue: "\(name)@end") else {
          throw .unknownPoint("\(name)@end")
        }
        ends.append(end)
      }
      // One after the other is a schedule if any is.
      _ = try Schedule(points: ends)
    }
  }

  /// The depth to which a chain can say what so many actors do.
  public static func depth(actors: Int) -> Int { actors == 2 ? 3 : 2 }

  /// The steps that these actors take, where nothing keeps them from any.
  public static func steps(of actors: [String]) -> Int {
    actors.reduce(0) { $0 + path(of: $1).count }
  }

  /// PCT's: the least probability that a trial meets a bug of that depth.
  public static func bound(actors: Int, steps: Int, depth: Int) -> Double {
    (1..<depth).reduce(1 / Double(actors)) { bound, _ in bound / Double(steps) }
  }

  /// Where an actor can be overtaken.
  static func path(of actor: String) -> [HookPoint] {
    HookPoint.catalogue.filter { $0.actor == actor && $0.maySleep && $0.place != "end" }
  }

  // MARK: - One schedule

  /// splitmix64.
  struct Generator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }

  /// What one process each does: of the page holder's one at the most.
  private static let holders = ["invalidate", "load", "store", "fork"]
  private static let others = ["swapoff", "shrinker", "pool", "memcg", "cpu"]

  private static func schedule(_ random: inout Generator, _ fixed: Actors?) -> Schedule {
    let drawn = fixed?.names ?? actors(Int.random(in: 2...3, using: &random), &random)
    let count = drawn.count
    // By priority, the highest first.
    let actors = drawn.shuffled(using: &random)
    let steps = steps(of: actors)
    let changes = (1..<depth(actors: count)).map { _ in Int.random(in: 1...steps, using: &random) }
    let setup = setup(of: actors, &random)
    do {
      return try Schedule(points: chain(actors: actors, changes: changes), setup: setup)
    } catch {
      preconditionFailure("\(actors) with changes at \(changes): \(error)")
    }
  }

  /// Writeback, and others.
  private static func actors(_ count: Int, _ random: inout Generator) -> [String] {
    var actors = ["writeback"]
    while actors.count < count {
      let mayHold = !actors.contains { holders.contains($0) }
      let left = (others + (mayHold ? holders : [])).filter { !actors.contains($0) }
      actors.append(left[Int.random(in: left.indices, using: &random)])
    }
    return actors
  }

  private static func setup(of actors: [String], _ random: inout Generator) -> TrialSetup {
    var setup = TrialSetup()
    // Drawn in any case, so that the actors do not decide what comes next.
    let munmap = Bool.random(using: &random)
    let write = Bool.random(using: &random)
    let brd = Int.random(in: 0..<4, using: &random) == 0
    let shmem = Int.random(in: 0..<4, using: &random) == 0
    if munmap, actors.contains("invalidate") { setup.free = .munmap }
    if write, actors.contains("load") { setup.fault = .write }
    if brd { setup.swap = .brd }
    if shmem { setup.pages = .shmem }
    return setup
  }

  /// PCT's run of these actors, the highest priority first, as a chain.
  ///
  /// - Parameter changes: the i-th change point's step, from 1 on. Who comes to it gets
  ///   the priority i, below all that have not come to any.
  static func chain(actors: [String], changes: [Int]) -> [HookPoint] {
    chain(segments(actors: actors, changes: changes), actors: actors)
  }

  /// A stretch in which one actor runs: to a point where it is overtaken, or to its end.
  struct Segment: Equatable {
    var actor: String
    var stop: HookPoint
  }

  /// What PCT's scheduler does where nobody has to wait for another.
  static func segments(actors: [String], changes: [Int]) -> [Segment] {
    let paths = actors.map(path)
    var priorities = actors.indices.map { changes.count + actors.count - $0 }
    var positions = actors.map { _ in 0 }
    var pending = Array(changes.enumerated())
    var segments: [Segment] = []
    var step = 1
    while let running = actors.indices.filter({ positions[$0] < paths[$0].count })
      .max(by: { priorities[$0] < priorities[$1] })
    {
      let here = pending.filter { $0.element == step }
      pending.removeAll { $0.element == step }
      if let lowest = here.map({ $0.offset + 1 }).min() {
        priorities[running] = lowest
        let isOvertaken = actors.indices.contains {
          positions[$0] < paths[$0].count && priorities[$0] > lowest
        }
        if isOvertaken {
          segments.append(
            Segment(actor: actors[running], stop: paths[running][positions[running]]))
          continue
        }
      }
      positions[running] += 1
      step += 1
      if positions[running] == paths[running].count {
        segments.append(Segment(actor: actors[running], stop: end(of: actors[running])))
      }
    }
    return segments
  }

  private static func end(of actor: String) -> HookPoint { .known("\(actor)@end") }

  /// The stretches as holds. Each ends where its actor is held, until the one has passed
  /// that comes before its next stretch; an actor that is through is held at its end, so
  /// that the next one's start has something to come after.
  private static func chain(_ segments: [Segment], actors: [String]) -> [HookPoint] {
    let stops = segments.map(\.stop)
    guard actors.count > 2 else {
      // X > Y > X's end, X > Y's end, or one after the other.
      return Array(stops.prefix(stops.count == 2 ? 2 : stops[1].place == "end" ? 2 : 3))
    }
    // Nobody is overtaken: one after the other.
    if stops.count == 3 { return stops }
    if stops[0].place == "end" { return Array(stops.prefix(3)) }
    // The first is overtaken by both of the others, which come in their order.
    return [.known("\(segments[1].actor)@begin"), stops[0], stops[2]]
  }
}
