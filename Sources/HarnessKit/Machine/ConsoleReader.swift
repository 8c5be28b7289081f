import NIOCore
import Synchronization
import SystemPackage

import struct SystemPackage.FileDescriptor

/// Reads a console to its end, however slow its readers are: the guest writes its
/// console synchronously, and would stand still with a full socket.
final class ConsoleReader: Sendable {
  private struct State {
    var cutter = LineCutter(limit: GuestSession.lineLimit)
    var bytes = 0
  }

  /// Opens at the end of file, after the last line has been handed on.
  let end = Latch()
  private let state = Mutex(State())

  /// Bytes so far.
  var bytes: Int { state.withLock { $0.bytes } }

  /// Takes the descriptor over.
  static func connect(
    _ descriptor: FileDescriptor, bytes: @escaping @Sendable (ArraySlice<UInt8>) -> Void,
    line: @escaping @Sendable (String) -> Void
  ) async throws -> ConsoleReader {
    let reader = ConsoleReader()
    // Its channel holds the handler, and the handler the reader, until the end.
    _ = try await Endpoint.socket(
      descriptor,
      handler: ChunkHandler { chunk in
        guard let chunk else {
          if let rest = reader.state.withLock({ $0.cutter.finish() }) {
            line(String(decoding: rest, as: UTF8.self))
          }
          return reader.end.open()
        }
        let raw = [UInt8](chunk.readableBytesView)[...]
        bytes(raw)
        let lines = reader.state.withLock {
          $0.bytes += raw.count
          return $0.cutter.append(raw)
        }
        for cut in lines { line(String(decoding: cut, as: UTF8.self)) }
      })
    return reader
  }
}

/// Something that happens once and can be waited for.
final class Latch: Sendable {
  private struct State {
    var isOpen = false
    var waiters: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  func open() {
    let waiters = state.withLock { state in
      defer { state.waiters = [] }
      state.isOpen = true
      return state.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  func wait() async {
    await withCheckedContinuation { waiter in
      let isOpen = state.withLock { state in
        if !state.isOpen { state.waiters.append(waiter) }
        return state.isOpen
      }
      if isOpen { waiter.resume() }
    }
  }
}
