import ArgumentParser
import HarnessKit
import SystemPackage

/// `harness doctor`: what is missing, and how to get it.
struct DoctorCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Says what this host, and a kernel, lack for a run.",
    discussion: """
      Examples:
        harness doctor
        harness doctor --kernel arch/x86/boot/bzImage

      Exit codes: 0 all that is needed is there; 3 something is missing.
      """)

  @Option(
    help: ArgumentHelp("A kernel to look at as well.", valueName: "bzImage|debian:release"),
    transform: kernelReference(parsing:))
  var kernel: KernelReference?

  @Option(
    name: .customLong("kernel-build"),
    help: ArgumentHelp("The kernel's build tree, where it is not found.", valueName: "dir"))
  var kernelBuild: String?

  func run() async throws {
    try await reportingFailures {
      var findings = Doctor.host()
      if let kernel {
        findings += await Doctor.kernel(
          kernel, buildTree: kernelBuild.map { FilePath($0) }, cache: try .standard())
      }
      for finding in findings { print(finding) }
      let missing = findings.filter { $0.state == .missing }.count
      print(missing == 0 ? "Ready." : "\(missing) missing.")
      if missing > 0 { throw ExitCode(3) }
    }
  }
}
