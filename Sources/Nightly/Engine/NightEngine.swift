/// A cell that is to have so many finished runs, at the least.
public struct Assignment: Hashable, Sendable, Codable {
  /// As the night's plan has it, whole: Slurm's tasks read it from their file of blocks.
  public var cell: Cell
  /// Those that it has already included.
  public var runs: Int
  /// What they are expected to take.
  public var seconds: Double

  public init(cell: Cell, runs: Int, seconds: Double) {
    self.cell = cell
    self.runs = runs
    self.seconds = seconds
  }
}

/// Where cells are run. It is asked for runs, and for nothing else: what came of them is
/// read from their folders.
public protocol NightEngine: Sendable {
  /// How often it is worth being asked, in seconds.
  var pollSeconds: Double { get }
  /// Sees to it that kernels are there before the first cell begins; may return at once.
  func prepare() async throws
  /// Hands cells over, the slowest first, and returns at once.
  func submit(_ assignments: [Assignment]) async throws
  /// The cells that are not over, those of before a restart included; the word says how
  /// far each is.
  func open() async throws -> [Cell.ID: String]
  /// Tells all that run to save their results and end, and waits until they have.
  func cancel() async
}
