import GuestWire

/// A finding as a mail to whoever is to mend it: what was run on what, what came
/// of it, how to see it again.
struct HandOver {
  /// One for each finding that is no known one, in their order.
  static func all(of record: RunRecord) -> [String] {
    record.findings.filter { $0.known == nil }.map { finding in
      text(
        of: finding, in: record,
        reproduction: record.reproductions?.first { $0.fingerprint == finding.fingerprint })
    }
  }

  /// - Parameter reproduction: of runs on fresh guests, where there were any.
  static func text(
    of finding: Finding, in record: RunRecord, reproduction: Reproduction?
  ) -> String {
    var lines = [finding.title.oneLine, ""]
    func field(_ name: String, _ value: String?) {
      guard let value, !value.isEmpty else { return }
      lines.append("\(name): ".padded(to: 13) + value.oneLine)
    }
    field("Kernel", record.kernel?.release)
    field("Image", record.kernel?.sha256.map { "sha256 \($0)" })
    field("Config", record.kernel?.configOrigin)
    if let machine = record.machine {
      field(
        "Machine",
        "\(machine.name), \(machine.cpus) CPUs, \(machine.memoryMiB) MiB, \(machine.accelerator), "
          + "QEMU \(machine.qemuVersion)")
    }
    field("Harness", record.harness)
    let schedule = reproduction?.schedule ?? finding.schedule
    let trial = record.trials.first { $0.index == finding.trial }
    field("Schedule", schedule?.description)
    if schedule == nil { field("Trial", trial?.what) }
    field("Seed", record.seed)
    field("Rate", reproduction?.description)
    if !finding.claims.isEmpty {
      lines += ["", "It speaks against what the comments in shrink_memcg_cb() claim:"]
      lines += finding.claims.map { "  \($0.rawValue): \($0.sentence)" }
    }
    lines += ["", finding.details.oneLine]
    if !finding.frames.isEmpty {
      lines +=
        ["", "Stack:"] + finding.frames.prefix(16).flatMap(\.lines).map { "  \($0.oneLine)" }
    }
    if let rule = schedule.flatMap({
      ScheduleRule.rule(for: $0, on: record.kernel?.zswapLRU ?? .memcg)
    }) {
      lines += ["", "A sound kernel: \(rule.expectation).", rule.reason.oneLine]
    }
    if let work = schedule.map({ "--schedule \"\($0)\"" }) ?? trial?.scenarioOptions {
      lines += [
        "", "To see it again:",
        "  harness --kernel \(record.kernel?.name ?? "bzImage") \(work)"
          + guestOptions(of: record.commandLine).map { " \($0)" }.joined(),
      ]
    }
    if let excerpt = finding.excerpt {
      lines += ["", "Console:"]
      lines += excerpt.split(separator: "\n", omittingEmptySubsequences: false)
        .map { "  " + String($0).oneLine }
    }
    return lines.joined(separator: "\n") + "\n"
  }
}

extension HandOver {
  /// Options that decide what the guest is: without them it may be another, which passes.
  private static let ofGuest = [
    "--provider", "--machine", "--accelerator", "--cpus", "--memory", "--compressor", "--zpool",
    "--append", "--hold-timeout", "--pages",
  ]

  /// Those of a command line, as they were given.
  static func guestOptions(of commandLine: [String]) -> [String] {
    return commandLine.indices.flatMap { index -> [String] in
      let word = commandLine[index]
      if ofGuest.contains(word), commandLine.indices.contains(index + 1) {
        return [word, commandLine[index + 1].asShellWord]
      }
      let name = word.prefix { $0 != "=" }
      return name.count < word.count && ofGuest.contains(String(name)) ? [word.asShellWord] : []
    }
  }
}
