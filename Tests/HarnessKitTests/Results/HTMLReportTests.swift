import Foundation
import GuestWire
import Testing

@testable import HarnessKit

@Suite struct HTMLReportTests {
  /// Of a page, without what is the harness's own.
  private static func body(of page: String) throws -> Substring {
    page[try #require(page.range(of: "</style>")).upperBound...]
      .replacing(HTMLReport.script, with: "")[...]
  }

  @Test func `what the guest says is text, in every place that shows it`() throws {
    let evil = "'><script>alert(1)</script><img src=x onerror=\"a\">&\u{1B}[2J\u{0}\u{85}\u{202E}"
    // A quote under an accent is another character, and the same end of an attribute.
    let accent = "\"\u{301} onmouseover=alert(2) x=\"\u{301}"
    var report = Trials.excluded(index: 0)
    for index in report.events.indices { report.events[index].task = evil + accent }
    for index in report.actors.indices { report.actors[index].name += evil + accent }
    report.hold?.blocked?.wchan = evil + accent
    report.hold?.blocked?.stack = [evil, accent]
    report.counts = [evil + accent: 3]
    var judgement = Trials.judge(
      Trials.pinned, Trials.excluded(index: 0), splats: [Trials.splat(evil + accent)])
    judgement.findings[0].excerpt = evil + accent + "\n" + evil
    judgement.findings[0].details = evil + accent
    judgement.findings[0].frames = [StackFrame(function: evil + accent, module: accent)]
    judgement.findings.append(
      Finding(
        kind: .invariant, title: evil + accent, details: evil,
        known: KnownNote(title: accent, explanation: evil)))
    judgement.outcome = .notExercised(evil + accent)
    judgement.reasons = [evil, accent]
    judgement.notes = [evil + accent]
    judgement.failures = [HarnessFailure(.harness, evil + accent)]
    var record = Records.record([(judgement, report)])
    record.kernel?.release = evil + accent
    record.commandLine.append(evil + accent)
    record.notes = [evil + accent]
    record.reasons = [evil + accent]
    record.error = HarnessFailure(.harness, evil + accent)
    record.claims[0].violatedBy = [evil + accent]
    let page = try HTMLReport.text(of: record)
    let body = try Self.body(of: page)
    #expect(!body.contains("<script>alert"))
    #expect(!body.contains("<img"))
    #expect(body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
    // By bytes: a string's own search goes by characters.
    let quotes = Data("\"\u{301}".utf8)
    #expect(Data(body.utf8).range(of: quotes) == nil)
    #expect(
      !page.unicodeScalars.contains {
        $0.value < 0x20 && $0 != "\n" && $0 != "\t" || (0x7F...0x9F).contains($0.value)
          || $0.value == 0x202E
      })
    #expect(body.ranges(of: "<script>").count == 1)
    #expect(page.hasSuffix("</script>\n</body>\n</html>\n"))
  }

  @Test func `every trial of a run is on its page, and each pair's cell leads to one`() throws {
    let record = PageRecords.record(trials: 60)
    let page = try HTMLReport.text(of: record)
    for trial in record.trials {
      #expect(page.contains(#"id="t\#(trial.index)""#))
      let schedule = try #require(trial.schedule)
      let tip = #"title="\#(schedule.description.pageText)"#
      #expect(page.contains(tip), "no cell of \(schedule)")
    }
    let links = page.matches(of: /href="#(t[0-9]+)"/).map(\.output.1)
    #expect(!links.isEmpty)
    #expect(links.allSatisfy { page.contains("id=\"\($0)\"") })
  }

  @Test func `each link on a page has its end there`() throws {
    let page = try HTMLReport.text(of: PageRecords.record(trials: 80))
    let ends = Set(page.matches(of: /\sid="([^"]+)"/).map(\.output.1))
    let links = Set(page.matches(of: /href="#([^"]+)"/).map(\.output.1))
    #expect(links.subtracting(ends).isEmpty)
    #expect(page.matches(of: /(src|href)="[^#d]/).isEmpty, "something is fetched")
  }

  @Test func `a cell shows the worst outcome of its trials, and how many they are`() throws {
    let good = Records.unlocked
    var judgement = good.0
    judgement.spec.index = 1
    judgement.reasons = ["nobody came"]
    judgement.outcome = .notExercised("nobody came")
    var bad = good.0
    bad.spec.index = 2
    bad.findings = [Finding(kind: .stall, title: "swapoff stalled", details: "")]
    let record = Records.record([good, (judgement, nil), (bad, nil), good])
    let matrix = try #require(RaceMatrix.all(of: record).first?.whole)
    let trials = matrix.trials(of: .writebackUnlocked, until: .swapoffTreesFreed)
    #expect(trials.count == 4)
    #expect(RaceMatrix.shown(of: trials)?.index == 2)
    #expect(RaceMatrix.shown(of: Array(trials.prefix(2)))?.index == 1)
    let page = try HTMLReport.text(of: record)
    #expect(page.contains(##"<td class="finding first"><a href="#t2""##))
    #expect(page.contains("4 trials: 1 finding, 1 not exercised, 2 interleaved"))
    #expect(page.contains("F<sub>4</sub>"))
  }

