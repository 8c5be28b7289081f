import ArgumentParser
import HarnessKit

/// `harness doctor`: what is missing, and how to get it.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Says what this host, and a kernel, lack for a run.",
    discussion: """
      Examples:
        harness doctor
        harness doctor --kernel arch/x86/boot/bzImage
        harness doctor --kernel linux-image-6.12.0_6.12.0-1_amd64.deb

      Exit codes: 0 all that is needed is there; 3 something is missing.
      """)

  @Option(
    help: ArgumentHelp("A kernel to look at as well.", valueName: "kernel|debian:release"),
    transform: kernelReference(parsing:))
  var kernel: KernelReference?

  @OptionGroup var parts: KernelPartsOptions

  func run() async throws {
    try await reportingFailures {
      var findings = Doctor.host()
      if let kernel {
        findings += await Doctor.kernel(
          kernel, parts: parts.parts, cache: try .standard())
      }
      for finding in findings { print(finding) }
      let missing = findings.filter { $0.state == .missing }.count
      print(missing == 0 ? "Ready." : "\(missing) missing.")
      if missing > 0 { throw ExitCode(3) }
    }
  }
}
