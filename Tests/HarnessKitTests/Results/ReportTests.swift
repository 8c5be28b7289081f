import GuestWire
import Testing

@testable import HarnessKit

@Suite struct ReportTests {
  @Test func `KTAP of a pass`() {
    #expect(
      KTAPReport.text(of: Records.passed) == """
        KTAP version 1
        1..3
          KTAP version 1
          1..2
          # outcome: interleaved
          ok 1 writeback@unlocked > swapoff@trees-freed [patch]
          # outcome: excluded (swapoff asleep in folio_wait_bit_common)
          ok 2 writeback@pinned > swapoff@trees-freed [patch]
        ok 1 swapoff-race
          KTAP version 1
          1..8
          ok 1 S1 an unlocked entry may be freed # SKIP not exercised: “writeback@unlocked > invalidate@freed” was not exercised with the provider patch
          ok 2 S2 the swap entry on the stack pins the slot
          ok 3 S3 the entry is compared before it is dereferenced # SKIP not exercised: “writeback@unlocked > store@done” was not exercised with the provider patch
          ok 4 S4 the locked folio secures the swapcache # SKIP not exercised: “writeback@pinned > load@end” was not exercised with the provider patch
          ok 5 S5 the locked folio keeps swapoff from the trees # SKIP not exercised: “writeback@claimed > swapoff@trees-freed” was not exercised with the provider patch
          ok 6 S6 the entry is rotated before the lock is dropped # SKIP not exercised: “writeback@unlocked > shrinker@isolated” was not exercised with the provider patch
          ok 7 S7 the free path unlinks the entry # SKIP not exercised: “writeback@submit > shrinker@isolated” was not exercised with the provider patch
          ok 8 S8 rotation is right for failures too # SKIP not exercised: “writeback@done > shrinker@isolated fail=pin” was not exercised with the provider patch
        ok 2 claims
        ok 3 run

        """)
  }

  @Test func `KTAP of a failure nests, skips, and tells the run`() {
    #expect(
      KTAPReport.text(of: Records.failed) == """
        KTAP version 1
        1..4
          KTAP version 1
          1..2
          # splat: KASAN: slab-use-after-free in shrink_memcg_cb (09cc759560c076b1)
          # known upstream: list_lru_node.nr_items drifts
          not ok 1 writeback@unlocked > swapoff@trees-freed [patch]
          ok 2 writeback@pinned > swapoff@trees-freed [patch] # SKIP not exercised: the guest was lost
        not ok 1 swapoff-race
          KTAP version 1
          1..1
          # outcome: ran
          ok 1 swapoff stress for 30 s [patch]
        ok 2 swapoff-stress
          KTAP version 1
          1..8
          # violated by: writeback@unlocked > swapoff@trees-freed
          not ok 1 S1 an unlocked entry may be freed
          # violated by: writeback@unlocked > swapoff@trees-freed
          not ok 2 S2 the swap entry on the stack pins the slot
          ok 3 S3 the entry is compared before it is dereferenced # SKIP not exercised: “writeback@unlocked > store@done” was not exercised with the provider patch
          ok 4 S4 the locked folio secures the swapcache # SKIP not exercised: “writeback@pinned > load@end” was not exercised with the provider patch
          ok 5 S5 the locked folio keeps swapoff from the trees # SKIP not exercised: “writeback@pinned > swapoff@trees-freed” was not exercised with the provider patch
          ok 6 S6 the entry is rotated before the lock is dropped # SKIP not exercised: “writeback@unlocked > shrinker@isolated” was not exercised with the provider patch
          ok 7 S7 the free path unlinks the entry # SKIP not exercised: “writeback@submit > shrinker@isolated” was not exercised with the provider patch
          ok 8 S8 rotation is right for failures too # SKIP not exercised: “writeback@done > shrinker@isolated fail=pin” was not exercised with the provider patch
        not ok 3 claims
        not ok 4 run

        """)
  }

  @Test func `JUnit of a failure`() {
    #expect(
      JUnitReport.text(of: Records.failed) == """
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="zswap-harness" tests="12" failures="4" errors="0" skipped="7" time="42.000">
          <testsuite name="swapoff-race" tests="2" failures="1" errors="0" skipped="1">
            <testcase classname="zswap-harness.swapoff-race" name="0 writeback@unlocked &gt; swapoff@trees-freed [patch]" time="1.250">
              <failure message="KASAN: slab-use-after-free in shrink_memcg_cb">KASAN: slab-use-after-free in shrink_memcg_cb (09cc759560c076b1)
        kasan report by task writeback at 3.0 s
        BUG: KASAN: slab-use-after-free in shrink_memcg_cb</failure>
            </testcase>
            <testcase classname="zswap-harness.swapoff-race" name="1 writeback@pinned &gt; swapoff@trees-freed [patch]" time="0.000">
              <skipped message="not exercised: the guest was lost"/>
            </testcase>
          </testsuite>
          <testsuite name="swapoff-stress" tests="1" failures="0" errors="0" skipped="0">
            <testcase classname="zswap-harness.swapoff-stress" name="2 swapoff stress for 30 s [patch]" time="0.000"/>
          </testsuite>
          <testsuite name="claims" tests="8" failures="2" errors="0" skipped="6">
            <testcase classname="zswap-harness.claims" name="S1 an unlocked entry may be freed" time="0.000">
              <failure message="S1 violated: writeback@unlocked &gt; swapoff@trees-freed">As soon as the LRU lock is dropped, the entry can be freed by a concurrent invalidation.</failure>
            </testcase>
            <testcase classname="zswap-harness.claims" name="S2 the swap entry on the stack pins the slot" time="0.000">
              <failure message="S2 violated: writeback@unlocked &gt; swapoff@trees-freed">The swp_entry_t on the stack lets writeback pin the swap entry.</failure>
            </testcase>
            <testcase classname="zswap-harness.claims" name="S3 the entry is compared before it is dereferenced" time="0.000">
              <skipped message="not exercised: “writeback@unlocked &gt; store@done” was not exercised with the provider patch"/>
            </testcase>
            <testcase classname="zswap-harness.claims" name="S4 the locked folio secures the swapcache" time="0.000">
              <skipped message="not exercised: “writeback@pinned &gt; load@end” was not exercised with the provider patch"/>
            </testcase>
            <testcase classname="zswap-harness.claims" name="S5 the locked folio keeps swapoff from the trees" time="0.000">
              <skipped message="not exercised: “writeback@pinned &gt; swapoff@trees-freed” was not exercised with the provider patch"/>
            </testcase>
            <testcase classname="zswap-harness.claims" name="S6 the entry is rotated before the lock is dropped" time="0.000">
              <skipped message="not exercised: “writeback@unlocked &gt; shrinker@isolated” was not exercised with the provider patch"/>
            </testcase>
            <testcase classname="zswap-harness.claims" name="S7 the free path unlinks the entry" time="0.000">
              <skipped message="not exercised: “writeback@submit &gt; shrinker@isolated” was not exercised with the provider patch"/>
            </testcase>
            <testcase classname="zswap-harness.claims" name="S8 rotation is right for failures too" time="0.000">
              <skipped message="not exercised: “writeback@done &gt; shrinker@isolated fail=pin” was not exercised with the provider patch"/>
            </testcase>
          </testsuite>
          <testsuite name="run" tests="1" failures="1" errors="0" skipped="0">
            <testcase classname="zswap-harness.run" name="run" time="42.000">
              <failure message="KASAN: slab-use-after-free in shrink_memcg_cb">KASAN: slab-use-after-free in shrink_memcg_cb (09cc759560c076b1)
        kasan report by task writeback at 3.0 s
        BUG: KASAN: slab-use-after-free in shrink_memcg_cb</failure>
            </testcase>
          </testsuite>
        </testsuites>

        """)
  }

  @Test func `text of a pass`() {
    #expect(
      TextReport.text(of: Records.passed) == """
        pass  writeback@unlocked > swapoff@trees-freed [patch]: interleaved
        pass  writeback@pinned > swapoff@trees-freed [patch]: excluded (swapoff asleep in folio_wait_bit_common)

        S1 not exercised
        S2 held
        S3 not exercised
        S4 not exercised
        S5 not exercised
        S6 not exercised
        S7 not exercised
        S8 not exercised

        verdict: pass (S1, S3, S4, S5, S6, S7, S8 not exercised)

        """)
  }

  @Test func `what a kernel lacks is said once, however many schedules need it`() {
    let absent = (0..<60).map { index in
      (
        TrialJudgement.unreported(
          Trials.spec(Trials.pinned, index: index), splats: [],
          why: index < 59 ? "writeback@pinned is absent" : "the guest was lost"),
        TrialReport?.none
      )
    }
    let lines = TextReport.text(of: Records.record(absent)).split(separator: "\n")
    #expect(lines[0] == "skip  59 trials [patch]: not exercised: writeback@pinned is absent")
    #expect(lines[1].hasSuffix("[patch]: not exercised: the guest was lost"))
    #expect(lines.contains("not exercised: … and 55 more, in ktap.txt"))
    #expect(lines.last == "verdict: not exercised")
    #expect(lines.count == 17)
  }

  @Test func `what a pass does not say stands above the verdict, a guest's words on one line`() {
    var record = Records.passed
    record.notes = ["CONFIG_KASAN is not set:\nS1 and S5 hold only as far as data show"]
    let text = TextReport.text(of: record)
    #expect(
      text.contains(
        "\nnote: CONFIG_KASAN is not set: S1 and S5 hold only as far as data show\n\nS1 "))
    #expect(record.noteOfTrialsWithoutRule == nil)
    record.trials[0].notes = [Judge.noRule]
    #expect(record.noteOfTrialsWithoutRule?.contains("1 of 2 trials") == true)
  }

  @Test func `what one provider alone could not do is told with the way round it`() {
    let absent = (
      TrialJudgement.unreported(
        Trials.spec(Trials.pinned, index: 1, provider: .ftrace), splats: [], why: "absent"),
      Optional<TrialReport>.none
    )
    let record = Records.record([Records.unlocked, absent])
    #expect(
      TextReport.text(of: record).contains(
        "\nall of it with the provider ftrace: --provider patch runs without it\n"))
    // Where both lack something, or there is one only, there is no such way.
    let other = (
      TrialJudgement.unreported(Trials.spec(Trials.pinned, index: 2), splats: [], why: "absent"),
      Optional<TrialReport>.none
    )
    #expect(Records.record([Records.unlocked, absent, other]).hintAtProvider == nil)
    #expect(Records.record([absent]).hintAtProvider == nil)
    #expect(Records.passed.hintAtProvider == nil)
  }

  @Test func `text of another tool's run says that it shows nothing, and what it covered`() {
    let text = TextReport.text(of: Records.compared)
    #expect(text.contains("test_zswap for 120 s"))
    #expect(text.contains("a stress alone does not show that any window was entered"))
    #expect(text.contains("mm/zswap.c: lines 90.0 % (9 of 10), branches 37.5 % (3 of 8)"))
  }

  @Test func `text of a failure has the schedule to paste, and the verdict last`() {
    #expect(
      TextReport.text(of: Records.failed) == """
        fail  writeback@unlocked > swapoff@trees-freed [patch]: interleaved; KASAN: slab-use-after-free in shrink_memcg_cb
        skip  writeback@pinned > swapoff@trees-freed [patch]: not exercised: the guest was lost
        pass  swapoff stress for 30 s [patch]: ran

        finding: KASAN: slab-use-after-free in shrink_memcg_cb
          --schedule "writeback@unlocked > swapoff@trees-freed"
          violates S1, S2
          kasan report by task writeback at 3.0 s
            shrink_memcg_cb at mm/zswap.c:1300
            __list_lru_walk_one
          fingerprint 09cc759560c076b1
          again on fresh guests: 5 of 5 runs (95 % interval 56 to 100 %), median 0.5 s after the guest was ready

        known upstream: invariant: nr_items
          --schedule "writeback@unlocked > swapoff@trees-freed"
          shrink_memcg_cb() frees the entry, whose list_lru_del() decrements nlru->nr_items, and returns LRU_REMOVED_RETRY, for which __list_lru_walk_one() decrements it again. Only list_lru_count_node() reads it, which zswap does not call.
          fingerprint 850c918aad806c00

        S1 violated: writeback@unlocked > swapoff@trees-freed
        S2 violated: writeback@unlocked > swapoff@trees-freed
        S3 not exercised
        S4 not exercised
        S5 not exercised
        S6 not exercised
        S7 not exercised
        S8 not exercised

        verdict: fail

        """)
  }

  @Test func `KTAP of a run that broke fails with the reason`() {
    let record = Records.record([], failures: [HarnessFailure(.harness, "QEMU # died\nat once")])
    let lines = KTAPReport.text(of: record).split(separator: "\n")
    #expect(lines.prefix(2) == ["KTAP version 1", "1..2"])
    #expect(lines.last == "not ok 2 run # ERROR QEMU   died at once")
    #expect(lines.contains("ok 1 claims # SKIP"))
  }

  @Test func `a run that did not finish is an error in every format`() {
    let record = RunRecord(begun: Records.start, commandLine: [], seed: 1)
    #expect(KTAPReport.text(of: record).contains("not ok 2 run # ERROR did not finish"))
    #expect(JUnitReport.text(of: record).contains(#"<error message="did not finish"/>"#))
    let text = TextReport.text(of: record)
    #expect(text.hasPrefix("error: did not finish\n"))
    #expect(text.hasSuffix("\nverdict: error\n"))
  }

  @Test func `a finding outside of any trial is not lost in any format`() {
    let stray = Judge.stray([Trials.splat("WARNING in zswap_setup", kind: .warning)]).findings
    let record = Records.record([Records.unlocked, Records.pinned], stray: stray)
    #expect(KTAPReport.text(of: record).contains("# splat: WARNING in zswap_setup ("))
    #expect(KTAPReport.text(of: record).hasSuffix("not ok 3 run\n"))
    #expect(JUnitReport.text(of: record).contains(#"<failure message="WARNING in zswap_setup">"#))
    #expect(TextReport.text(of: record).contains("finding: WARNING in zswap_setup"))
  }

  @Test func `what a guest prints cannot break out of a report`() {
    let evil = "</failure>&\"\u{1B}[2J\u{0}#\nok 99 all\u{85}fine"
    let bad = Trials.judge(
      Trials.unlocked, Trials.interleaved(), splats: [Trials.splat(evil)])
    let record = Records.record([(bad, nil)])
    let junit = JUnitReport.text(of: record)
    #expect(junit.contains("&lt;/failure&gt;&amp;&quot;[2J#"))
    #expect(!junit.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" || $0.value == 0x85 })
    #expect(
      !KTAPReport.text(of: record).split(separator: "\n").contains {
        $0.contains("ok 99") && !$0.contains("# splat")
      })
    #expect(!TextReport.text(of: record).contains("\u{1B}"))
  }

  @Test func `colour is asked for`() {
    #expect(!TextReport.text(of: Records.failed).contains("\u{1B}"))
    #expect(TextReport.text(of: Records.failed, colour: true).contains("\u{1B}[31mverdict: fail"))
  }
}