  @Test func `the page says how often a finding came again, and what its guests were`() throws {
    let page = try HTMLReport.text(of: Records.failed)
    #expect(
      page.contains(
        "Again on fresh guests: 5 of 5 runs (95 % interval 56 to 100 %), "
          + "median 0.5 s after the guest was ready."))
    #expect(page.contains("1 booted (ready after 2.7 s), 1 restored, never ready"))
    #expect(page.contains("1250 ms, 900 of them: race"))
  }

  @Test func `a finding counts for more than an error, and that for more than a doubt`() {
    #expect(
      TrialMark.allCases.sorted() == [
        .ran, .returned, .excluded, .interleaved, .notExercised, .error, .finding,
      ])
    #expect(Set(TrialMark.allCases.map(\.letter)).count == TrialMark.allCases.count)
    #expect(TrialMark(TrialRecord(Records.pinned.0, report: nil)) == .excluded)
    let avoids = Trials.judge(Trials.avoided, Trials.avoids())
    #expect(TrialMark(TrialRecord(avoids, report: nil)) == .returned)
    #expect(Records.failed.trials.map(TrialMark.init) == [.finding, .notExercised, .ran])
  }

  @Test func `actors' points stand together in the matrix, in the catalogue's order`() throws {
    let matrix = try #require(RaceMatrix.all(of: PageRecords.record(trials: 100)).first?.whole)
    for points in [matrix.holds, matrix.untils] {
      let order = HookPoint.catalogue
      for actor in Set(points.map(\.actor)) {
        let places = points.indices.filter { points[$0].actor == actor }
        #expect(places == Array(places[0]..<places[0] + places.count))
        let inCatalogue = places.compactMap { order.firstIndex(of: points[$0]) }
        #expect(inCatalogue == inCatalogue.sorted())
      }
    }
  }

  @Test func `a finding says how to see it again, and links to its trials`() throws {
    let page = try HTMLReport.text(of: Records.failed)
    #expect(
      page.contains(
        #"<pre class="schedule">--schedule "writeback@unlocked &gt; swapoff@trees-freed"</pre>"#))
    #expect(page.contains("violates <b>S1, S2</b>"))
    #expect(page.contains("fingerprint <code>09cc759560c076b1</code>"))
    #expect(page.contains("BUG: KASAN: slab-use-after-free in shrink_memcg_cb"))
    #expect(page.contains("known upstream: invariant: nr_items"))
    #expect(page.contains(##"timeline of trial <a href="#t0">0</a>"##))
  }

  @Test func `a run without a trial has a page that says why`() throws {
    let record = RunRecord(begun: Records.start, commandLine: [], seed: 1)
    let page = try HTMLReport.text(of: record)
    #expect(page.contains(#"<p class="failure">did not finish</p>"#))
    #expect(page.contains("<h1>error</h1>"))
    #expect(!page.contains(#"id="matrix""#))
  }

  @Test func `five hundred trials of a hundred events are a page of five megabytes at the most`()
    throws
  {
    let record = PageRecords.record(trials: 500, events: 100)
    var mixed = ""
    let time = try ContinuousClock().measure { mixed = try HTMLReport.text(of: record) }
    #expect(mixed.utf8.count < 5_000_000)
    var worst = record
    for index in worst.trials.indices { worst.trials[index].verdict = .error }
    let size = try HTMLReport.text(of: worst).utf8.count
    #expect(size < 5_000_000)
    print("pages of 500 trials: \(mixed.utf8.count) bytes in \(time), all telling: \(size) bytes")
  }

  @Test func `trials that are alike are drawn once, and telling ones each`() {
    let good = Records.unlocked
    var doubtful = good.0
    doubtful.reasons = ["a doubt"]
    var trials: [(TrialJudgement, TrialReport?)] = []
    for (index, judgement) in [good.0, good.0, doubtful, doubtful].enumerated() {
      var judgement = judgement
      judgement.spec.index = index
      trials.append((judgement, good.1))
    }
    let record = Records.record(trials)
    let drawings = TrialDrawings(of: record)
    #expect(drawings.drawings.keys.sorted() == [0, 2, 3])
    #expect(drawings.likeness == [1: 0])
    let poor = TrialDrawings(of: record, timelineBudget: 1)
    #expect(poor.drawings.keys.sorted() == [2], "what tells something comes first")
  }

  @Test func `the page's policy admits its own script, and no other`() async throws {
    let page = try HTMLReport.text(of: Records.passed)
    let hexadecimal = try await ContentHash.of(HTMLReport.script)
    let bytes = stride(from: 0, to: 64, by: 2).compactMap { offset in
      UInt8(hexadecimal.dropFirst(offset).prefix(2), radix: 16)
    }
    let hash = Data(bytes).base64EncodedString()
    #expect(page.contains("default-src 'none'"))
    #expect(
      page.contains("script-src 'sha256-\(hash)'\""),
      "report.js was changed: report.mustache has to name sha256-\(hash)")
    #expect(page.contains("<script>\(HTMLReport.script)</script>"))
  }

  @Test(
    arguments: [
      (0, "0"), (400, "0.40 µs"), (12_340, "12.3 µs"), (999_499, "999 µs"), (999_500, "1.00 ms"),
      (20_000_000_000, "20.0 s"), (UInt64.max, "18446744074 s"),
    ] as [(UInt64, String)])
  func `times are said in three digits`(nanoseconds: UInt64, text: String) {
    #expect(TimeText.text(nanoseconds: nanoseconds) == text)
  }
}
