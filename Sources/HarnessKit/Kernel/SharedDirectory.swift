import Foundation
import Glibc
public import SystemPackage

/// Makes directories that other processes may be making at the same moment.
public enum SharedDirectory {
  /// Makes the directory and those above it that are missing.
  ///
  /// FileManager looks first and then makes, and throws where another was faster: two runs
  /// on an empty cache, or two nights on a new history.
  public static func make(_ path: FilePath) throws(Errno) {
    // The folder of a bare name is the current one.
    if path.isEmpty { return }
    switch attempt(path) {
    case .noSuchFileOrDirectory?:
      try make(path.removingLastComponent())
      if let errno = attempt(path) { throw errno }
    case let errno?: throw errno
    case nil: return
    }
  }

  /// Nil where it is a directory now, whoever made it.
  private static func attempt(_ path: FilePath) -> Errno? {
    guard mkdir(path.string, 0o777) != 0 else { return nil }
    let errno = Errno(rawValue: Glibc.errno)
    var isDirectory: ObjCBool = false
    let exists = FileManager.default.fileExists(atPath: path.string, isDirectory: &isDirectory)
    return exists && isDirectory.boolValue ? nil : errno
  }
}
