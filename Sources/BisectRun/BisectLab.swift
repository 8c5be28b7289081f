/// Where commits become kernels and kernels are tried: the real one builds and boots, that
/// of the tests looks into a table.
public protocol BisectLab: Sendable {
  /// Builds a commit, or finds what was built of it.
  ///
  /// - Parameter known: the kernel that the record says it has.
  func build(_ commit: String, known: BuiltKernel?) async throws -> BuildResult

  /// Tries a kernel so many times, and ends with the first trial that shows the finding.
  /// Each trial is handed on as soon as it is over.
  ///
  /// - Returns: why the kernel cannot be tried; nil if it can.
  func run(
    _ commit: String, _ kernel: BuiltKernel, trials: Int,
    each: @escaping @Sendable (BisectTrial) -> Void
  ) async throws -> String?
}

/// What a commit was built to.
public struct BuiltKernel: Hashable, Sendable, Codable {
  /// Of the image: commits with the same one have the same kernel.
  public var image: String
  /// Whether the hook points were compiled in; else the trials go through ftrace.
  public var isHooked: Bool

  public init(image: String, isHooked: Bool) {
    self.image = image
    self.isHooked = isHooked
  }
}

/// What came of building a commit.
public enum BuildResult: Hashable, Sendable {
  /// There is a kernel, from now or from before.
  case built(BuiltKernel)
  /// It does not build, and why.
  case unusable(String)
}

/// One trial of a commit.
public struct BisectTrial: Hashable, Sendable, Codable {
  /// What a trial says of its commit.
  public enum Outcome: String, Hashable, Sendable, Codable {
    /// The finding that is looked for.
    case finding
    /// No finding, in a window that was entered.
    case pass
    /// Another finding, or a window that was not entered.
    case silent
  }

  /// A silent one counts neither for the commit nor against it.
  public var outcome: Outcome
  /// The finding's title, or why it says nothing.
  public var what: String?
  /// From the end of the trial before it, or from the start of the kernel.
  public var seconds: Double
  /// The run's folder.
  public var folder: String?

  public init(
    _ outcome: Outcome, what: String? = nil, seconds: Double = 0, folder: String? = nil
  ) {
    self.outcome = outcome
    self.what = what
    self.seconds = seconds
    self.folder = folder
  }
}
