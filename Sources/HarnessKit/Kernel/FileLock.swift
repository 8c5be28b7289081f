import Glibc
import SystemPackage

/// An exclusive lock on a file: held until it is let go, and no longer than this process lives,
/// however that ends.
package final class FileLock: Sendable {
  private let file: FileDescriptor

  private init(_ file: FileDescriptor) { self.file = file }

  deinit { try? file.close() }

  /// Takes it, if it is there to be had.
  ///
  /// - Returns: nil where another process has it.
  /// - Throws: where the file cannot be opened or locked, which is the host's fault.
  package static func take(
    _ path: FilePath, options: FileDescriptor.OpenOptions = [.create, .closeOnExec]
  ) throws(KernelError) -> FileLock? {
    let file: FileDescriptor
    do {
      // Close-on-exec: a child that outlives us must not keep the lock.
      file = try FileDescriptor.open(
        path, .readWrite, options: options,
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw KernelError("open lock file", path, error as? Errno ?? .ioError)
    }
    guard flock(file.rawValue, LOCK_EX | LOCK_NB) != 0 else { return FileLock(file) }
    let error = Errno(rawValue: errno)
    try? file.close()
    guard error == .wouldBlock else {
      throw KernelError("lock", path, error)
    }
    return nil
  }
}
