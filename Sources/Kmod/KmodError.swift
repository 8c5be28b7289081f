public import SystemPackage

/// What libkmod could not do, to which module, and why.
public struct KmodError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was attempted.
  public enum Operation: String, Hashable, Sendable {
    case open
    case insert
    case remove
    case readInfo = "read the information of"
    case readState = "read the state of"
  }

  public let operation: Operation
  /// The module's name or path; for ``Operation/open`` without one, `libkmod`.
  public let module: String
  public let errno: Errno

  public init(_ operation: Operation, _ module: String, _ errno: Errno) {
    self.operation = operation
    self.module = module
    self.errno = errno
  }

  public var description: String {
    var text = "\(operation.rawValue) \(module): \(errno) (\(errno.rawValue))"
    if let hint { text += ": \(hint)" }
    return text
  }

  /// What the number means here, where its common text says nothing.
  private var hint: String? {
    switch (operation, errno) {
    case (.insert, .execFormatError): "built for another kernel, or cut short"
    case (.insert, .noSuchFileOrDirectory):
      "no such file, or it needs a symbol that this kernel does not export"
    case (.insert, .notPermitted): "inserting needs CAP_SYS_MODULE"
    case (.insert, .invalidArgument):
      "a parameter is wrong, or the module's symbol versions are another kernel's"
    case (.remove, .resourceTemporarilyUnavailable), (.remove, .wouldBlock),
      (.remove, .resourceBusy):
      "something still uses it"
    case (.remove, .noSuchFileOrDirectory): "not loaded"
    default: nil
    }
  }
}
