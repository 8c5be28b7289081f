/// Numbers of the guest's errno.h that a verdict depends on.
enum GuestErrno: Int32 {
  case notPermitted = 1
  case noEntry = 2
  case interrupted = 4
  case inputOutput = 5
  case noMemory = 12
  case accessDenied = 13
  case badAddress = 14
  case busy = 16
  case exists = 17
  case noDevice = 19
  case invalid = 22
  case noSystemCall = 38

  /// As the kernel returns it.
  var result: Int { -Int(rawValue) }

  var symbol: String {
    switch self {
    case .notPermitted: "EPERM"
    case .noEntry: "ENOENT"
    case .interrupted: "EINTR"
    case .inputOutput: "EIO"
    case .noMemory: "ENOMEM"
    case .accessDenied: "EACCES"
    case .badAddress: "EFAULT"
    case .busy: "EBUSY"
    case .exists: "EEXIST"
    case .noDevice: "ENODEV"
    case .invalid: "EINVAL"
    case .noSystemCall: "ENOSYS"
    }
  }

  /// `ENOMEM`, or the number.
  static func name(of number: Int32) -> String {
    GuestErrno(rawValue: number)?.symbol ?? "errno \(number)"
  }

  /// `-ENOMEM`, `0`, or the number.
  static func name(ofResult result: Int) -> String {
    guard result < 0, result >= -4095 else { return "\(result)" }
    return GuestErrno(rawValue: Int32(-result)).map { "-\($0.symbol)" } ?? "\(result)"
  }
}
