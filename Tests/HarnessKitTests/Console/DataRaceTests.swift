import GuestWire
import Testing

@testable import HarnessKit

/// Which data races are zswap's business. What is not known to be elsewhere is a finding.
@Suite struct DataRaceTests {
  private func splat(_ title: String, _ writer: [String], _ reader: [String]?) -> Splat {
    func stack(_ frames: [String]) -> [String] { frames.map { " \($0)+0x1/0x20" } }
    var lines = ["BUG: KCSAN: data-race in \(title)", ""]
    lines +=
      ["write to 0xffffffff81ca5d08 of 8 bytes by interrupt on cpu 1:"] + stack(writer) + [""]
    if let reader {
      lines += ["read to 0xffffffff81ca5d08 of 8 bytes by task 56 on cpu 0:"] + stack(reader) + [""]
    }
    return Splat(
      kind: .kcsan, title: "KCSAN: data-race in \(title)", fingerprint: title, frames: [],
      task: "writeback", pid: 56, seconds: 3,
      excerpt: lines.map { "[  264.835255] \($0)" }.joined(separator: "\n"),
      inHarnessModule: false)
  }

  /// As KCSAN reported it on 6.12: the timekeeper's latch, read by our module's record.
  private var clock: Splat {
    splat(
      "ktime_get_mono_fast_ns / timekeeping_update",
      ["timekeeping_update", "timekeeping_advance", "update_wall_time"],
      ["ktime_get_mono_fast_ns", "zh_record", "zh_hit", "zswap_writeback_entry"])
  }

  @Test func `a race of the kernel's clock is none of zswap's, whoever asked for the time`() {
    #expect(clock.isRaceElsewhere)
  }

  @Test func `an interrupt that came in the middle of zswap is none of zswap's`() {
    let race = splat(
      "update_process_times / tick_sched_timer",
      ["tick_sched_timer", "asm_sysvec_apic_timer_interrupt", "zswap_store"],
      ["update_process_times", "tick_sched_handle"])
    #expect(race.isRaceElsewhere)
  }

  @Test(arguments: [
    ["zswap_entry_free"], ["list_del", "shrink_memcg_cb"],
    ["percpu_ref_put_many", "zswap_pool_put"],
    ["list_lru_add"], ["__list_del_entry", "xas_store"], ["zh_record"], [],
  ])
  func `a race that may be zswap's on either side is a finding`(side: [String]) {
    let other = ["timekeeping_update", "timekeeping_advance"]
    #expect(!splat("a / b", side, other).isRaceElsewhere)
    #expect(!splat("a / b", other, side).isRaceElsewhere)
  }

  @Test func `a race of which one side is not known is a finding`() {
    #expect(!splat("a", ["timekeeping_update"], nil).isRaceElsewhere)
  }

  @Test func `a race elsewhere is told, speaks against no claim, and excuses nothing`() throws {
    let judgement = Trials.judge(
      Trials.unlocked, Trials.interleaved(index: 0), splats: [clock])
    let finding = try #require(judgement.findings.first { $0.title.contains("KCSAN") })
    #expect(finding.known == .raceElsewhere)
    #expect(finding.claims.isEmpty)
    #expect(judgement.verdict == .pass)
    let zswap = splat("zswap_entry_free / zswap_load", ["zswap_entry_free"], ["zswap_load"])
    let failed = Trials.judge(Trials.unlocked, Trials.interleaved(index: 0), splats: [zswap])
    #expect(failed.verdict.titles == ["KCSAN: data-race in zswap_entry_free / zswap_load"])
  }

  @Test func `a race elsewhere excuses neither an actor that was killed nor one that stands still`()
  {
    var report = Trials.interleaved(index: 0)
    report.actors[0].end = .signalled(9)
    #expect(
      Trials.judge(Trials.unlocked, report, splats: [clock]).verdict.titles
        == ["writeback killed"])
    report.actors[0].end = .stalled(wchan: "rwsem_down_read_slowpath", stack: [])
    #expect(
      Trials.judge(Trials.unlocked, report, splats: [clock]).findings.contains {
        $0.kind == .stall
      })
    report = Trials.interleaved(index: 0)
    report.rest.append(RestMeasurement(name: RestFigure.taint, expected: 4096, observed: 4608))
    #expect(
      Trials.judge(Trials.unlocked, report, splats: [clock]).findings.contains {
        $0.kind == .invariant
      })
  }
}
