import Foundation
import GuestWire
import NIOCore
import Synchronization
import SystemPackage

import struct SystemPackage.FileDescriptor

/// A booted guest: QEMU, its monitor, its console and the agent's channel, as
/// one stream of events.
///
/// However the session goes, nothing of it stays: QEMU is tethered to this
/// process (see ``TetheredProcess``), ``withGuest(_:_:)`` stops it on every way
/// out, and letting go of the session kills it.
public final class GuestSession: Sendable {
  /// Everything that a boot needs.
  public struct Configuration: Sendable {
    public var commandLine: QEMUCommandLine
    /// Path of qemu-system-x86_64.
    public var qemu: String
    /// Gets the console's bytes as they come, on NIO's thread: for the log. It
    /// must not block for long; the guest would feel it.
    public var consoleLog: (@Sendable (ArraySlice<UInt8>) -> Void)?

    public init(
      commandLine: QEMUCommandLine, qemu: String = "/usr/bin/qemu-system-x86_64",
      consoleLog: (@Sendable (ArraySlice<UInt8>) -> Void)? = nil
    ) {
      self.commandLine = commandLine
      self.qemu = qemu
      self.consoleLog = consoleLog
    }
  }

  /// The longest console line that is handed on in one piece, in bytes.
  public static let lineLimit = 4096

  /// For one reader.
  public let events: SessionEvents
  private let process: TetheredProcess
  private let channel: GuestChannel
  private let monitor: Mutex<QMPClient?>
  private let console: ConsoleReader

  private init(
    events: SessionEvents, process: TetheredProcess, channel: GuestChannel, console: ConsoleReader
  ) {
    self.events = events
    self.process = process
    self.channel = channel
    self.console = console
    monitor = Mutex(nil)
  }

  deinit { process.terminate() }

  /// QEMU's process id.
  public var pid: Int32 { process.pid }

  /// Bytes that the console has written: a guest that floods it shows here.
  public var consoleBytes: Int { console.bytes }

  /// Starts QEMU. Returns as soon as it runs; the agent's `hello` is an event.
  public static func boot(_ configuration: Configuration) async throws -> GuestSession {
    let queue = SessionEventQueue()
    var output = try SocketPair.make()
    var errors = try SocketPair.make()
    var qmp = try SocketPair.make()
    var results = try SocketPair.make()
    let null = try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec)
    defer { try? null.close() }

    let process = try await TetheredProcess.spawn(
      executable: configuration.qemu, arguments: configuration.commandLine.arguments,
      descriptors: [
        0: null, 1: try output.child, 2: try errors.child,
        QEMUCommandLine.Descriptor.qmp: try qmp.child,
        QEMUCommandLine.Descriptor.results: try results.child,
      ])
    // From here on, leaving by an error lets go of `process`, which kills it.
    output.closeTheirs()
    errors.closeTheirs()
    qmp.closeTheirs()
    results.closeTheirs()

    let log = configuration.consoleLog
    let console = try await ConsoleReader.connect(
      output.takeOurs(), bytes: { log?($0) },
      line: { queue.put(.consoleLine($0)) })
    let complaints = try await ConsoleReader.connect(
      errors.takeOurs(), bytes: { _ in }, line: { queue.put(.qemuLine($0)) })
    let channelEnd = Latch()
    let channel = try await GuestChannel.connect(results.takeOurs()) { received in
      switch received {
      case .success(let message): queue.put(.message(message))
      case .failure(let error): queue.put(.channelBroken(error))
      case nil: channelEnd.open()
      }
    }
    let session = GuestSession(
      events: SessionEvents(queue: queue), process: process, channel: channel, console: console)
    let monitorEnd = session.watchMonitor(qmp.takeOurs(), queue)

    // Holds the process, not the session: the session's deinit may kill it.
    Task { [process] in
      let status = await process.exitStatus()
      // QEMU held the other ends, so each of these has its end of file coming.
      await console.end.wait()
      await complaints.end.wait()
      await channelEnd.wait()
      await monitorEnd.value
      queue.put(.exited(status))
      queue.finish()
      channel.close()
    }
    return session
  }

  /// Boots a guest, runs the body, and stops the guest on every way out.
  public static func withGuest<Value: Sendable>(
    _ configuration: Configuration, _ body: (GuestSession) async throws -> Value
  ) async throws -> Value {
    let session = try await boot(configuration)
    return try await withTaskCancellationHandler {
      do {
        let value = try await body(session)
        await session.stop()
        return value
      } catch {
        await session.stop()
        throw error
      }
    } onCancel: {
      session.kill()
    }
  }

  /// Sends the agent a message.
  public func send(_ message: HostMessage) async throws {
    try await channel.send(message)
  }

  /// Ends QEMU: asks it to quit, and kills it after the grace. Returns when it
  /// has ended. Harmless where it already has.
  public func stop(grace: Duration = .seconds(1)) async {
    let killer = Task { [process] in
      // Cancelled when QEMU has ended by itself.
      guard (try? await Task.sleep(for: grace)) != nil else { return }
      process.terminate()
    }
    if let monitor = monitor.withLock({ $0 }) {
      _ = try? await monitor.execute("quit")
    } else {
      process.terminate()
    }
    _ = await process.exitStatus()
    killer.cancel()
  }

  /// Kills QEMU at once.
  public func kill() { process.terminate() }

  /// Connects the monitor beside the boot. Its failure needs no event of its
  /// own: QEMU ends then, or has never started.
  private func watchMonitor(_ socket: FileDescriptor, _ queue: SessionEventQueue) -> Task<
    Void, Never
  > {
    Task { [weak self] in
      guard let client = try? await QMPClient.connect(socket) else { return }
      self?.monitor.withLock { $0 = client }
      for await event in client.events {
        if case .shutdown(let reason) = event { queue.put(.shutdown(reason)) }
      }
      client.close()
    }
  }
}

extension SocketPair {
  /// The child's end, which stays with the pair.
  fileprivate var child: FileDescriptor {
    get throws(EndpointError) {
      guard let theirs else {
        throw EndpointError(operation: "pass a closed descriptor", errno: .badFileDescriptor)
      }
      return theirs
    }
  }
}
