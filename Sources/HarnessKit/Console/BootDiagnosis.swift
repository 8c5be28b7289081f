import GuestWire

/// Why a kernel did not come up, as far as its console tells: a cause, and what to do
/// about it. Pure: the same lines, the same diagnosis.
struct BootDiagnosis: Hashable, Sendable {
  /// How the boot came to its end.
  enum End: Hashable, Sendable {
    /// The kernel reset the machine, as it does after a panic.
    case reset
    case poweredOff
    /// Neither a line nor any work: it waits.
    case still
    /// It works, and says nothing.
    case busy
    /// It goes on, and never gets there.
    case endless
  }

  var cause: String
  var advice: String
  /// The line that tells; nil where none does.
  var evidence: String?

  /// - Parameters:
  ///   - lines: of the console, raw, as many as were kept.
  ///   - agentAnswered: the guest's agent has been heard through its own channel.
  static func of(
    _ lines: [String], end: End, agentAnswered: Bool = false
  ) -> BootDiagnosis {
    let texts = lines.map { ConsoleLine($0).text }.filter { line in
      !line.isEmpty && !firmware.contains { line.contains($0) }
    }
    if agentAnswered { return mute }
    for row in rows {
      guard let line = texts.first(where: row.matches),
        row.elsewhere.map({ words in texts.contains { $0.contains(words) } }) ?? true
      else { continue }
      return BootDiagnosis(cause: row.cause, advice: row.advice, evidence: line)
    }
    if let panic = texts.lazy.compactMap({ $0.after(SplatHeader.panicPrefix) }).first {
      return BootDiagnosis(
        cause: "it panicked as it booted: \(panic)",
        advice: "Its last lines say where; console.log has all of them.", evidence: nil)
    }
    if texts.isEmpty { return dark }
    return BootDiagnosis(cause: end.words, advice: end.advice, evidence: nil)
  }

  /// Whether the line says that the boot waits for what will not come.
  static func isHopeless(_ line: String) -> Bool {
    rows.contains { $0.isHopeless && $0.matches(line) }
  }

  /// What stands on the serial console before the kernel does.
  private static let firmware = ["SeaBIOS", "Booting from ", "iPXE", "Probing EDD"]

  /// It runs, and cannot be heard.
  private static let mute = BootDiagnosis(
    cause: "its agent answers, but what the kernel prints does not come to the console",
    advice: "Its reports would be missed: CONFIG_SERIAL_8250_CONSOLE=y, and no console=, quiet or"
      + " loglevel= of its own in CONFIG_CMDLINE or --append.")
  private static let dark = BootDiagnosis(
    cause: "it printed nothing at all",
    advice: "Either it has no serial console (CONFIG_SERIAL_8250_CONSOLE=y, CONFIG_PRINTK=y, and no"
      + " console= of its own in CONFIG_CMDLINE or --append), or it died before that, of too little"
      + " memory perhaps: --append earlyprintk=ttyS0 shows more.")

  /// What a kernel prints: every word of the row in one line.
  private struct Row {
    let words: [String]
    /// In some other line.
    let elsewhere: String?
    /// It does not end by itself, nor get any farther.
    let isHopeless: Bool
    let cause: String
    let advice: String

    init(
      _ words: String..., elsewhere: String? = nil, isHopeless: Bool = false, cause: String,
      advice: String
    ) {
      self.words = words
      self.elsewhere = elsewhere
      self.isHopeless = isHopeless
      self.cause = cause
      self.advice = advice
    }

    func matches(_ line: String) -> Bool { words.allSatisfy { line.contains($0) } }
  }

  private static let memory = "Give the guest more: --memory 1024, say."
  private static let initramfs =
    "CONFIG_BLK_DEV_INITRD=y lets it take the guest image; root= and rootwait do not belong into"
    + " CONFIG_CMDLINE or --append."
  private static let otherInit =
    "rdinit= and init= do not belong into CONFIG_CMDLINE or --append: the guest's agent is /init."

