import CKmod
import Glibc
import SystemPackage

/// libkmod's library context. Owns the handle; modules made from it keep it
/// alive on their own, so it may go first.
public struct KmodContext: ~Copyable {
  let handle: OpaquePointer

  /// - Parameter modulesDirectory: a `lib/modules/<release>`; the running
  ///   kernel's where nil.
  ///
  /// The host's modprobe.d is not read: what one machine blacklists must not
  /// change what a run does.
  public init(modulesDirectory: String? = nil) throws(KmodError) {
    var noConfiguration: UnsafePointer<CChar>?
    guard let handle = kmod_new(modulesDirectory, &noConfiguration) else {
      throw KmodError(.open, "libkmod", Errno(rawValue: errno))
    }
    // Failures are thrown with their errno; its own lines on stderr would
    // only be a second, vaguer copy.
    kmod_set_log_priority(handle, LOG_CRIT)
    self.handle = handle
  }

  deinit { kmod_unref(handle) }
}
