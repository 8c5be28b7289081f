import Kmod
import SystemPackage

/// The line by which a module says which kernel it was built for: the release,
/// then flags, after the kernel's include/linux/vermagic.h.
///
/// The kernel's own check is not enough: with MODVERSIONS it skips the release,
/// and a module of another flavour loads without a word.
public struct Vermagic: Hashable, Sendable, CustomStringConvertible {
  public let release: String
  public let flags: [String]

  public var description: String { ([release] + flags).joined(separator: " ") }

  /// Parses a module's line.
  public init(parsing text: String) {
    let words = text.split(separator: " ").map(String.init)
    release = words.first ?? ""
    flags = Array(words.dropFirst())
  }

  /// What modules of that kernel say.
  public init(release: String, config: KernelConfig) {
    self.release = release
    var flags: [String] = []
    if config["SMP"] == .yes { flags.append("SMP") }
    // PREEMPT_BUILD (5.16) is set with PREEMPT and, whatever the model at
    // boot, with PREEMPT_DYNAMIC. Before it, PREEMPT itself decided.
    if config["PREEMPT_BUILD"] == .yes {
      flags.append("preempt")
    } else if config["PREEMPT_RT"] == .yes {
      flags.append("preempt_rt")
    } else if config["PREEMPT"] == .yes || config["PREEMPT_DYNAMIC"] == .yes {
      flags.append("preempt")
    }
    if config["MODULE_UNLOAD"] == .yes { flags.append("mod_unload") }
    if config["MODVERSIONS"] == .yes { flags.append("modversions") }
    self.flags = flags
  }

  /// In what a module differs from the kernel; nil where it fits. The seed of
  /// a randomised structure layout is in no .config and is not compared.
  public func mismatch(with kernel: Vermagic) -> String? {
    if release != kernel.release {
      return "the release differs: “\(release)”, not “\(kernel.release)”"
    }
    let flags = flags.filter { !$0.hasPrefix("RANDSTRUCT_") }
    guard flags != kernel.flags else { return nil }
    let extra = flags.filter { !kernel.flags.contains($0) }
    let missing = kernel.flags.filter { !flags.contains($0) }
    let parts =
      (extra.isEmpty ? [] : ["has “\(extra.joined(separator: " "))”"])
      + (missing.isEmpty ? [] : ["lacks “\(missing.joined(separator: " "))”"])
    return
      "the module \(parts.isEmpty ? "orders its flags otherwise" : parts.joined(separator: " and "))"
  }

  /// Refuses a module that was built for another kernel.
  public static func check(module: FilePath, kernel: Kernel) throws(KernelError) {
    try check(module: module, expected: kernel.vermagic, kernel: kernel.image.string)
  }

  static func check(
    module: FilePath, expected: Vermagic, kernel: String
  ) throws(KernelError) {
    let text: String?
    do throws(KmodError) {
      let context = try KmodContext()
      let file = try KmodModule(path: module.string, in: context)
      text = try file.info()["vermagic"]
    } catch {
      throw KernelError(
        .moduleMismatch, "read module", module.string, error.description,
        advice: "Is it a .ko for x86-64? Leave it out, and the harness builds its own.")
    }
    guard let text else {
      throw KernelError(
        .moduleMismatch, "read module", module.string, "it has no vermagic",
        advice: "Leave it out, and the harness builds its own.")
    }
    let actual = Vermagic(parsing: text)
    guard let mismatch = actual.mismatch(with: expected) else { return }
    throw KernelError(
      .moduleMismatch, "use module", "\(module) on kernel \(kernel)", mismatch,
      advice: "Build it against this kernel's tree; left out, the harness does that.",
      details: ["module: \(actual)", "kernel: \(expected)"])
  }
}
