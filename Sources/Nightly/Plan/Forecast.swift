/// How long a night is expected to take, and in which order its cells are begun.
public struct Forecast: Hashable, Sendable {
  /// A cell, and how long it is expected to take.
  public struct Row: Hashable, Sendable {
    /// One that the plan does not exclude.
    public var cell: Cell
    /// Of all its runs.
    public var seconds: Double
    /// Whether history has it from the same cell, or from one like it.
    public var origin: Origin
  }

  /// What the time is taken from, in the words that `--show` prints.
  public enum Origin: String, Hashable, Sendable {
    case cell = "this cell's last runs"
    case alike = "cells alike"
    case guess = "the plan's estimate"
  }

  /// The slowest first: what is long and late makes a night long.
  public var rows: [Row]
  /// From the first start to the last end.
  public var seconds: Double

  /// - Parameters:
  ///   - known: seconds of a cell's run, by its id.
  ///   - capacity: nil where the cells are somebody else's to place.
  public init(_ plan: Plan, known: [Cell.ID: Double], capacity: Capacity?) {
    let rows = plan.cells.map { (cell: Cell) -> Row in
      let (seconds, origin) = Self.seconds(of: cell, plan, known)
      return Row(cell: cell, seconds: seconds * Double(plan.repeats), origin: origin)
    }
    .sorted { ($1.seconds, $0.cell.id) < ($0.seconds, $1.cell.id) }
    self.rows = rows
    seconds = capacity.map { Self.makespan(rows, $0) } ?? rows.map(\.seconds).max() ?? 0
  }

  /// Seconds of one run of a cell: its own, else the median of the cells that differ by the machine
  /// alone, else the plan's estimate.
  ///
  /// - Parameter known: seconds of a cell's run, by its id.
  public static func seconds(
    of cell: Cell, _ plan: Plan, _ known: [Cell.ID: Double]
  ) -> (seconds: Double, origin: Origin) {
    if let own = known[cell.id] { return (own, .cell) }
    let alike = known.filter { id, _ in
      let parts = id.split(separator: "/")
      return parts.count == 3 && parts[0] == cell.kernel.name && parts[1] == cell.scenario.label
    }.values.sorted()
    if !alike.isEmpty { return (alike[alike.count / 2], .alike) }
    return (plan.estimate.seconds, .guess)
  }

  /// Each cell, in order, begins as soon as there is room for it.
  private static func makespan(_ rows: [Row], _ capacity: Capacity) -> Double {
    var running: [(end: Double, cell: Cell)] = []
    var now = 0.0
    var last = 0.0
    for row in rows {
      while !capacity.hasRoom(for: row.cell.machine, beside: running.map(\.cell.machine)) {
        guard let first = running.indices.min(by: { running[$0].end < running[$1].end }) else {
          break
        }
        now = max(now, running.remove(at: first).end)
      }
      running.append((now + row.seconds, row.cell))
      last = max(last, now + row.seconds)
    }
    return last
  }
}

/// What a host has for guests.
public struct Capacity: Hashable, Sendable {
  /// Those that guests may have together.
  public var cpus: Int
  /// For guests, and for what QEMU takes beside them.
  public var memoryMiB: Int

  public init(cpus: Int, memoryMiB: Int) {
    self.cpus = cpus
    self.memoryMiB = memoryMiB
  }

  /// A machine that fits nowhere gets the host to itself.
  public func hasRoom(for machine: PlanMachine, beside others: [PlanMachine]) -> Bool {
    guard !others.isEmpty else { return true }
    let all = others + [machine]
    return all.map(\.reservedCPUs).reduce(0, +) <= cpus
      && all.map(\.reservedMiB).reduce(0, +) <= memoryMiB
  }
}
