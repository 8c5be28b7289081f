import HarnessKit

/// One place of the matrix: a kernel, a scenario, a machine.
public struct Cell: Hashable, Sendable, Codable, Identifiable {
  /// Its image is found by its name in `kernels.json`.
  public var kernel: PlanKernel
  /// With the part that is this cell's, where the plan has it in several.
  public var scenario: PlanScenario
  /// What a run's guests are, and so what an engine reserves for it.
  public var machine: PlanMachine

  /// What history knows it by: `stock-6.1/claims/default`. A kernel keeps its name
  /// while what is built from it changes from night to night.
  public var id: String { "\(kernel.name)/\(scenario.label)/\(machine.name)" }

  /// Its folder in the night's.
  public var folder: String { id.replacing("/", with: "~") }

  /// The arguments of the run.
  ///
  /// - Parameters:
  ///   - image: the kernel, as `--kernel` takes it.
  ///   - budget: seconds, where the plan or the deadline sets them.
  public func arguments(image: String, out: String, budget: Double?) -> [String] {
    var words = ["run", "--kernel", image, "--out", out, "--machine", machine.machine]
    func option(_ name: String, _ value: (some CustomStringConvertible)?) {
      if let value { words += ["--\(name)", "\(value)"] }
    }
    for id in scenario.scenarios { option("scenario", id) }
    for schedule in scenario.schedules { option("schedule", schedule) }
    option("trials", scenario.trials)
    option("part", scenario.part)
    option("provider", scenario.provider)
    option("seed", scenario.seed)
    option("stress-seconds", scenario.stressSeconds)
    option("cpus", machine.cpus)
    option("memory", machine.memoryMiB)
    option("jobs", machine.guests)
    option("swap", machine.swap)
    option("compressor", machine.compressor)
    option("zpool", machine.zpool)
    option("accelerator", machine.accelerator)
    option("budget", budget.map { "\(max(1, Int($0)))s" })
    return words
  }
}

extension Plan {
  /// The matrix, in the plan's order.
  public var cells: [Cell] {
    var cells: [Cell] = []
    for kernel in kernels {
      for scenario in scenarios {
        cells += machines.map { Cell(kernel: kernel, scenario: scenario, machine: $0) }
      }
    }
    return cells.filter { cell in !exclude.contains { $0.covers(cell) } }
  }
}

extension Plan.Exclusion {
  func covers(_ cell: Cell) -> Bool {
    (kernel ?? cell.kernel.name) == cell.kernel.name
      && (scenario ?? cell.scenario.name) == cell.scenario.name
      && (machine ?? cell.machine.name) == cell.machine.name
  }
}
