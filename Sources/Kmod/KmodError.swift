public import SystemPackage

/// What libkmod could not do, to which module, and why.
public struct KmodError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was attempted.
  public enum Operation: String, Hashable, Sendable {
    /// Making the library's context, or getting at a module by its path or name.
    case open
    /// Loading a module.
    case insert
    /// Unloading a module.
    case remove
    /// Reading the `.modinfo` of a file.
    case readInfo = "read the information of"
    /// Asking for a module's state, or for how many users it has.
    case readState = "read the state of"
  }

  /// Its raw value is what the message begins with.
  public let operation: Operation
  /// The module's name or path; for ``Operation/open`` without one, `libkmod`.
  public let module: String
  /// As libkmod returned it; where it made no context, the errno that it left.
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
