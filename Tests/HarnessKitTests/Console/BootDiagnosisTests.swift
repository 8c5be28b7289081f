import Glibc
import Testing

@testable import HarnessKit

/// What a kernel that does not come up says, and what is made of it.
@Suite struct BootDiagnosisTests {
  /// Lines as kernels print them, and words of the cause and of the advice.
  private static let cases: [(lines: [String], cause: String, advice: String)] = [
    (
      [
        "[    0.000000] Command line: console=ttyS0 rdinit=/nonexistent",
        "[    5.660000] VFS: Cannot open root device \"\" or unknown-block(0,0): error -6",
        "[    5.664550] Kernel panic - not syncing: VFS: Unable to mount root fs on "
          + "unknown-block(0,0)",
      ], "names an init", "rdinit="
    ),
    (
      [
        "[    1.002010] VFS: Cannot open root device \"\" or unknown-block(0,0): error -6",
        "[    1.007903] Kernel panic - not syncing: VFS: Unable to mount root fs on "
          + "unknown-block(0,0)",
      ], "root file system", "CONFIG_BLK_DEV_INITRD"
    ),
    (
      ["[    2.113000] Waiting for root device /dev/sda1..."], "waits for a root device", "rootwait"
    ),
    (
      [
        "[    0.700000] Initramfs unpacking failed: write error",
        "[    0.900000] Failed to execute /init (error -2)",
      ], "does not fit into its memory", "--memory"
    ),
    (
      [
        "[    0.400000] Initramfs unpacking failed: compression method zstd not configured",
        "[    1.000000] Kernel panic - not syncing: VFS: Unable to mount root fs on "
          + "unknown-block(0,0)",
      ], "compression is not built in", "CONFIG_RD_ZSTD"
    ),
    (
      [
        "[    0.883000] Run /init as init process",
        "[    0.884000] Failed to execute /init (error -8)",
        "[    0.885000] Kernel panic - not syncing: No working init found.  Try passing init= option"
          + " to kernel. See Linux Documentation/admin-guide/init.rst for guidance.",
      ], "cannot run an x86-64 ELF", "CONFIG_BINFMT_ELF"
    ),
    (
      [
        "[    3.100000] swapper/0 invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0",
        "[    3.200000] Kernel panic - not syncing: System is deadlocked on memory",
      ], "out of memory", "--memory"
    ),
    (
      ["[    0.000000] Kernel panic - not syncing: alloc_low_pages: can not alloc memory"],
      "out of memory", "--memory"
    ),
    (
      [
        "guest-agent: find port org.zswap_harness.0 in /sys/class/virtio-ports: No such file or"
          + " directory"
      ], "no channel", "CONFIG_VIRTIO_CONSOLE"
    ),
    (
      ["[    1.5] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00007f00"],
      "died as it started", "process 1"
    ),
    (
      [
        "[    0.030000] Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug"
      ],
      "no timer", "microvm"
    ),
    (
      ["PANIC: early exception 0x0d IP 10:ffffffff81c00043 error 0 cr2 0xffff888000000ff8"],
      "before it could handle one", "vmlinux"
    ),
    (
      ["[    0.5] Kernel panic - not syncing: Something that nobody has a row for"],
      "Something that nobody has a row for", "last lines"
    ),
  ]

  @Test(arguments: cases.indices)
  func `the cause comes from the line that tells most, and says what to do`(index: Int) {
    let (lines, cause, advice) = Self.cases[index]
    let diagnosis = BootDiagnosis.of(lines, end: .reset)
    #expect(diagnosis.cause.contains(cause))
    #expect(diagnosis.advice.contains(advice))
  }

  @Test func `a boot that goes well matches no row`() throws {
    let lines = try #require(ConsoleFixture.all.first { $0.name == "clean-boot" }).lines
    #expect(lines.count > 10)
    let diagnosis = BootDiagnosis.of(lines, end: .still)
    #expect(diagnosis.evidence == nil)
    #expect(diagnosis.cause.contains("stands still"))
  }

