import ArgumentParser
import GuestWire
import HarnessKit
import Nightly
import SystemPackage

/// What of a kernel cannot be found from its image.
struct KernelPartsOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Build tree, headers, or a linux-headers-….deb of that kernel, where they cannot be found "
        + "from it.",
      valueName: "dir|deb"))
  var kernelBuild: String?

  @Option(help: ArgumentHelp("Its .config, likewise.", valueName: "file"))
  var kernelConfig: String?

  @Option(
    help: ArgumentHelp("Its lib/modules/<release> with modules.dep, likewise.", valueName: "dir"))
  var kernelModules: String?

  @Option(
    help: ArgumentHelp(
      "Its vmlinux, likewise: with debug information, stacks are shown with file and line.",
      valueName: "file"))
  var vmlinux: String?

  var parts: Kernel.Parts {
    func path(_ text: String?) -> FilePath? { text.map { FilePath($0) } }
    return Kernel.Parts(
      buildTree: path(kernelBuild), config: path(kernelConfig), modules: path(kernelModules),
      vmlinux: path(vmlinux))
  }
}

/// What `--kernel` says; bad usage where that is nothing.
func kernelReference(parsing text: String) throws -> KernelReference {
  do {
    return try KernelReference(parsing: text)
  } catch {
    throw ValidationError("\(error)")
  }
}

/// What `--schedule` says, likewise.
func parsedSchedule(_ text: String) throws -> Schedule {
  do {
    return try Schedule(parsing: text)
  } catch {
    throw ValidationError("\(error)")
  }
}

/// A length of time on the command line.
func timeSpan(parsing text: String) throws -> TimeSpan {
  guard let span = TimeSpan(text) else {
    throw ValidationError("“\(text)” is no time: write 90s, 10m, 12h or 30d")
  }
  return span
}

/// How many guests a run has.
struct JobsOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Guests at once (default: as many as the host has CPUs and memory for).",
      valueName: "number"))
  var jobs: Int?

  func validate() throws {
    if let jobs, !(1...256).contains(jobs) { throw ValidationError("--jobs is 1 to 256") }
  }
}

/// Fragments of a kernel's configuration, as `--with` takes them: between commas.
struct FragmentList: ExpressibleByArgument, CustomStringConvertible {
  let names: [String]

  init(argument: String) { names = argument.split(separator: ",").map(String.init) }

  var description: String { names.joined(separator: ",") }
}
