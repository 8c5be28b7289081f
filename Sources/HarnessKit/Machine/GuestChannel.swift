import GuestWire
import NIOCore
import Synchronization
import SystemPackage

import struct SystemPackage.FileDescriptor

/// The agent's messages and our answers, over the virtio-serial port.
final class GuestChannel: Sendable {
  /// The channel is of no more use: what the guest sends is not believed.
  enum ChannelError: Error, CustomStringConvertible {
    case badFrame(Frame.FrameError)
    /// More messages than any run has, and nobody has read them yet.
    case flooded(pending: Int)
    case closed

    var description: String {
      switch self {
      case .badFrame(let error): "the guest's channel: \(error)"
      case .flooded(let pending): "the guest's channel: \(pending) messages nobody asked for"
      case .closed: "the guest's channel is closed: QEMU has ended"
      }
    }
  }

  private struct State {
    var reader = FrameReader()
    var failed = false
  }

  private let state = Mutex(State())
  private let channel = Mutex<(any Channel)?>(nil)
  /// Each message or the first error; then nil, at the end of the connection.
  private let receive: @Sendable (Result<GuestMessage, ChannelError>?) -> Void

  private init(_ receive: @escaping @Sendable (Result<GuestMessage, ChannelError>?) -> Void) {
    self.receive = receive
  }

  /// Takes over our end of the port's socket. What comes is handed on in order.
  static func connect(
    _ socket: FileDescriptor,
    receive: @escaping @Sendable (Result<GuestMessage, ChannelError>?) -> Void
  ) async throws -> GuestChannel {
    let client = GuestChannel(receive)
    let channel = try await Endpoint.socket(
      socket, handler: ChunkHandler { [client] in client.take($0) })
    client.channel.withLock { $0 = channel }
    return client
  }

  /// Sends a message; returns when the socket has taken it.
  func send(_ message: HostMessage) async throws {
    let bytes = try Frame.encode(message)
    guard let channel = channel.withLock({ $0 }) else { throw ChannelError.closed }
    do {
      try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get()
    } catch {
      throw ChannelError.closed
    }
  }

  /// Closes our end.
  func close() {
    channel.withLock { $0 }?.close(promise: nil)
  }

  private func take(_ chunk: ByteBuffer?) {
    guard let chunk else { return receive(nil) }
    // After an error the guest may write on; it must not block, and is not heard.
    if state.withLock({ $0.failed }) { return }
    state.withLock { $0.reader.append(chunk.readableBytesView) }
    do {
      while let payload = try state.withLock({ try $0.reader.next() }) {
        receive(.success(try Frame.decode(GuestMessage.self, from: payload)))
      }
    } catch let error as Frame.FrameError {
      state.withLock { $0.failed = true }
      receive(.failure(.badFrame(error)))
    } catch {
      state.withLock { $0.failed = true }
      receive(.failure(.badFrame(.undecodable(String(describing: error)))))
    }
  }
}
