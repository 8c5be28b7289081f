import ArgumentParser
import Foundation
import HarnessKit
import Nightly

/// `harness cache …`: what is kept of earlier runs.
struct CacheCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cache",
    abstract: "Shows and prunes what is kept of earlier runs: kernels, trees, guests.",
    discussion: """
      All of it is made again where it is needed: a kernel takes some ten minutes. It is in
      $ZSWAP_HARNESS_CACHE, else in zswap-harness in $XDG_CACHE_HOME or ~/.cache.

      EXAMPLES
        harness cache
        harness cache prune --keep 30d --dry-run
      """,
    subcommands: [List.self, Prune.self], defaultSubcommand: List.self)

  /// What is in the directories of a cache.
  private static let kinds = [
    "fetched": "Debian's kernels, with their modules",
    "guest": "guest agents and initramfs",
    "kernels": "kernels that were built",
    "modules": "the harness's module, for one kernel each",
    "packages": "Debian's packages",
    "programs": "programs of others that run in guests",
    "snapshots": "guests, as they were when ready",
    "sources": "kernel sources",
    "successive": "trees that bisections and series build in",
    "trees": "trees that nightly follows",
  ]

  /// `harness cache list`
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Shows what is there, by kind, and how much of it is old.",
      discussion: """
        Examples:
          harness cache
        """)

    func run() async throws {
      try await reportingFailures {
        let cache = try Cache.standard()
        let entries = measured { cache.contents(willMeasure: $0) }
        print("\(cache.root): \(size(entries))")
        let old = Date().addingTimeInterval(-30 * 86_400)
        for (kind, ofKind) in Dictionary(grouping: entries, by: \.kind).sorted(by: { left, right in
          left.value.totalBytes > right.value.totalBytes
        }) {
          let unused = ofKind.filter { $0.lastUse < old }
          print(
            size(ofKind).leftPadded(to: 10) + "\(ofKind.count)".leftPadded(to: 6) + "  "
              + (CacheCommand.kinds[kind] ?? kind)
              + (unused.isEmpty ? "" : "; \(size(unused)) not used for 30 days"))
        }
      }
    }
  }

  /// `harness cache prune`
  struct Prune: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Removes what was not used for long.",
      discussion: """
        What a bisection, a series or a night builds in at the moment stays.

        Examples:
          harness cache prune --keep 30d --dry-run
          harness cache prune --keep 7d
        """)

    @Option(help: "Since when it must have been used: 30d.", transform: timeSpan(parsing:))
    var keep: TimeSpan
    @Flag(help: "Only say what would be removed.") var dryRun = false

    func validate() throws {
      // By its start a run has used what it needs, until its last guest boots.
      guard keep.seconds >= 86_400 else {
        throw ValidationError("--keep below 1d could take from a run what it uses")
      }
    }

    func run() async throws {
      try await reportingFailures {
        let cache = try Cache.standard()
        let gone = measured {
          cache.prune(
            unusedSince: Date().addingTimeInterval(-keep.seconds), isDryRun: dryRun,
            willMeasure: $0)
        }
        for entry in gone {
          print(
            size([entry]).leftPadded(to: 10) + "  \(entry.kind)/\(entry.name)  last used "
              + entry.lastUse.formatted(.iso8601))
        }
        print("\(size(gone)) \(dryRun ? "would be" : "were") removed, \(gone.count) entries")
      }
    }
  }
}

private func measured(_ entries: ((String) -> Void) -> [Cache.Entry]) -> [Cache.Entry] {
  let progress = StatusLine()
  progress.phase("measuring what is there")
  defer { progress.finish() }
  return entries { progress.update("measuring \($0)") }
}

private func size(_ entries: [Cache.Entry]) -> String {
  let megabytes = Double(entries.totalBytes) / 1e6
  return megabytes < 100
    ? "\(TimeText.fixed(megabytes, 1)) MB" : "\(TimeText.fixed(megabytes / 1e3, 1)) GB"
}

extension [Cache.Entry] {
  fileprivate var totalBytes: UInt64 { reduce(0) { $0 + $1.bytes } }
}
