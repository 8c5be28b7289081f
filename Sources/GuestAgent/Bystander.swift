import CLinux
import Glibc
import GuestWire
import SystemPackage

/// A process in a memcg of its own, which has nothing to do with any trial.
///
/// A CPU's stock of pages charged ahead keeps its memcg from going, also where it
/// has none left: drain_all_stock() passes over a stock of 0 pages, and the
/// reference that it has is put when another memcg charges on that CPU. On a
/// quiet guest nobody does.
final class Bystander {
  private enum Kind: Int64 {
    case charge = 1
  }

  private let child: ChildProcess

  init() throws(SystemError) {
    child = try ChildProcess("bystander") { station in
      while let command = station.receive() {
        station.reply(Kind(rawValue: command.kind) == .charge ? Self.chargeEverywhere() : EINVAL)
      }
      _exit(0)
    }
    try ControlGroup.make(ControlGroup.bystanders).add(child.pid)
  }

  /// Charges a page to its memcg on every CPU.
  func charge(beat: () -> Void) throws(SystemError) {
    let errno = try child.order(.init(kind: Kind.charge.rawValue), beat: beat)
    guard errno == 0 else {
      throw SystemError(operation: "charge", object: "bystander", errno: .init(rawValue: errno))
    }
  }

  private static func chargeEverywhere() -> Int32 {
    defer { clinux_run_on_any_cpu() }
    for cpu in 0..<Int32(sysconf(Int32(_SC_NPROCESSORS_CONF))) {
      clinux_run_on_cpu(cpu)
      let page = mmap(
        nil, PageStamp.size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
      guard let page, page != MAP_FAILED else { return errno }
      page.storeBytes(of: 1, as: UInt8.self)
      munmap(page, PageStamp.size)
    }
    return 0
  }
}
