import SystemPackage

/// Why a kernel, or something made for it, cannot be used: what was being
/// done, to which object, what is wrong, and what to do about it.
public struct KernelError: FaultError, Hashable, Sendable, CustomStringConvertible {
  /// Tells whose fault it is, which decides the exit code.
  public enum Code: Hashable, Sendable {
    /// The file is no kernel image, or half of one.
    case image
    /// An option is missing, contradictory or unreadable.
    case config
    /// A patch or mutant does not fit the source.
    case patch
    /// Source, image, headers or a package that is not to be had.
    case notFound
    /// The kernel's or the module's build failed.
    case build
    /// The module was built for another kernel.
    case moduleMismatch
    /// A file or tool of the host failed; says nothing about the kernel.
    case host
    /// What was asked for is not there to be had of the harness itself.
    case usage
  }

  /// The operation of those that are about the module, and not about the kernel.
  package static let moduleBuild = "build module"

  /// Decides ``fault``.
  public let code: Code
  /// What was being done, as words before the object: "use build tree".
  public let operation: String
  /// What it was done to: a path, a package, an option, a name.
  public let object: String
  /// What is wrong with it, in a few words.
  public let problem: String
  /// What to do about it.
  public let advice: String?
  /// Evidence, such as the last lines of a log.
  public let details: [String]

  public init(
    _ code: Code, _ operation: String, _ object: String, _ problem: String,
    advice: String? = nil, details: [String] = []
  ) {
    self.code = code
    self.operation = operation
    self.object = object
    self.problem = problem
    self.advice = advice
    self.details = details
  }

  /// A system call on a file failed: the host's fault, unless `code` says otherwise.
  init(
    _ operation: String, _ path: FilePath, _ errno: Errno, advice: String? = nil,
    code: Code = .host
  ) {
    self.init(code, operation, path.string, "\(errno) (\(errno.rawValue))", advice: advice)
  }

  /// The first line says what is wrong, the last one what to do.
  public var description: String {
    var lines = ["\(operation) \(object): \(problem)"]
    lines += details.map { "    \($0)" }
    if let advice { lines.append("  \(advice)") }
    return lines.joined(separator: "\n")
  }

  /// Whose fault it is.
  public var fault: HarnessFailure.Kind {
    switch code {
    case .host: .harness
    case .usage: .usage
    case .image, .config, .patch, .notFound, .build, .moduleMismatch: .kernelUnusable
    }
  }
}
