import CLibMount
import SystemPackage

/// A mount that failed.
public struct MountError: Error, Hashable, CustomStringConvertible {
  /// As in the `Mount`.
  public let source: String
  /// As in the `Mount`.
  public let target: String
  /// mount(2)'s, or libmount's own; EINVAL where there is neither.
  public let errno: Errno

  public var description: String {
    "mount \(source) on \(target): \(errno) (\(errno.rawValue))"
  }
}

/// One mount, done through libmount.
public struct Mount: Hashable, Sendable {
  /// A device; any word where the file system has none.
  public var source: String
  /// A directory that is there.
  public var target: String
  /// As in /proc/filesystems.
  public var type: String
  /// As in the fourth column of /etc/fstab.
  public var options: String

  public init(source: String, target: String, type: String, options: String = "rw") {
    self.source = source
    self.target = target
    self.type = type
    self.options = options
  }

  /// Mounts it. No mount helper and no mtab is used: there are none in the
  /// guest.
  public func mount() throws(MountError) {
    let context = try Context(self)
    try context.mount()
  }
}

/// Owns a libmount context.
private struct Context: ~Copyable {
  private let handle: OpaquePointer
  private let request: Mount

  init(_ request: Mount) throws(MountError) {
    guard let handle = mnt_new_context() else {
      throw MountError(source: request.source, target: request.target, errno: .noMemory)
    }
    self.handle = handle
    self.request = request
    mnt_context_disable_mtab(handle, 1)
    mnt_context_disable_helpers(handle, 1)
  }

  deinit { mnt_free_context(handle) }

  func mount() throws(MountError) {
    try check(mnt_context_set_source(handle, request.source))
    try check(mnt_context_set_target(handle, request.target))
    try check(mnt_context_set_fstype(handle, request.type))
    try check(mnt_context_set_options(handle, request.options))
    try check(mnt_context_mount(handle))
  }

  /// libmount gives 0, or -errno for its own failures, or a positive value when
  /// mount(2) failed, whose errno it keeps.
  private func check(_ status: Int32) throws(MountError) {
    guard status != 0 else { return }
    let code = status < 0 ? -status : mnt_context_get_syscall_errno(handle)
    throw MountError(
      source: request.source, target: request.target,
      errno: code > 0 ? Errno(rawValue: code) : .invalidArgument)
  }
}
