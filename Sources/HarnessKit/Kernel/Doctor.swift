import Foundation
import GuestWire
import SystemPackage

/// Looks at host and kernel for what a run needs.
public enum Doctor {
  /// One row of the table.
  public struct Finding: Hashable, Sendable, CustomStringConvertible {
    /// The raw values are the rows' first words.
    public enum State: String, Sendable {
      /// Found; for /dev/kvm, it opens, which does not show that it boots anything.
      case present = "ok"
      /// Slower, or less to be seen, but a run is possible.
      case lacking = "note"
      /// A run needs it: `harness doctor` exits with 3.
      case missing = "MISSING"
    }

    /// Whether it is there, and else what that means for a run.
    public let state: State
    /// A program, `libelf`, `/dev/kvm`, a part of the kernel, or `CONFIG_…`.
    public let subject: String
    /// Where or what it is; else what it is for, and how to get it.
    public let text: String

    public var description: String {
      let state = state.rawValue.padded(to: 8)
      let subject = subject.padded(to: 20)
      return "\(state)\(subject) \(text)"
    }
  }

  /// A program, and what it is for; whether every run needs it.
  private static let tools: [(name: String, purpose: String, isNeeded: Bool)] = [
    ("qemu-system-x86_64", "boots the kernel", true),
    ("mke2fs", "makes the disk with the swapfile", true),
    ("swift", "builds the guest agent", true),
    ("strip", "makes the guest agent small", true),
    ("make", "builds the module", true),
    ("gcc", "builds the module", true),
    ("xz", "unpacks kernels and modules", true),
    ("sha256sum", "names cache entries", true),
    ("flex", "`harness kernel build`", false),
    ("bison", "`harness kernel build`", false),
    ("bc", "`harness kernel build`", false),
    ("patch", "`harness kernel build`", false),
    ("git", "`harness kernel build --source` of a git tree", false),
    ("zstd", "reads a configuration embedded in a zstd image", false),
    ("depmod", "`harness kernel fetch`", false),
    ("apt-get", "`harness kernel fetch`", false),
    ("dpkg-deb", "`harness kernel fetch`", false),
  ]

  /// Debian's package swift is another program.
  private static func advice(for tool: String) -> String {
    tool == "swift"
      ? "install a toolchain, 6.2 or later, and put it into the PATH"
      : "apt-get install \(Tool.package(of: tool))"
  }

  /// What the host has.
  public static func host() -> [Finding] {
    var findings = tools.map { tool in
      if let path = Tool.locate(tool.name) {
        return Finding(state: .present, subject: tool.name, text: path.string)
      }
      return Finding(
        state: tool.isNeeded ? .missing : .lacking, subject: tool.name,
        text: "\(tool.purpose); \(advice(for: tool.name))")
    }
    let header = ["/usr/include/libelf.h", "/usr/include/gelf.h"]
      .contains { FileManager.default.fileExists(atPath: $0) }
    findings.append(
      Finding(
        state: header ? .present : .lacking, subject: "libelf",
        text: header
          ? "headers are there" : "`harness kernel build`; apt-get install libelf-dev"))
    findings.append(kvm())
    return findings
  }

  /// What a kernel has. An image that cannot be read is a finding as well.
  public static func kernel(
    _ reference: KernelReference, parts: Kernel.Parts, cache: Cache
  ) async -> [Finding] {
    let kernel: Kernel
    do {
      kernel = try await Kernel.resolve(reference, parts: parts, cache: cache)
    } catch {
      return [Finding(state: .missing, subject: "kernel", text: String(describing: error))]
    }
    let problem = KnownReleases.problem(with: kernel.release)
    var findings = [
      Finding(
        state: problem == nil ? .present : .missing, subject: "kernel",
        text: problem ?? kernel.release),
      Finding(
        state: .present, subject: "configuration",
        text: kernel.config.origin?.description ?? "unknown"),
    ]
    do throws(KernelError) {
      let tree = try kernel.requireBuildTree()
      findings.append(Finding(state: .present, subject: "build tree", text: tree.string))
    } catch {
      findings.append(
        Finding(state: .missing, subject: "build tree", text: error.advice ?? error.problem))
    }
    findings.append(
      Finding(
        state: kernel.vmlinux == nil ? .lacking : .present, subject: "vmlinux",
        text: kernel.vmlinux?.string
          ?? "not found: stacks are shown without file and line; give it with --vmlinux"))
    let providers = kernel.providers.map(\.rawValue).joined(separator: ", ")
    findings.append(
      Finding(
        state: providers.isEmpty ? .missing : .present, subject: "hook points",
        text: providers.isEmpty ? "neither the patch series nor ftrace" : "through \(providers)"))
    findings += Preflight.misses(kernel.config).map {
      Finding(
        state: $0.isFatal ? .missing : .lacking, subject: "CONFIG_\($0.requirement.options[0])",
        text: $0.summary)
    }
    return findings
  }

  private static func kvm() -> Finding {
    let advice = "runs use TCG, about ten times slower"
    do {
      let file = try FileDescriptor.open("/dev/kvm", .readWrite, options: .closeOnExec)
      try? file.close()
      // That it opens does not prove that it boots anything.
      return Finding(
        state: .present, subject: "/dev/kvm", text: "opens; each run proves it by booting")
    } catch Errno.permissionDenied {
      return Finding(
        state: .lacking, subject: "/dev/kvm",
        text: "not permitted, \(advice); join its group: adduser $USER kvm")
    } catch {
      return Finding(state: .lacking, subject: "/dev/kvm", text: "not there, \(advice)")
    }
  }
}