  @Test func `without a word, what the guest did tells the causes apart`() {
    #expect(BootDiagnosis.of([], end: .still).cause == "it printed nothing at all")
    let firmware = [
      "\u{1B}c\u{1B}[?7l\u{1B}[2J\u{1B}[0mSeaBIOS (version 1.16.2-debian-1.16.2-1)\r",
      "Booting from ROM...\r", "Probing EDD (edd=off to disable)... o\u{1B}c\u{1B}[?7l\u{1B}[2J",
    ]
    #expect(BootDiagnosis.of(firmware, end: .busy).cause == "it printed nothing at all")
    let busy = BootDiagnosis.of(["[    0.1] x86/fpu: on"], end: .busy)
    let still = BootDiagnosis.of(["[    0.1] x86/fpu: on"], end: .still)
    let reset = BootDiagnosis.of(["[    0.1] x86/fpu: on"], end: .reset)
    #expect(Set([busy.cause, still.cause, reset.cause]).count == 3)
  }

  @Test func `an agent that answers while the console is silent is no kernel that hangs`() {
    let mute = BootDiagnosis.of([], end: .still, agentAnswered: true)
    #expect(mute.cause.contains("agent answers"))
    #expect(mute.advice.contains("CONFIG_SERIAL_8250_CONSOLE"))
  }

  @Test func `the message says what is wrong, then the line, then what to do`() {
    let lines = ["[    2.113000] Waiting for root device /dev/sda1..."]
    let message = BootDiagnosis.of(lines, end: .still).message(lastLines: lines)
    let parts = message.split(separator: "\n")
    #expect(parts.first?.contains("does not come up: it waits for a root device") == true)
    #expect(parts.dropFirst().first == "    Waiting for root device /dev/sda1...")
    #expect(parts.last?.contains("Waiting for root device") == true)
  }
}

/// How long a guest that says nothing is waited for.
@Suite struct PatienceTests {
  /// Ticks until it is lost, with so much of a CPU had and waited for in each.
  private func ticks(
    _ patience: Patience, run: Double, waited: Double = 0, word: Int = .max, at most: Int = 5000
  ) -> (loss: Patience.Loss, ticks: Int)? {
    var patience = patience
    var time = Patience.CPUTime(run: 1, waited: 0)
    for tick in 1...most {
      time.run += run
      time.waited += waited
      if tick % word == 0 { patience.heard() }
      if let loss = patience.tick(time) { return (loss, tick) }
    }
    return nil
  }

  private let boot = Patience(limit: 90, bootSeconds: 120)

  @Test func `a guest that neither speaks nor works is given up at the limit`() throws {
    let end = try #require(ticks(boot, run: 0.02))
    #expect(end == (.still, 90))
  }

  @Test func `a guest that works is waited for beyond it, by its own time`() throws {
    let end = try #require(ticks(boot, run: 1))
    #expect(end.loss == .busy)
    #expect((120...122).contains(end.ticks))
    let slow = try #require(ticks(boot, run: 0.5))
    #expect(slow.loss == .busy)
    #expect((240...242).contains(slow.ticks))
  }

  @Test func `a guest that the host starves is as good as one that works`() throws {
    let end = try #require(ticks(boot, run: 0.01, waited: 0.9))
    #expect(end == (.endless, 1800))
  }

  @Test func `words prolong it, up to the cap`() throws {
    let end = try #require(ticks(boot, run: 1, word: 60))
    #expect(end == (.endless, 1800))
  }

  @Test func `a guest that has said that it waits for what will not come is given up soon`() throws
  {
    #expect(BootDiagnosis.isHopeless("[    2.1] Waiting for root device /dev/sda1..."))
    #expect(!BootDiagnosis.isHopeless("[    2.1] Run /init as init process"))
    var hopeless = boot
    hopeless.despair()
    let end = try #require(ticks(hopeless, run: 1))
    #expect(end == (.still, 10))
  }

  @Test func `a guest that is ready has to speak`() throws {
    var ready = boot
    ready.booted(limit: 30)
    let end = try #require(ticks(ready, run: 1))
    #expect(end == (.still, 30))
  }

  @Test func `the time of a process is what it has had and has waited for`() throws {
    let before = try #require(Patience.CPUTime(of: getpid()))
    var sum = 0
    for number in 0..<20_000_000 { sum &+= number }
    let after = try #require(Patience.CPUTime(of: getpid()))
    #expect(sum != 0)
    #expect(after.run > before.run)
    #expect(Patience.CPUTime(of: -1) == nil)
  }
}
