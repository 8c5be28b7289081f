import Foundation

/// Cells that one task of Slurm's runs, one after the other.
///
/// A task costs a third of a second, and a cell of the claims alone takes ten: short cells
/// share one, so that the scheduler has fewer to place.
public enum SlurmBlocks {
  /// What the tasks of one array reserve.
  public struct Shape: Hashable, Sendable, Comparable {
    /// Of all guests that a run has at once: sbatch's `--cpus-per-task`.
    public var cpus: Int
    /// Likewise, with 512 MiB for each QEMU: sbatch's `--mem`.
    public var memoryMiB: Int

    public static func < (a: Shape, b: Shape) -> Bool {
      (a.cpus, a.memoryMiB) < (b.cpus, b.memoryMiB)
    }
  }

  /// The blocks of each shape, the slowest first.
  public static func pack(
    _ assignments: [Assignment], about: TimeSpan
  ) -> [(shape: Shape, blocks: [[Assignment]])] {
    let byShape = Dictionary(grouping: assignments) { assignment in
      let machine = assignment.cell.machine
      return Shape(cpus: machine.reservedCPUs, memoryMiB: machine.reservedMiB)
    }
    return byShape.sorted { $0.key < $1.key }.map { shape, assignments in
      var blocks: [[Assignment]] = []
      var seconds = Double.infinity
      for assignment in assignments.sorted(by: { $0.seconds > $1.seconds }) {
        if seconds + assignment.seconds > about.seconds {
          blocks.append([])
          seconds = 0
        }
        blocks[blocks.count - 1].append(assignment)
        seconds += assignment.seconds
      }
      return (shape, blocks)
    }
  }

  /// The blocks of a file that the engine wrote.
  public static func load(_ file: String, from folder: NightFolder) throws -> [[Assignment]] {
    guard let data = FileManager.default.contents(atPath: folder.file(file)) else {
      throw NightError("read", folder.file(file), "it is not there")
    }
    return try JSONDecoder().decode([[Assignment]].self, from: data)
  }
}
