import Foundation
import NIOCore
import NIOPosix
import SystemPackage

import struct SystemPackage.FileDescriptor

/// A system call on the way to a running guest failed.
struct EndpointError: Error, CustomStringConvertible {
  let operation: String
  let errno: Errno

  var description: String { "\(operation): \(errno) (\(errno.rawValue))" }
}

/// A connected pair of sockets, one end ours, one for the child. Both close on
/// exec, and with the pair.
struct SocketPair: ~Copyable {
  private(set) var ours: FileDescriptor?
  private(set) var theirs: FileDescriptor?

  private init(ours: Int32, theirs: Int32) {
    self.ours = FileDescriptor(rawValue: ours)
    self.theirs = FileDescriptor(rawValue: theirs)
  }

  deinit {
    try? ours?.close()
    try? theirs?.close()
  }

  static func make() throws(EndpointError) -> SocketPair {
    var ends: [Int32] = [-1, -1]
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
      throw EndpointError(operation: "socketpair", errno: Errno(rawValue: Foundation.errno))
    }
    return SocketPair(ours: ends[0], theirs: ends[1])
  }

  /// Our end, now the caller's to close.
  mutating func takeOurs() -> FileDescriptor {
    guard let end = ours.take() else { preconditionFailure("our end is taken once") }
    return end
  }

  mutating func closeTheirs() {
    try? theirs.take()?.close()
  }
}

/// Our end of a socket, on NIO. What is read goes to a handler at once and
/// without backpressure: a guest must not stand still for a slow reader.
enum Endpoint {
  static let group = MultiThreadedEventLoopGroup.singleton

  /// Takes the descriptor over.
  static func socket(
    _ descriptor: FileDescriptor, handler: some ChannelInboundHandler & Sendable
  ) async throws -> any Channel {
    do {
      return try await ClientBootstrap(group: group)
        .channelInitializer { $0.pipeline.addHandler(handler) }
        .withConnectedSocket(descriptor.rawValue).get()
    } catch {
      try? descriptor.close()
      throw error
    }
  }
}

/// Hands each chunk, and the end, to a function on the event loop.
final class ChunkHandler: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer

  /// Chunks; nil at the end.
  private let receive: @Sendable (ByteBuffer?) -> Void

  init(_ receive: @escaping @Sendable (ByteBuffer?) -> Void) { self.receive = receive }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { receive(unwrapInboundIn(data)) }

  func channelInactive(context: ChannelHandlerContext) { receive(nil) }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // A reset by QEMU's death: the end of the stream, like any other.
    context.close(promise: nil)
  }
}
