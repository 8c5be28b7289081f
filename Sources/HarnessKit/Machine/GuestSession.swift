import CLinux
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
final class GuestSession: Sendable {
  /// Everything that a boot needs.
  struct Configuration: Sendable {
    var commandLine: QEMUCommandLine
    /// Path of qemu-system-x86_64.
    var qemu: String
    /// Gets the console's bytes as they come, on NIO's thread: for the log. It
    /// must not block for long; the guest would feel it.
    var consoleLog: (@Sendable (ArraySlice<UInt8>) -> Void)?
    /// The guest to start from; its memory is in the command line.
    var devices: String?

    init(
      commandLine: QEMUCommandLine, qemu: String = "/usr/bin/qemu-system-x86_64",
      consoleLog: (@Sendable (ArraySlice<UInt8>) -> Void)? = nil
    ) {
      self.commandLine = commandLine
      self.qemu = qemu
      self.consoleLog = consoleLog
    }
  }

  /// The longest console line that is handed on in one piece, in bytes.
  static let lineLimit = 4096

  /// For one reader.
  let events: SessionEvents
  private let process: TetheredProcess
  private let channel: GuestChannel
  private let monitor: Mutex<QMPClient?>
  private let console: ConsoleReader
  /// The guest's memory, where it can be saved.
  private let memory: FileDescriptor?

  private init(
    events: SessionEvents, process: TetheredProcess, channel: GuestChannel, console: ConsoleReader,
    memory: FileDescriptor?
  ) {
    self.events = events
    self.process = process
    self.channel = channel
    self.console = console
    self.memory = memory
    monitor = Mutex(nil)
  }

  deinit {
    process.terminate()
    try? memory?.close()
  }

  /// QEMU's process id.
  var pid: Int32 { process.pid }

  /// Bytes that the console has written: a guest that floods it shows here.
  var consoleBytes: Int { console.bytes }

  /// Starts QEMU. Returns as soon as it runs; the agent's `hello` is an event.
  static func boot(_ configuration: Configuration) async throws -> GuestSession {
    let queue = SessionEventQueue()
    var output = try SocketPair.make()
    var errors = try SocketPair.make()
    var qmp = try SocketPair.make()
    var results = try SocketPair.make()
    let null = try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec)
    defer { try? null.close() }
    var descriptors: [Int32: FileDescriptor] = [
      0: null, 1: try output.child, 2: try errors.child,
      QEMUCommandLine.Descriptor.qmp: try qmp.child,
      QEMUCommandLine.Descriptor.results: try results.child,
    ]
    var memory: FileDescriptor?
    if configuration.commandLine.start == .savableBoot {
      memory = try memoryFile(mebibytes: configuration.commandLine.memoryMiB)
    }
    // The session's to close, once there is one.
    defer { try? memory?.close() }
    descriptors[QEMUCommandLine.Descriptor.memory] = memory

    let process = try await TetheredProcess.spawn(
      executable: configuration.qemu, arguments: configuration.commandLine.arguments,
      descriptors: descriptors)
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
      events: SessionEvents(queue: queue), process: process, channel: channel, console: console,
      memory: memory.take())
    let monitorEnd = session.watchMonitor(
      qmp.takeOurs(), queue, restoring: configuration.devices)

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
  static func withGuest<Value: Sendable>(
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
  func send(_ message: HostMessage) async throws {
    try await channel.send(message)
  }

  /// Where this process finds the guest's memory.
  var memoryPath: String {
    get throws(EndpointError) {
      guard let memory else {
        throw EndpointError(operation: "read memory that is QEMU's own", errno: .badFileDescriptor)
      }
      return "/proc/\(getpid())/fd/\(memory.rawValue)"
    }
  }

  /// Writes everything but memory and disk to a file. The guest then stands
  /// still, in a state from which ``resume()`` lets it go on.
  func saveDevices(to file: String) async throws {
    guard let monitor = monitor.withLock({ $0 }) else {
      throw QMPClient.CommandError.closed(command: "migrate")
    }
    try await monitor.execute("migrate-set-capabilities", .ignoreSharedMemory)
    // QEMU is done before its shell is, and does not ask how that ended: when the
    // shell is done, either the file is there or its beginnings are not.
    let target = file.quotedForShell
    let beginnings = "\(file).partial"
    let partial = beginnings.quotedForShell
    try await monitor.execute(
      "migrate", .shell("cat > \(partial) && mv \(partial) \(target) || rm -f \(partial)"))
    let failure = Snapshot.Failure(
      operation: "save", object: file, reason: "QEMU's migration to it failed")
    var status = try await monitor.execute("query-migrate")
    for _ in 0..<Self.migrationPolls where status != "completed" {
      guard status != "failed", status != "cancelled" else { throw failure }
      try await Task.sleep(for: .milliseconds(5))
      status = try await monitor.execute("query-migrate")
    }
    guard status == "completed" else { throw failure }
    let files = FileManager.default
    for _ in 0..<Self.shellPolls where !files.fileExists(atPath: file) {
      if !files.fileExists(atPath: beginnings), !files.fileExists(atPath: file) { throw failure }
      try await Task.sleep(for: .milliseconds(5))
    }
    guard files.fileExists(atPath: file) else { throw failure }
  }

  /// Two minutes or more, for some megabytes: a disk that is asleep, and nothing else.
  private static let migrationPolls = 24_000
  /// Ten seconds, for a shell that has nothing left to do but to end.
  private static let shellPolls = 2000

  /// Lets a guest that was saved go on.
  func resume() async throws {
    guard let monitor = monitor.withLock({ $0 }) else {
      throw QMPClient.CommandError.closed(command: "cont")
    }
    try await monitor.execute("cont")
  }

  private static func memoryFile(mebibytes: Int) throws(EndpointError) -> FileDescriptor {
    let descriptor = clinux_memory_file("guest memory")
    guard descriptor >= 0 else {
      throw EndpointError(operation: "memfd_create", errno: Errno(rawValue: -descriptor))
    }
    let file = FileDescriptor(rawValue: descriptor)
    do {
      try file.resize(to: Int64(mebibytes) << 20)
    } catch {
      try? file.close()
      throw EndpointError(
        operation: "size a file of the guest's memory", errno: error as? Errno ?? .ioError)
    }
    return file
  }

  /// Ends QEMU: asks it to quit, and kills it after the grace. Returns when it
  /// has ended. Harmless where it already has.
  func stop(grace: Duration = .seconds(1)) async {
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
  func kill() { process.terminate() }

  /// Connects the monitor beside the boot. Its failure needs no event of its
  /// own: QEMU ends then, or has never started.
  private func watchMonitor(
    _ socket: FileDescriptor, _ queue: SessionEventQueue, restoring devices: String?
  ) -> Task<Void, Never> {
    Task { [weak self, process] in
      guard let client = try? await QMPClient.connect(socket) else { return }
      self?.monitor.withLock { $0 = client }
      if let devices {
        do {
          try await client.execute("migrate-set-capabilities", .ignoreSharedMemory)
          // The guest runs when it is complete, as it did when it was saved.
          try await client.execute("migrate-incoming", .shell("cat \(devices.quotedForShell)"))
        } catch {
          queue.put(.qemuLine("\(error)"))
          process.terminate()
        }
      }
      for await event in client.events {
        switch event {
        case .shutdown(let reason): queue.put(.shutdown(reason))
        case .blockError(let reason): queue.put(.diskFailed(reason))
        case .other: break
        }
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