  /// The more telling first: what follows from it is printed as well.
  /// init/main.c, init/initramfs.c, init/do_mounts.c, mm/oom_kill.c, arch/x86.
  private static let rows: [Row] = [
    Row(
      "Initramfs unpacking failed", "write error",
      cause: "the guest image does not fit into its memory", advice: memory),
    Row(
      "System is deadlocked on memory", cause: "it ran out of memory as it booted", advice: memory),
    Row("Out of memory", cause: "it ran out of memory as it booted", advice: memory),
    Row("can not alloc memory", cause: "it ran out of memory as it booted", advice: memory),
    Row(
      "compression method", "not configured",
      cause: "it cannot unpack the guest image: that compression is not built in",
      advice: "CONFIG_RD_GZIP=y, CONFIG_RD_ZSTD=y, or whichever the line names."),
    Row(
      "nitramfs unpacking failed", cause: "it cannot unpack the guest image",
      advice: "Is there memory enough (--memory)? A damaged image is made anew when it is removed"
        + " from the cache's folder guest."),
    Row(
      "rootfs image is not initramfs", cause: "it cannot unpack the guest image",
      advice: "Is there memory enough (--memory)?"),
    // With init/main.c's own complaint about it in some releases, and none in others.
    Row(
      "Unable to mount root fs", elsewhere: " rdinit=",
      cause: "its command line names an init that the guest image does not have",
      advice: otherInit),
    Row(
      "Requested init ", "failed",
      cause: "its command line names an init that the guest image does not have", advice: otherInit),
    Row(
      "Failed to execute", "error -8)", cause: "it cannot run an x86-64 ELF program",
      advice: "CONFIG_BINFMT_ELF=y and CONFIG_64BIT=y."),
    Row(
      "Failed to execute /init", cause: "it cannot start the guest's agent",
      advice: "The error is the errno of execve(2); harness kernel config --for IMAGE prints the"
        + " options that it lacks."),
    Row(
      "Waiting for root device", isHopeless: true,
      cause: "it waits for a root device, and has none",
      advice: initramfs
    ),
    Row(
      "Unable to mount root fs", cause: "it looks for a root file system, and has none",
      advice: initramfs),
    Row(
      "No working init found", cause: "it found nothing to start as init", advice: initramfs),
    Row(
      "guest-agent:", "org.zswap_harness", cause: "it has no channel to the host",
      advice: "CONFIG_VIRTIO_CONSOLE and CONFIG_VIRTIO_PCI, built in, or as modules that"
        + " --kernel-modules has."),
    Row(
      "Attempted to kill init!", cause: "the guest's agent died as it started",
      advice: "It is process 1: an exit code of a signal in the low byte, else its exit status;"
        + " harness kernel config --for IMAGE prints the options that it lacks."),
    Row(
      "timer doesn't work", cause: "it found no timer that works",
      advice: "A busy host under TCG does this now and then: run it again, or with --machine"
        + " microvm."),
    Row(
      "early exception", cause: "an exception before it could handle one",
      advice: "RIP in that line, looked up in vmlinux, says where."),
  ]
}

extension BootDiagnosis.End {
  fileprivate var words: String {
    switch self {
    case .reset: "it reset the machine, and does not say why"
    case .poweredOff: "it powered off before it was ready"
    case .still: "it stands still: no line, and no work"
    case .busy: "it works, and says nothing more"
    case .endless: "it goes on, and does not become ready"
    }
  }

  fileprivate var advice: String {
    switch self {
    case .reset, .busy: "--append earlyprintk=ttyS0 or --append initcall_debug shows more."
    case .poweredOff: "Its last lines say why."
    case .still, .endless:
      "What it waits for is the last thing that it says; --append initcall_debug shows more."
    }
  }
}

extension BootDiagnosis {
  /// The first line says what is wrong, the second what to do, and then come the last lines.
  func message(lastLines: [String]) -> String {
    var lines = ["the kernel does not come up: \(cause)"]
    if let evidence { lines.append("    \(evidence)") }
    lines.append("  \(advice)")
    if !lastLines.isEmpty {
      lines.append("its last lines were:")
      lines += lastLines.map { "  \($0)" }
    }
    return lines.joined(separator: "\n")
  }
}
