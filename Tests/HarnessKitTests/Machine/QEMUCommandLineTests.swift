import Foundation
import Testing

@testable import HarnessKit

@Suite struct QEMUCommandLineTests {
  private func sample(_ acceleration: QEMUCommandLine.Acceleration = .tcg) -> QEMUCommandLine {
    QEMUCommandLine(
      machine: Machine(
        name: "test", machine: "q35", cpu: .init(tcg: "Nehalem", kvm: "host"), cpus: 2,
        memoryMiB: 512, kernelWords: ["no_timer_check", "tsc_early_khz={tscKHz}"],
        emulatedKernelWords: ["clearcpuid=141"]),
      acceleration: acceleration, kernel: "/k/bzImage", initramfs: "/c/initramfs.cpio",
      disk: "/r/a,b.img", token: "00112233445566778899aabbccddeeff")
  }

  @Test func `the arguments are these and no others`() {
    #expect(
      sample().arguments == [
        "-name", "zswap-harness", "-nodefaults", "-no-user-config", "-no-reboot",
        "-display", "none", "-nic", "none", "-M", "q35",
        "-accel", "tcg,thread=multi", "-cpu", "Nehalem", "-smp", "2", "-m", "512M",
        "-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console",
        "-chardev", "socket,id=qmp,fd=3", "-mon", "chardev=qmp,mode=control",
        "-chardev", "socket,id=results,fd=4",
        "-device", "virtio-serial-pci,max_ports=2",
        "-device", "virtserialport,chardev=results,name=org.zswap_harness.0",
        "-drive",
        "if=none,id=disk,format=raw,cache=unsafe,werror=stop,rerror=stop,file=/r/a,,b.img",
        "-device", "virtio-blk-pci,drive=disk",
        "-kernel", "/k/bzImage", "-initrd", "/c/initramfs.cpio",
        "-append", sample().kernelCommandLine,
      ])
  }

  @Test func `the kernel's command line carries the token, and the caller's words last`() {
    var line = sample()
    line.extraKernelWords = ["loglevel=4"]
    #expect(
      line.kernelCommandLine
        == "console=ttyS0 loglevel=7 panic=-1 hung_task_panic=0 kasan_multi_shot slab_nomerge "
        + "zswap.enabled=1 mitigations=off ibt=off nokaslr audit=0 no_timer_check "
        + "clearcpuid=141 zswap_harness.token=00112233445566778899aabbccddeeff loglevel=4")
  }

  @Test func `a word that needs the TSC's frequency is there only where it is known`() {
    var line = sample()
    #expect(!line.kernelCommandLine.contains("tsc_early_khz"))
    line.tscKHz = 2_000_000
    #expect(line.kernelCommandLine.contains(" tsc_early_khz=2000000 "))
  }

  @Test func `KVM has the CPU model that it needs`() {
    let arguments = sample(.kvm).arguments
    #expect(arguments.contains("kvm"))
    #expect(arguments.contains("host"))
    #expect(!arguments.contains { $0.contains("tcg") })
    #expect(!sample(.kvm).kernelCommandLine.contains("clearcpuid"))
  }

  @Test func `a guest that can be saved has its memory in a file, a restored one its own view`() {
    var line = sample()
    #expect(!line.arguments.contains("-object"))
    line.start = .savableBoot
    #expect(line.arguments.contains("q35,memory-backend=memory"))
    #expect(
      line.arguments.contains(
        "memory-backend-file,id=memory,size=512M,share=on,mem-path=/proc/self/fd/5"))
    #expect(!line.arguments.contains("-incoming"))
    line.start = .saved(memory: "/c/a,b")
    #expect(
      line.arguments.contains(
        "memory-backend-file,id=memory,size=512M,share=off,mem-path=/c/a,,b"))
    #expect(line.arguments.contains("-incoming"))
  }

  @Test func `what a saved guest depends on is the machine, not the run`() {
    var other = sample()
    other.token = "another"
    other.disk = "/elsewhere"
    other.kernel = "/other/bzImage"
    other.tscKHz = 2_000_001
    #expect(other.identity == sample().identity)
    let changes: [(inout QEMUCommandLine) -> Void] = [
      { $0.memoryMiB = 1024 }, { $0.cpus = 1 }, { $0.acceleration = .kvm },
      { $0.extraKernelWords = ["quiet"] }, { $0.machine.machine = "pc" },
    ]
    for change in changes {
      var line = sample()
      change(&line)
      #expect(line.identity != sample().identity)
    }
  }

  private var machines: URL {
    URL(filePath: #filePath).appending(path: "../../../../qemu/machines").standardized
  }

  @Test(arguments: ["q35", "microvm"])
  func `each machine in the repository loads`(name: String) throws {
    let machine = try Machine.named(name, in: machines)
    #expect(!machine.notes.isEmpty)
  }

  @Test func `an unknown machine is refused with the known ones`() {
    #expect(
      throws: Machine.LoadError.unknown(
        name: "pc98", known: ["microvm", "q35"], folder: machines.path)
    ) { try Machine.named("pc98", in: machines) }
  }
}
