import ArgumentParser
import GuestWire
import HarnessKit
import SystemPackage

/// `harness kernel …`: makes kernels to be tested, and looks at them.
struct KernelCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "kernel",
    abstract: "Builds or fetches kernels, and shows what one has.",
    subcommands: [Build.self, Patch.self, Fetch.self, Source.self, Config.self])

  /// `harness kernel build`
  struct Build: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Builds a small kernel with zswap's hook points.",
      discussion: """
        The image's path is the last line on standard output; everything else goes to \
        standard error. What was built before is found again at once.

        Examples:
          harness kernel build
          harness kernel build --with kasan,lockdep
          harness kernel build --source ~/linux --patch my-zswap.patch
          harness kernel build --with kasan --mutant R1a
          harness run --kernel "$(harness kernel build | tail -n 1)"

        The configuration starts from allnoconfig. Every line of every fragment has to \
        be in the result, or the build stops and names it.

        Exit codes: 0 built; 2 the host lacks something; 3 the kernel cannot be built.
        """)

    @Option(
      name: .customLong("with"),
      help: ArgumentHelp(
        "Fragments of qemu/kernel/config, or paths of files; later ones win.",
        valueName: "fragment,..."))
    var fragments: [FragmentList] = []

    @Option(
      name: .customLong("without"),
      help: "hooks: leave out the patch series, for a kernel as it is upstream.")
    var without: Omission?

    @Option(
      help: ArgumentHelp(
        "A source tree (default: Debian's linux-source-6.12). It is not written to.",
        valueName: "dir"))
    var source: String?

    @Option(
      name: .customLong("patch"),
      help: ArgumentHelp("Apply this to the copy. May be repeated.", valueName: "file"))
    var patches: [String] = []

    @Option(
      name: .customLong("mutant"),
      help: ArgumentHelp(
        "Break the kernel on purpose: qemu/kernel/mutants/<id>.patch. May be repeated.",
        valueName: "id"))
    var mutants: [String] = []

    @Option(help: "How many jobs make may run (default: one for each CPU).")
    var jobs: Int?

    enum Omission: String, ExpressibleByArgument, CaseIterable {
      case hooks
    }

    func validate() throws {
      if let jobs, jobs < 1 { throw ValidationError("--jobs has to be 1 or more, not \(jobs).") }
    }

    func run() async throws {
      try await reportingFailures {
        var build = KernelBuild()
        build.fragments = fragments.flatMap(\.names)
        build.hooks = without != .hooks
        if let source { build.source = .directory(FilePath(source)) }
        build.patches = patches.map { FilePath($0) }
        build.mutants = mutants
        build.jobs = jobs
        print(try await build.image(checkout: try .locate(), cache: try .standard()))
      }
    }
  }

  /// `harness kernel patch`
  struct Patch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Puts the hook points into a source tree of yours, and takes them out again.",
      discussion: """
        Prints each point with its place, or why it has none. Where the series of \
        qemu/kernel/patches does not apply, the points are found by what stands around \
        them. The tree may be a git checkout or not; it gets a file .zswap-hooks.json, \
        from which --undo restores every byte. What you have edited since stays.

        Examples:
          harness kernel patch --tree ~/linux --show
          harness kernel patch --tree ~/linux
          scripts/config -e DEBUG_KERNEL -e ZSWAP_HOOKS     (in the tree; then make)
          harness kernel patch --tree ~/linux --undo

        Exit codes: 0 done, or nothing to do; 2 the tree cannot be written; 3 it is no \
        kernel's, or has no place for them.
        """)

    @Option(help: ArgumentHelp("The top folder of a Linux source tree.", valueName: "dir"))
    var tree: String

    @Flag(help: "Take the hook points out again.")
    var undo = false

    @Flag(help: "Print the table, and change nothing.")
    var show = false

    func validate() throws {
      if undo && show { throw ValidationError("--undo and --show exclude each other.") }
    }

    func run() async throws {
      try await reportingFailures {
        let tree = try HookTree(FilePath(tree))
        let report =
          if undo {
            try await tree.undo()
          } else if show {
            try await tree.show(checkout: try .locate())
          } else {
            try await tree.place(checkout: try .locate())
          }
        for line in report.lines { print(line) }
      }
    }
  }

  /// `harness kernel fetch`
  struct Fetch: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Downloads a stock Debian kernel, with modules and headers.",
      discussion: """
        Needs apt's package lists, but no root: nothing is installed. The image's path is \
        the last line on standard output.

        Examples:
          harness kernel fetch
          harness kernel fetch --release 6.1
        """)

    @Option(help: "6.12 for the newest of that series, or a whole release.")
    var release = "6.12"

    func run() async throws {
      try await reportingFailures {
        print(try await KernelFetch(cache: try .standard(), series: release).image())
      }
    }
  }

  /// `harness kernel source`
  struct Source: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Downloads the source that kernels are built from; prints where it is.",
      discussion: """
        It is not to be written to: kernels are copied from it.

        Examples:
          harness kernel source
          harness kernel build --source "$(harness kernel source --release 6.1)"
        """)

    @Option(help: "A series of Debian's: 6.12, or 6.1.")
    var release = "6.12"

    func run() async throws {
      try await reportingFailures {
        print(try await KernelSource.debian(release).path(in: try .standard()))
      }
    }
  }

  /// `harness kernel config`
  struct Config: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows a kernel's release, providers and what it lacks, or the lines to add.",
      discussion: """
        Examples:
          harness kernel config arch/x86/boot/bzImage
          harness kernel config debian:6.1
          harness kernel config linux-image-6.12.0_6.12.0-1_amd64.deb
          harness kernel config arch/x86/boot/bzImage ZSWAP KASAN
          harness kernel config --for arch/x86/boot/bzImage > complete.config
          scripts/kconfig/merge_config.sh .config complete.config   (in the kernel's tree)

        With names of options, prints each with its value and nothing else. With --for, a \
        fragment with each line that is missing, why, and what a run is like without it.
        """)

    @Argument(
      help: "A bzImage, a build's folder, a linux-image-….deb, or debian:RELEASE.",
      transform: kernelReference(parsing:))
    var image: KernelReference?

    @Argument(help: "Options to print, with or without CONFIG_.")
    var options: [String] = []

    @Option(
      name: .customLong("for"),
      help: ArgumentHelp(
        "Print the fragment that would complete this kernel's configuration.",
        valueName: "kernel"),
      transform: kernelReference(parsing:))
    var completed: KernelReference?

    @OptionGroup var parts: KernelPartsOptions

    func validate() throws {
      guard (image == nil) != (completed == nil) else {
        throw ValidationError("give a kernel, or --for and a kernel")
      }
    }

    func run() async throws {
      try await reportingFailures {
        let kernel = try await Kernel.resolve(
          image ?? completed, parts: parts.parts, cache: try .standard())
        if completed != nil {
          print(Preflight.fragment(completing: kernel.config), terminator: "")
          return
        }
        guard options.isEmpty else {
          for option in options {
            let name = option.hasPrefix("CONFIG_") ? String(option.dropFirst(7)) : option
            print("CONFIG_\(name)=\(kernel.config[name])")
          }
          return
        }
        print("release    \(kernel.release)")
        print("vermagic   \(kernel.vermagic)")
        print("config     \(kernel.config.origin?.description ?? "")")
        print("build tree \(kernel.buildTree?.string ?? "none")")
        print("modules    \(kernel.modulesDirectory?.string ?? "none installed")")
        print("vmlinux    \(kernel.vmlinux?.string ?? "none")")
        print("providers  \(kernel.providers.map(\.rawValue).joined(separator: ", "))")
        for miss in Preflight.misses(kernel.config) {
          print("\(miss.isFatal ? "MISSING" : "without") \(miss)")
        }
      }
    }
  }
}
