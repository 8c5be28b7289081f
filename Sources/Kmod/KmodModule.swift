import CKmod
import Glibc
import SystemPackage

/// A kernel module: a file, a name that may be loaded, or both.
public struct KmodModule: ~Copyable {
  private let handle: OpaquePointer
  private let label: String

  /// Where a module stands in the running kernel.
  public enum InitState: Hashable, Sendable {
    /// Part of the image; loaded; still in its init function; on its way out.
    case builtIn, live, coming, going
  }

  /// The module in a `.ko` file, compressed or not.
  public init(path: String, in context: borrowing KmodContext) throws(KmodError) {
    var module: OpaquePointer?
    let result = kmod_module_new_from_path(context.handle, path, &module)
    guard result >= 0, let module else {
      throw KmodError(.open, path, Errno(rawValue: -result))
    }
    handle = module
    label = path.split(separator: "/").last.map(String.init) ?? path
  }

  /// The module of that name, to look at it or remove it.
  public init(name: String, in context: borrowing KmodContext) throws(KmodError) {
    var module: OpaquePointer?
    let result = kmod_module_new_from_name(context.handle, name, &module)
    guard result >= 0, let module else {
      throw KmodError(.open, name, Errno(rawValue: -result))
    }
    handle = module
    label = name
  }

  deinit { kmod_module_unref(handle) }

  /// The name as the kernel knows it, with underscores.
  public var name: String { String(cString: kmod_module_get_name(handle)) }

  /// Loads the module into the running kernel. What it depends on has to be
  /// there already.
  ///
  /// - Parameter options: as on modprobe's command line, `a=1 b=2`.
  public func insert(options: String = "") throws(KmodError) {
    try check(kmod_module_insert_module(handle, 0, options), .insert)
  }

  /// Unloads the module; does not wait for its users to go.
  public func remove() throws(KmodError) {
    try check(
      kmod_module_remove_module(handle, UInt32(KMOD_REMOVE_NOWAIT.rawValue)), .remove)
  }

  /// The `.modinfo` of the file: `vermagic`, `depends`, `name`, … Where a key
  /// repeats (`parm`, `alias`) the first stands.
  public func info() throws(KmodError) -> [String: String] {
    var list: OpaquePointer?
    try check(kmod_module_get_info(handle, &list), .readInfo)
    defer { kmod_module_info_free_list(list) }
    var pairs: [String: String] = [:]
    var entry = list
    while let current = entry {
      if let key = kmod_module_info_get_key(current),
        let value = kmod_module_info_get_value(current)
      {
        let key = String(cString: key)
        if pairs[key] == nil { pairs[key] = String(cString: value) }
      }
      entry = kmod_list_next(list, current)
    }
    return pairs
  }

  /// Nil where the module is not loaded.
  public func initState() throws(KmodError) -> InitState? {
    let result = kmod_module_get_initstate(handle)
    if result == -ENOENT { return nil }
    try check(result, .readState)
    return switch UInt32(result) {
    case KMOD_MODULE_BUILTIN.rawValue: .builtIn
    case KMOD_MODULE_COMING.rawValue: .coming
    case KMOD_MODULE_GOING.rawValue: .going
    default: .live
    }
  }

  /// How many users a loaded module has; nil where it is not loaded.
  public func referenceCount() throws(KmodError) -> Int? {
    let result = kmod_module_get_refcnt(handle)
    if result == -ENOENT { return nil }
    try check(result, .readState)
    return Int(result)
  }

  private func check(_ result: Int32, _ operation: KmodError.Operation) throws(KmodError) {
    guard result < 0 else { return }
    throw KmodError(operation, label, Errno(rawValue: -result))
  }
}
