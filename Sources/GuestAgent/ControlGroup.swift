import Glibc
import SystemPackage

/// A memcg of one trial, in the cgroup v2 hierarchy.
struct ControlGroup {
  static let root = "/sys/fs/cgroup"
  /// Trials of one guest number their memcgs: a number fits into a command.
  let number: Int64
  var name: String {
    switch number {
    case Self.bystanders: "bystander"
    case Self.forbidding: "forbidding"
    case Self.forbidden: "forbidding/child"
    case Self.everything: ""
    default: "trial-\(number)"
    }
  }

  /// The number of the one that no trial has.
  static let bystanders: Int64 = -1
  /// Of one that forbids writeback, and of its child.
  static let forbidding: Int64 = -2
  static let forbidden: Int64 = -3
  /// Of the root.
  static let everything: Int64 = -4

  /// Its path as cgroup_get_from_path() takes it.
  var kernelPath: String { "/\(name)" }
  private var directory: String { "\(Self.root)/\(name)" }

  static func numbered(_ number: Int64) -> ControlGroup { ControlGroup(number: number) }

  static func make(_ number: Int64) throws(SystemError) -> ControlGroup {
    try KernelFile.write("+memory", to: "\(root)/cgroup.subtree_control")
    let group = ControlGroup(number: number)
    guard mkdir(group.directory, 0o755) == 0 else { throw .last("create", group.directory) }
    return group
  }

  /// Charges are made where a page is first touched: a task joins before it
  /// fills its pages.
  func add(_ pid: pid_t) throws(SystemError) {
    try KernelFile.write("\(pid)", to: "\(directory)/cgroup.procs")
  }

  /// Takes a task out of whatever memcg it is in.
  static func addToRoot(_ pid: pid_t) throws(SystemError) {
    try KernelFile.write("\(pid)", to: "\(root)/cgroup.procs")
  }

  func set(_ file: String, _ value: String) throws(SystemError) {
    try KernelFile.write(value, to: "\(directory)/\(file)")
  }

  func has(_ file: String) -> Bool { KernelFile.exists("\(directory)/\(file)") }

  /// By which the module names it.
  var inode: UInt64 {
    get throws(SystemError) {
      var status = stat()
      guard stat(directory, &status) == 0 else { throw .last("stat", directory) }
      return UInt64(status.st_ino)
    }
  }

  func value(_ file: String) throws(SystemError) -> Int64 {
    try KernelFile.number("\(directory)/\(file)")
  }

  /// A line of memory.stat.
  func statistic(_ key: String) throws(SystemError) -> Int64 {
    try KernelFile.value(of: key, in: "\(directory)/memory.stat")
  }

  /// Brings the memcg's statistics up to date. Reading one of them does so only
  /// after enough updates (memcg_vmstats_needs_flush()): what is below that waits
  /// for the periodic flush, up to two seconds. Reading cpu.stat flushes all
  /// controllers, always: cgroup_rstat_flush_hold().
  func flushStatistics() throws(SystemError) {
    _ = try KernelFile.read("\(directory)/cpu.stat")
  }

  /// EAGAIN only says that less was reclaimed than was asked for.
  func reclaim(bytes: Int) {
    try? KernelFile.write("\(bytes)", to: "\(directory)/memory.reclaim")
  }

  /// Removes it; busy while its last task is being taken apart.
  func remove() throws(SystemError) {
    var attempts = 0
    while rmdir(directory) != 0 {
      let failure = SystemError.last("remove", directory)
      attempts += 1
      guard failure.errno == .resourceBusy, attempts < 1000 else { throw failure }
      MonotonicClock.sleep(milliseconds: 2)
    }
  }

  static func dyingDescendants() throws(SystemError) -> Int64 {
    try KernelFile.value(of: "nr_dying_descendants", in: "\(root)/cgroup.stat")
  }
}
