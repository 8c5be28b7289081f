import Foundation
import GuestWire
import SystemPackage

/// What the user asks for.
public enum AcceleratorChoice: String, Hashable, Sendable, Codable, CaseIterable {
  /// KVM where a guest boots under it, else TCG.
  case auto
  /// KVM untried: where it does not boot the kernel, the run fails.
  case kvm
  /// TCG, and KVM is not looked at.
  case tcg
}

/// What a run uses, and why.
struct AcceleratorDecision: Hashable, Sendable, Codable {
  /// KVM only where it was asked for, or has booted this kernel.
  var acceleration: QEMUCommandLine.Acceleration
  /// For the report: "KVM opens, but did not boot this kernel in 10 s; TCG".
  var reason: String
}

/// Finds out whether KVM works here, the only way that tells: by booting.
///
/// /dev/kvm may open and even run a vCPU on a host that still never boots a
/// guest (nested virtualization, mostly). The answer is kept for this boot of
/// the host, this QEMU and this kernel.
struct AcceleratorProbe: Sendable {
  /// The folder for answers.
  var cache: URL
  /// QEMU's path: its size and time are part of what an answer holds for.
  var qemu: String
  /// How long a guest may take to its agent's `hello`. KVM needs a second or two.
  var limit: Duration
  var device = "/dev/kvm"

  init(
    cache: URL, qemu: String = "/usr/bin/qemu-system-x86_64", limit: Duration = .seconds(10)
  ) {
    self.cache = cache
    self.qemu = qemu
    self.limit = limit
  }

  /// Decides.
  ///
  /// - Parameter commandLine: The guest that is going to run. The probe writes
  ///   nothing to its disk but what mounting does.
  func decide(
    _ choice: AcceleratorChoice, for commandLine: QEMUCommandLine
  ) async throws -> AcceleratorDecision {
    switch choice {
    case .tcg: return AcceleratorDecision(acceleration: .tcg, reason: "TCG, as asked")
    case .kvm: return AcceleratorDecision(acceleration: .kvm, reason: "KVM, as asked")
    case .auto: break
    }
    do {
      try FileDescriptor.open(device, .readWrite, options: .closeOnExec).close()
    } catch {
      return AcceleratorDecision(
        acceleration: .tcg, reason: "\(device) does not open (\(error)); TCG")
    }
    let answer = try await cachedAnswer(for: commandLine)
    if let data = FileManager.default.contents(atPath: answer.path),
      var known = try? JSONDecoder().decode(AcceleratorDecision.self, from: data)
    {
      known.reason += " (found out earlier)"
      return known
    }
    let decision = try await boot(commandLine)
    try AtomicFile.write([UInt8](try JSONEncoder().encode(decision)), to: answer)
    return decision
  }

  private func boot(_ commandLine: QEMUCommandLine) async throws -> AcceleratorDecision {
    var probe = commandLine
    probe.acceleration = .kvm
    let limit = limit
    let start = ContinuousClock.now
    let failure = try await GuestSession.withGuest(.init(commandLine: probe, qemu: qemu)) {
      session in
      // QEMU's end ends the events: the limit needs no second way out.
      let watchdog = Task {
        try await Task.sleep(for: limit)
        session.kill()
      }
      defer { watchdog.cancel() }
      var complaint = ""
      for await event in session.events {
        switch event {
        case .message(.hello): return String?.none
        case .qemuLine(let line): complaint = ": \(line)"
        default: break
        }
      }
      return complaint
    }
    try Task.checkCancellation()
    guard let failure else {
      return AcceleratorDecision(acceleration: .kvm, reason: "KVM boots this kernel")
    }
    let spent = ContinuousClock.now - start
    let why =
      spent >= limit
      ? "did not boot this kernel in \(limit.components.seconds) s" : "fails to boot this kernel"
    return AcceleratorDecision(acceleration: .tcg, reason: "KVM opens, but \(why)\(failure); TCG")
  }

  private func cachedAnswer(for commandLine: QEMUCommandLine) async throws -> URL {
    let boot = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
    let sums = try await ContentHash.of(files: [commandLine.kernel])
    let attributes = try FileManager.default.attributesOfItem(
      atPath: URL(filePath: qemu).resolvingSymlinksInPath().path)
    let identity =
      "\(attributes[.size] ?? 0) \(attributes[.modificationDate] ?? Date.distantPast)"
    let key = try await ContentHash.of(
      String(decoding: boot, as: UTF8.self) + identity + sums[0] + commandLine.machine.machine)
    return cache.appending(path: "accelerator-\(key.prefix(16)).json")
  }
}
