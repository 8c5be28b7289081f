import Foundation
import NIOCore
import Synchronization
import SystemPackage

import struct SystemPackage.FileDescriptor

/// QEMU's monitor: commands and their answers, and events.
final class QMPClient: Sendable {
  /// A command was not carried out.
  enum CommandError: Error, Equatable, CustomStringConvertible {
    case refused(command: String, kind: String, text: String)
    case closed(command: String)

    var description: String {
      switch self {
      case .refused(let command, let kind, let text): "QEMU refuses \(command): \(text) (\(kind))"
      case .closed(let command): "QEMU closed its monitor before it answered \(command)"
      }
    }
  }

  /// Answers are small, but for query-qmp-schema, which nobody asks.
  static let lineLimit = 1 << 20

  private struct State {
    var cutter = LineCutter(limit: QMPClient.lineLimit)
    var nextID = 1
    var waiting: [Int: (String, CheckedContinuation<Result<String?, CommandError>, Never>)] = [:]
    var closed = false
  }

  /// Ends with the connection.
  let events: AsyncStream<QMPEvent>
  private let continuation: AsyncStream<QMPEvent>.Continuation
  private let state = Mutex(State())
  private let channel = Mutex<(any Channel)?>(nil)

  private init() {
    (events, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(256))
  }

  /// Takes over our end of the monitor's socket and enters command mode.
  static func connect(_ socket: FileDescriptor) async throws -> QMPClient {
    let client = QMPClient()
    let channel = try await Endpoint.socket(
      socket, handler: ChunkHandler { [client] in client.receive($0) })
    client.channel.withLock { $0 = channel }
    do {
      _ = try await client.execute("qmp_capabilities")
    } catch {
      client.close()
      throw error
    }
    return client
  }

  /// Sends a command; the answer's `status`, if it has one.
  @discardableResult
  func execute(
    _ command: String, _ arguments: QMPArguments? = nil
  ) async throws(CommandError) -> String? {
    let result = await withCheckedContinuation { waiter in
      let id: Int? = state.withLock { state in
        guard !state.closed else { return nil }
        let id = state.nextID
        state.nextID += 1
        state.waiting[id] = (command, waiter)
        return id
      }
      guard let id, let channel = channel.withLock({ $0 }) else {
        waiter.resume(returning: Result<String?, CommandError>.failure(.closed(command: command)))
        return
      }
      let line = QMPArguments.line(command, id: id, arguments)
      // A failed write is a closed channel, which answers every waiter.
      channel.writeAndFlush(ByteBuffer(bytes: line), promise: nil)
    }
    return try result.get()
  }

  /// Closes the connection; what waits for an answer gets an error.
  func close() {
    channel.withLock { $0 }?.close(promise: nil)
  }

  private func receive(_ chunk: ByteBuffer?) {
    guard let chunk else {
      let waiting = state.withLock { state in
        defer { state.waiting = [:] }
        state.closed = true
        return state.waiting
      }
      continuation.finish()
      for (_, (command, waiter)) in waiting {
        waiter.resume(returning: .failure(.closed(command: command)))
      }
      return
    }
    let lines = state.withLock { $0.cutter.append(chunk.readableBytesView) }
    for line in lines where !line.isEmpty {
      // A line that is no JSON answers nobody; the process's end will.
      guard let message = try? QMPMessage(parsing: line) else { continue }
      switch message {
      case .event(let event): continuation.yield(event)
      case .success(let id, let status): answer(id, .success(status))
      case .failure(let id, let kind, let text):
        answer(id) { .failure(.refused(command: $0, kind: kind, text: text)) }
      case .greeting, .unknown: break
      }
    }
  }

  private func answer(_ id: Int?, _ result: Result<String?, CommandError>) {
    answer(id) { _ in result }
  }

  private func answer(_ id: Int?, _ result: (String) -> Result<String?, CommandError>) {
    guard let id, let (command, waiter) = state.withLock({ $0.waiting.removeValue(forKey: id) })
    else { return }
    waiter.resume(returning: result(command))
  }
}
