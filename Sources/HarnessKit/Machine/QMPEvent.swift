/// What QEMU reports by itself.
enum QMPEvent: Hashable, Sendable {
  /// The virtual machine ends, for this reason.
  case shutdown(ShutdownReason)
  /// The host could not read or write what a device of the guest is made of: why.
  case blockError(String)
  /// Events that nothing here depends on, by name.
  case other(String)

  init(name: String, reason: String?) {
    self =
      switch name {
      case "SHUTDOWN": .shutdown(ShutdownReason(rawValue: reason ?? ""))
      case "BLOCK_IO_ERROR": .blockError(reason ?? "no reason given")
      default: .other(name)
      }
  }
}

/// Why a virtual machine ended. QEMU exits with 0 for each of these alike.
enum ShutdownReason: Hashable, Sendable, CustomStringConvertible {
  /// The guest powered off.
  case guestShutdown
  /// The guest restarted: what `panic=-1` does as well.
  case guestReset
  /// The guest told of its panic, through pvpanic.
  case guestPanic
  /// QEMU was told to end, by `quit`.
  case hostQuit
  /// QEMU got a signal.
  case hostSignal
  /// A reason of a newer QEMU.
  case other(String)

  init(rawValue: String) {
    self =
      switch rawValue {
      case "guest-shutdown": .guestShutdown
      case "guest-reset": .guestReset
      case "guest-panic": .guestPanic
      case "host-qmp-quit": .hostQuit
      case "host-signal": .hostSignal
      default: .other(rawValue)
      }
  }

  var description: String {
    switch self {
    case .guestShutdown: "guest-shutdown"
    case .guestReset: "guest-reset"
    case .guestPanic: "guest-panic"
    case .hostQuit: "host-qmp-quit"
    case .hostSignal: "host-signal"
    case .other(let reason): reason.isEmpty ? "no reason given" : reason
    }
  }
}
