import GuestWire
import Synchronization

/// What happens to a running guest, in order.
enum SessionEvent: Sendable {
  case message(GuestMessage)
  /// A line of the guest's console, of at most ``GuestSession/lineLimit`` bytes.
  case consoleLine(String)
  /// Console lines that nobody read in time; the log has them.
  case consoleLinesDropped(Int)
  /// A line that QEMU itself wrote on standard error.
  case qemuLine(String)
  /// The virtual machine ends; ``exited(_:)`` follows.
  case shutdown(ShutdownReason)
  /// The host could not read or write the guest's disk; the guest stands still.
  case diskFailed(String)
  /// The guest lied or broke the protocol; no message follows.
  case channelBroken(GuestChannel.ChannelError)
  /// QEMU has ended. The last event: everything that it wrote came before.
  case exited(TetheredProcess.ExitStatus)
}

/// The events of one session, for one reader.
///
/// The guest is not trusted and the reader may be slow, so what waits to be
/// read is bounded by kind: console lines beyond the bound are dropped and
/// counted, and messages beyond theirs break the channel.
struct SessionEvents: AsyncSequence, Sendable {
  typealias Element = SessionEvent

  let queue: SessionEventQueue

  struct AsyncIterator: AsyncIteratorProtocol {
    let queue: SessionEventQueue
    var base: AsyncStream<SessionEvent>.Iterator

    mutating func next() async -> SessionEvent? {
      await next(isolation: nil)
    }

    mutating func next(isolation actor: isolated (any Actor)?) async -> SessionEvent? {
      let event = await base.next(isolation: actor)
      if let event { queue.taken(event) }
      return event
    }
  }

  func makeAsyncIterator() -> AsyncIterator {
    AsyncIterator(queue: queue, base: queue.stream.makeAsyncIterator())
  }
}

/// The writer's side of ``SessionEvents``.
final class SessionEventQueue: Sendable {
  static let lineBound = 16_384
  static let messageBound = 4_096

  private struct State {
    var lines = 0
    var messages = 0
    var dropped = 0
    var flooded = false
  }

  let stream: AsyncStream<SessionEvent>
  private let continuation: AsyncStream<SessionEvent>.Continuation
  private let state = Mutex(State())

  init() {
    (stream, continuation) = AsyncStream.makeStream()
  }

  func put(_ event: SessionEvent) {
    // Yielding under the lock keeps the order of two writers' bookkeeping and
    // events the same; yield itself never calls back.
    state.withLock { state in
      switch event {
      case .consoleLine, .qemuLine:
        guard state.lines < Self.lineBound else {
          state.dropped += 1
          return
        }
        reportDropped(&state)
        state.lines += 1
      case .message:
        guard !state.flooded else { return }
        guard state.messages < Self.messageBound else {
          state.flooded = true
          continuation.yield(.channelBroken(.flooded(pending: state.messages)))
          return
        }
        state.messages += 1
      case .exited:
        reportDropped(&state)
      default: break
      }
      continuation.yield(event)
    }
  }

  func finish() { continuation.finish() }

  func taken(_ event: SessionEvent) {
    state.withLock { state in
      switch event {
      case .consoleLine, .qemuLine: state.lines -= 1
      case .message: state.messages -= 1
      default: break
      }
    }
  }

  private func reportDropped(_ state: inout State) {
    guard state.dropped > 0 else { return }
    continuation.yield(.consoleLinesDropped(state.dropped))
    state.dropped = 0
  }
}
