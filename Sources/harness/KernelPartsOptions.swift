import ArgumentParser
import HarnessKit
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
