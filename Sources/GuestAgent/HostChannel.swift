import Glibc
import GuestWire
import SystemPackage

/// The virtio-serial port to the host. One writer: the worker.
final class HostChannel {
  /// The port's name on the QEMU command line.
  static let portName = "org.zswap_harness.0"

  private let descriptor: Int32
  private let path: String
  private var reader = FrameReader()

  init() throws(SystemError) {
    let root = "/sys/class/virtio-ports"
    for port in try KernelFile.entries(root) {
      let name = (try? KernelFile.read("\(root)/\(port)/name")) ?? ""
      guard name.trimmed == Self.portName else { continue }
      path = "/dev/\(port)"
      descriptor = open(path, O_RDWR | O_CLOEXEC)
      guard descriptor >= 0 else { throw .last("open", path) }
      return
    }
    throw SystemError(
      operation: "find port \(Self.portName) in", object: root, errno: .noSuchFileOrDirectory)
  }

  deinit { close(descriptor) }

  private var lastProgress = ""
  private var lastSent: UInt64 = 0

  /// Tells the host, and the console, what the agent is about to do.
  func progress(_ text: String) {
    lastProgress = text
    print("guest-agent: \(text)")
    try? send(.progress(text))
  }

  /// Called from every wait: says once a second that the agent is alive.
  func beat() {
    if MonotonicClock.milliseconds - lastSent > 1000 { try? send(.progress(lastProgress)) }
  }

  func send(_ message: GuestMessage) throws {
    lastSent = MonotonicClock.milliseconds
    try send(raw: Frame.encode(message))
  }

  func send(raw bytes: [UInt8]) throws(SystemError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else {
        if errno == EINTR { continue }
        throw .last("write to", path)
      }
      rest = rest.dropFirst(count)
    }
  }

  /// Blocks until the host has said something.
  func receive() throws -> HostMessage {
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      if let payload = try reader.next() {
        return try Frame.decode(HostMessage.self, from: payload)
      }
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0, errno == EINTR { continue }
      // 0: the host's side is not there (yet).
      if count == 0 {
        MonotonicClock.sleep(milliseconds: 20)
        continue
      }
      guard count > 0 else { throw SystemError.last("read from", path) }
      reader.append(chunk[..<count])
    }
  }
}
