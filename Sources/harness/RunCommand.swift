import ArgumentParser
import Foundation
import GuestWire
import HarnessKit
import Nightly
import SystemPackage

/// The main job.
struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Race zswap writeback against all that may run beside it, and give a verdict.",
    discussion: """
      EXAMPLES
        harness --kernel arch/x86/boot/bzImage
        harness --kernel ~/linux/build     (the folder of a build, or the source with one in it)
        harness --kernel linux-image-6.12.0_6.12.0-1_amd64.deb
        harness --kernel vmlinuz --kernel-build /usr/src/linux-headers-6.12
        harness --schedule "writeback@unlocked > swapoff@trees-freed"
        git bisect run harness --kernel-tree . --bisect --finding "in shrink_memcg_cb"
        harness --scenario random --seed 7 --trials 500
        harness --kernel debian:6.1   (a stock kernel of Debian's, fetched if need be)
        harness                       (the same of 6.12)

      EXIT STATUS
        0 pass, 1 finding, 2 the harness or the host broke, 3 the kernel cannot be built,
        booted or used, 4 a window was not entered, 64 bad usage
        With --bisect, as git bisect run has it: 0 good, 1 bad, 125 nothing can be said about
        this kernel, 128 nothing could be said about any
      """)

  @Option(
    help: ArgumentHelp(
      "The kernel under test: a bzImage or vmlinuz, the folder of a build, a linux-image-….deb, or "
        + "a stock one of Debian's, which is fetched (default: debian:6.12).",
      valueName: "kernel|debian:release"),
    transform: kernelReference(parsing:))
  var kernel: KernelReference?

  @Option(
    help: ArgumentHelp(
      "Build the kernel under test from this source tree, as harness kernel build does.",
      valueName: "dir"))
  var kernelTree: String?

  @Option(
    name: .customLong("with"),
    help: ArgumentHelp(
      "With --kernel-tree: fragments of its configuration (default: kasan).",
      valueName: "fragment,..."))
  var fragments: FragmentList?

  @OptionGroup var parts: KernelPartsOptions

  @Option(help: ArgumentHelp("A zswap_hooks.ko built for that kernel elsewhere.", valueName: "ko"))
  var module: String?

  @Option(
    help: ArgumentHelp(
      "The run's folder (default: runs/<time>-<kernel>).", valueName: "dir"))
  var out: String?

  @Option(
    help: ArgumentHelp(
      "A schedule to run instead of the scenarios; may be repeated.",
      valueName: "point > point"),
    transform: parsedSchedule)
  var schedule: [Schedule] = []

  @Option(
    help: ArgumentHelp(
      "A file of schedules, one a line; what follows a # is left out.", valueName: "file"))
  var scheduleFile: String?

  @Option(
    help: ArgumentHelp(
      "Scenario to run; may be repeated (default: the sweep and both stresses): "
        + Scenario.ids.joined(separator: ", ") + ".",
      valueName: "id"),
    transform: { text in
      guard Scenario.ids.contains(text) else {
        throw ValidationError(
          "there is no scenario “\(text)”; there are " + Scenario.ids.joined(separator: ", "))
      }
      return text
    })
  var scenario: [String] = []

  @Option(
    help: ArgumentHelp(
      "Trials of the scenario random, for each provider (default: "
        + "\(RandomSchedules.defaultTrials)).",
      valueName: "number"))
  var trials: Int?

  @Option(
    help: ArgumentHelp(
      "Actors of the scenario random (default: writeback and one or two others, drawn anew).",
      valueName: "actor,actor[,actor]"),
    transform: { text in
      do { return try RandomSchedules.Actors(parsing: text) } catch {
        throw ValidationError("\(error)")
      }
    })
  var actors: RandomSchedules.Actors?

  @Option(help: "How to reach the hook points (default: each way that the kernel offers).")
  var provider: Provider?

  @Option(
    help: ArgumentHelp(
      "Seed of the pages' stamps, and of the scenario random (default: random).",
      valueName: "number"))
  var seed: UInt64?

  @Option(
    help:
      "Pages that a trial pushes out (default: as many as it wants; at most 24 on a small swap area)."
  )
  var pages: Int?

  @Option(help: "Length of the stress, in seconds.")
  var stressSeconds = Scenario.defaultStressSeconds

  @Option(
    help: "How long a hold may last, in seconds; KCSAN and the like get a multiple of it.")
  var holdTimeout = Scenario.defaultHoldTimeoutMilliseconds / 1000

  @Option(
    help: ArgumentHelp(
      "Begin no trial after this time, and say which were left: 90s, 10m, 1h.",
      valueName: "time"),
    transform: { try timeSpan(parsing: $0).seconds })
  var budget: Double?

  @Flag(help: "Begin no trial after the first finding.")
  var failFast = false

  @Flag(
    help: """
      Exit as git bisect run wants it; ends with the first finding, or the first that --finding \
      asks for; implies --confirm 0.
      """)
  var bisect = false

  @Option(
    help: ArgumentHelp(
      "The finding that is looked for, by its fingerprint or a part of its title: with --bisect,"
        + " any other is a commit to skip.",
      valueName: "text"))
  var finding: String?

  @Option(
    help: "How often each of the first findings is tried again on a fresh guest; 0 for never.")
  var confirm = RunRequest.defaultReproductions

  @Option(help: "Machine: a file of qemu/machines.")
  var machine = "q35"

  @Option(help: "auto, kvm or tcg; auto finds out by booting.")
  var accelerator = AcceleratorChoice.auto

  @Option(help: "Guest memory in MiB (default: the machine's, or more for a sanitizer).")
  var memory: Int?

  @Option(help: "Guest CPUs (default: the machine's).")
  var cpus: Int?

  @Option(
    help: ArgumentHelp(
      "Further words of the guest kernel's command line; may be repeated.",
      discussion: "They come last, where they win: --append 'earlyprintk=ttyS0 slub_debug=FZP'.",
      valueName: "words"))
  var append: [String] = []

  @Option(help: "Only the trials whose swap is on this (default: all).")
  var swap: TrialSetup.Swap?

  @Option(help: "zswap's compressor, which the kernel has to have built in (default: its own).")
  var compressor: String?

  @Option(help: "zswap's zpool, likewise.")
  var zpool: String?

  @Option(
    help: ArgumentHelp(
      "Run only this part of the trials, for several machines: 2/4 is every fourth from the second.",
      valueName: "number/count"),
    transform: { text in
      guard let part = RunPart(text) else {
        throw ValidationError("“\(text)” is no part: write 2/4, of 1000 at the most")
      }
      return part
    })
  var part: RunPart?

  @OptionGroup var guests: JobsOption

  @Flag(
    inversion: .prefixedNo,
    help: "Start guests from one that was saved when it was ready, or boot each one.")
  var snapshot = true

  // For the tests of lost guests.
  @Option(help: .hidden) var guestFault: String?
  @Option(help: .hidden) var silenceLimit = GuestRun.silenceLimit

  func validate() throws {
    // With one, an entry that is rotated stays at the head.
    guard (2...2048).contains(pages ?? 2) else { throw ValidationError("--pages is 2 to 2048") }
    guard (0...1000).contains(confirm) else { throw ValidationError("--confirm is 0 to 1000") }
    guard (1...100_000).contains(trials ?? 1) else {
      throw ValidationError("--trials is 1 to 100000")
    }
    guard actors == nil && trials == nil || scenario.contains(Scenario.randomID) else {
      throw ValidationError("--actors and --trials are those of --scenario random")
    }
    guard fragments == nil || kernelTree != nil else {
      throw ValidationError(
        "--with is for the kernel that --kernel-tree builds; see harness kernel build")
    }
    guard (1...255).contains(cpus ?? 1) else { throw ValidationError("--cpus is 1 to 255") }
    guard (128...1_048_576).contains(memory ?? 128) else {
      throw ValidationError("--memory is 128 to 1048576")
    }
    guard stressSeconds > 0 else { throw ValidationError("--stress-seconds is above zero") }
    guard holdTimeout > 0, holdTimeout <= 600 else {
      throw ValidationError("--hold-timeout is 1 to 600")
    }
    guard kernel == nil || kernelTree == nil else {
      throw ValidationError("give --kernel or --kernel-tree, not both")
    }
    guard schedule.isEmpty && scheduleFile == nil || scenario.isEmpty else {
      throw ValidationError("give schedules or --scenario, not both")
    }
  }

  func run() async throws {
    let schedules = schedule + (try scheduleFile.map(Self.read(schedules:)) ?? [])
    let seed = self.seed ?? UInt64.random(in: .min ... .max)
    let named = scenario.compactMap { id in
      id == Scenario.randomID
        ? Scenario.random(
          seed: seed, trials: trials ?? RandomSchedules.defaultTrials, actors: actors)
        : Scenario.named(id)
    }
    let scenarios =
      (!schedules.isEmpty
      ? [Scenario.custom(schedules)] : named.isEmpty ? Scenario.standard : named)
      .map { scenario in swap.map { scenario.on($0) } ?? scenario }
    if let swap, scenarios.allSatisfy(\.works.isEmpty) {
      throw ValidationError("no trial of these has swap=\(swap.rawValue)")
    }
    var request = RunRequest(
      scenarios: scenarios, seed: seed, commandLine: CommandLine.arguments)
    request.kernel = kernel
    request.kernelParts = parts.parts
    request.module = module
    request.out = out
    request.providers = provider.map { [$0] }
    request.pages = pages
    request.stressSeconds = stressSeconds
    request.holdTimeoutMilliseconds = holdTimeout * 1000
    request.machine = machine
    request.accelerator = accelerator
    request.memoryMiB = memory
    request.cpus = cpus
    request.compressor = compressor
    request.zpool = zpool
    request.part = part
    request.silenceLimit = silenceLimit
    request.budgetSeconds = budget
    // A loss that was asked for comes again each time.
    request.reproductions = guestFault == nil && !bisect ? confirm : 0
    // A finding of another kind must not hide the one that is looked for.
    request.failsFast = failFast || bisect && finding == nil
    request.stopsAtTarget = bisect && finding != nil
    request.target = finding
    request.jobs = guests.jobs
    // The fault is a word of the kernel's command line: each would be saved apart.
    request.snapshot = snapshot && guestFault == nil
    request.kernelWords =
      append.flatMap { $0.split(separator: " ").map(String.init) }
      + (guestFault.map { ["zswap_harness.fault=\($0)"] } ?? [])

    try await reportingFailures { [request] in
      let checkout = try Checkout.locate()
      let cache = try Cache.standard()
      var request = request
      if let kernelTree {
        var build = KernelBuild()
        build.source = .directory(FilePath(kernelTree))
        build.fragments = fragments?.names ?? ["kasan"]
        request.kernel = .image(try await build.image(checkout: checkout, cache: cache))
      }
      let progress = StatusLine()
      defer { progress.finish() }
      let job = HarnessRun(request, checkout: checkout, cache: cache, progress: progress)
      let outcome: HarnessRun.Outcome
      do {
        outcome = try await Interruption.cancelling { try await job.run() }
      } catch let unwritten as HarnessRun.UnwrittenResults {
        // Here and nowhere else.
        progress.finish()
        Self.show(unwritten.outcome)
        throw unwritten
      }
      progress.finish()
      Self.show(outcome)
      Progress.note("results: \(outcome.folder)")
      throw ExitCode(
        bisect
          ? BisectExit.code(of: outcome.record, target: finding) : outcome.record.exitCode)
    }
  }
}

extension RunCommand {
  private static func show(_ outcome: HarnessRun.Outcome) {
    print(TextReport.text(of: outcome.record, colour: isatty(STDOUT_FILENO) == 1), terminator: "")
  }

  /// The schedules of a file; an error names the line.
  private static func read(schedules path: String) throws -> [Schedule] {
    let text: String
    do {
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch {
      throw ValidationError("cannot read \(path): \(error.localizedDescription)")
    }
    let schedules: [Schedule]
    do throws(Schedule.ListError) {
      schedules = try Schedule.list(parsing: text)
    } catch {
      throw ValidationError("\(path), \(error)")
    }
    guard !schedules.isEmpty else { throw ValidationError("there is no schedule in \(path)") }
    return schedules
  }
}

extension Provider: ExpressibleByArgument {}
extension TrialSetup.Swap: ExpressibleByArgument {}
extension AcceleratorChoice: ExpressibleByArgument {}
