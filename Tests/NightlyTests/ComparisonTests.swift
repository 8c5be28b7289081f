import HarnessKit
import Testing

@testable import Nightly

@Suite struct ComparisonTests {
  static let rule = RegressionRule()

  static func pass(_ seconds: Double = 10) -> CellRun {
    CellRun(status: .pass, seconds: seconds, trials: 100, windows: [1: true, 2: true])
  }

  static func fail(_ sightings: [String: Int], _ seconds: Double = 10) -> CellRun {
    CellRun(
      status: .fail, seconds: seconds, trials: 100, sightings: sightings,
      windows: [1: true, 2: true])
  }

  static func missing(_ window: CellRun.Window) -> CellRun {
    var run = pass()
    run.status = .notExercised
    run.windows[window] = false
    return run
  }

  static func lost(_ kind: HarnessFailure.Kind = .harness) -> CellRun {
    CellRun(status: .error, error: HarnessFailure(kind, "the guest was lost"))
  }

  static func compare(_ past: [CellRun], _ now: [CellRun]) -> Comparison {
    Comparison(past: past, now: now, rule: rule)
  }

  static let green = Array(repeating: pass(), count: 10)

  @Test func `a finding that comes again on a fresh guest is new`() {
    let one = Self.compare(Self.green, [Self.fail(["a": 1])])
    #expect(one.changes == [.once(fingerprint: "a", seen: Rate(1, of: 1))])
    #expect(one.wantsAnother)
    #expect(!one.isRegression)
    let two = Self.compare(Self.green, [Self.fail(["a": 1]), Self.fail(["a": 2])])
    #expect(two.changes == [.new(fingerprint: "a", seen: Rate(2, of: 2))])
    #expect(!two.wantsAnother)
    #expect(!two.isFlaky)
  }

  @Test func `one that does not come again is flaky, and its rate is told`() {
    let comparison = Self.compare(Self.green, [Self.fail(["a": 1]), Self.pass(), Self.pass()])
    #expect(comparison.changes == [.once(fingerprint: "a", seen: Rate(1, of: 3))])
    #expect(comparison.isFlaky)
    #expect(comparison.failures == Rate(1, of: 13))
  }

  @Test func `one that was seen once some nights ago is new the second time`() {
    let past = Self.green + [Self.fail(["a": 1]), Self.pass()]
    let comparison = Self.compare(past, [Self.fail(["a": 1])])
    #expect(comparison.changes == [.new(fingerprint: "a", seen: Rate(1, of: 1))])
  }

  @Test func `what a cell always had is nothing new`() {
    let past = Array(repeating: Self.fail(["a": 5]), count: 4)
    let comparison = Self.compare(past, [Self.fail(["a": 5])])
    #expect(comparison.changes.isEmpty)
    // It failed: run it again all the same.
    #expect(comparison.wantsAnother)
    #expect(!Self.compare(past, [Self.fail(["a": 5]), Self.fail(["a": 6])]).wantsAnother)
    // One run is all that there is of the past, and that run had it.
    #expect(Self.compare([Self.fail(["a": 5])], [Self.fail(["a": 4])]).changes.isEmpty)
  }

  @Test func `a known finding is not run again`() {
    let comparison = Comparison(
      past: Array(repeating: Self.fail(["a": 5]), count: 4), now: [Self.fail(["a": 5])],
      rule: Self.rule, isKnown: { $0 == "a" })
    #expect(!comparison.wantsAnother)
  }

  @Test func `a cell without a past has first findings, and no new ones`() {
    let comparison = Self.compare([], [Self.fail(["a": 1, "b": 1]), Self.fail(["a": 1])])
    #expect(
      comparison.changes == [
        .first(fingerprint: "a", seen: Rate(2, of: 2)),
        .first(fingerprint: "b", seen: Rate(1, of: 2)),
      ])
    #expect(!comparison.isRegression)
  }

  @Test func `gone is what chance would not hide so long`() throws {
    let past = Array(repeating: Self.fail(["a": 5]), count: 4)
    let one = Self.compare(past, [Self.pass()])
    guard case .missing("a", let chance) = try #require(one.changes.first) else {
      Issue.record("\(one.changes)")
      return
    }
    #expect(abs(chance - 0.1) < 1e-9)
    #expect(one.wantsAnother)
    let three = Self.compare(past, [Self.pass(), Self.pass(), Self.pass()])
    guard case .fixed("a", let rest) = try #require(three.changes.first) else {
      Issue.record("\(three.changes)")
      return
    }
    #expect(rest < 0.01)
    // The night after, that is no news.
    #expect(
      Self.compare(past + [Self.pass(), Self.pass(), Self.pass()], [Self.pass()]).changes.isEmpty)
  }

  @Test func `a flaky finding is not called fixed for one green night`() {
    let past = (0..<12).map { $0 % 4 == 0 ? Self.fail(["a": 1]) : Self.pass() }
    let comparison = Self.compare(past, [Self.pass()])
    #expect(!comparison.changes.contains { if case .fixed = $0 { true } else { false } })
  }

  @Test func `a finding that comes and goes is flaky each time that it comes`() {
    let past = (0..<12).map { $0 % 4 == 0 ? Self.fail(["a": 1]) : Self.pass() }
    let comparison = Self.compare(past, [Self.fail(["a": 1]), Self.fail(["a": 1])])
    #expect(comparison.isFlaky)
    #expect(!comparison.isRegression)
    // Not what came to stay.
    let stays = Self.green + Array(repeating: Self.fail(["a": 1]), count: 3)
    #expect(!Self.compare(stays, [Self.fail(["a": 1]), Self.fail(["a": 1])]).isFlaky)
  }

  @Test func `what had gone and comes back is a regression`() {
    let past = Array(repeating: Self.fail(["a": 5]), count: 4) + Self.green
    let comparison = Self.compare(past, [Self.fail(["a": 5]), Self.fail(["a": 5])])
    #expect(comparison.changes == [.back(fingerprint: "a", seen: Rate(2, of: 2))])
    #expect(comparison.isRegression)
  }

  @Test func `a run that was cut short does not show that something is gone`() {
    let past = Array(repeating: Self.fail(["a": 5]), count: 4)
    let comparison = Self.compare(past, [Self.missing(1), Self.missing(1), Self.missing(1)])
    #expect(!comparison.changes.contains { $0.fingerprint == "a" })
    // Nor does one that had found another thing by then.
    let both = Array(repeating: Self.fail(["a": 5, "b": 1]), count: 4)
    var cut = Self.fail(["b": 1])
    let whole = Self.compare(both, [cut, cut, cut])
    #expect(whole.changes.contains { $0.fingerprint == "a" })
    cut.isCutShort = true
    #expect(!Self.compare(both, [cut, cut, cut]).changes.contains { $0.fingerprint == "a" })
  }

  @Test func `a rate outside of what was seen is told, in both directions`() throws {
    let past = Array(repeating: Self.fail(["a": 2]), count: 10)
    #expect(Self.compare(past, [Self.fail(["a": 4]), Self.fail(["a": 1])]).changes.isEmpty)
    let more = Self.compare(past, [Self.fail(["a": 40]), Self.fail(["a": 35])])
    guard
      case .rate("a", Rate(20, of: 1000), Rate(75, of: 200), let chance) = try #require(
        more.changes.first)
    else {
      Issue.record("\(more.changes)")
      return
    }
    #expect(chance < 1e-10)
    #expect(more.changes[0].isRegression)
    // On the word of one run, nothing.
    let single = Self.compare(past, [Self.fail(["a": 40])])
    #expect(single.changes.isEmpty)
    #expect(single.wantsAnother)
    let many = Array(repeating: Self.fail(["a": 60]), count: 10)
    let fewer = Self.compare(many, [Self.fail(["a": 3]), Self.fail(["a": 2])])
    #expect(fewer.changes.count == 1)
    #expect(!fewer.changes[0].isRegression)
  }

  @Test func `a window that is no longer entered is told after several runs, and once`() {
    let one = Self.compare(Self.green, [Self.missing(2)])
    #expect(one.changes.isEmpty)
    #expect(one.wantsAnother)
    let three = Array(repeating: Self.missing(2), count: 3)
    #expect(Self.compare(Self.green, three).changes == [.windowsLost([2])])
    #expect(Self.compare(Self.green + three, three).changes.isEmpty)
    #expect(Self.compare(Self.green + three, [Self.pass()]).changes == [.windowsBack([2])])
    // Entered by the second: a flaky window, and no regression.
    let flaky = Self.compare(Self.green, [Self.missing(2), Self.pass()])
    #expect(flaky.changes.isEmpty)
    #expect(flaky.isFlaky)
  }

  @Test func `twice the time is told when every run took longer than ever`() {
    let past = [9.0, 10, 11, 10, 12].map(Self.pass)
    #expect(Self.compare(past, [Self.pass(25)]).wantsAnother)
    #expect(Self.compare(past, [Self.pass(25)]).changes.isEmpty)
    #expect(
      Self.compare(past, [Self.pass(25), Self.pass(30)]).changes == [.slower(past: 10, now: 25)])
    // A busy host, one time.
    #expect(Self.compare(past, [Self.pass(25), Self.pass(11)]).changes.isEmpty)
    // Of seconds, it says nothing.
    let short = [0.9, 1, 1.1].map(Self.pass)
    #expect(Self.compare(short, [Self.pass(5), Self.pass(6)]).changes.isEmpty)
    // Two runs are no past.
    #expect(Self.compare(Array(past.prefix(2)), [Self.pass(90), Self.pass(90)]).changes.isEmpty)
  }

  @Test func `no verdict is neither a pass nor a finding`() {
    let comparison = Self.compare(Self.green, [Self.lost(), Self.lost()])
    #expect(comparison.changes == [.broken("the guest was lost")])
    #expect(comparison.failures == Rate(0, of: 10))
    #expect(comparison.wantsAnother)
    // A lost guest beside one that has a verdict changes nothing.
    #expect(Self.compare(Self.green, [Self.lost(), Self.pass()]).changes.isEmpty)
    let mended = Self.compare(Self.green + [Self.lost()], [Self.pass()])
    #expect(mended.changes == [.mended])
  }

  @Test func `the chance of a number is that of a rate that is not known`() {
    // Jeffreys: the mean of Beta(n + 1/2, 1/2).
    #expect(abs(Chance.atMost(0, of: 1, after: Rate(3, of: 3)) - 0.125) < 1e-12)
    #expect(abs(Chance.atLeast(1, of: 1, after: Rate(3, of: 3)) - 0.875) < 1e-12)
    for count in 0...20 {
      let below = count == 0 ? 0 : Chance.atMost(count - 1, of: 20, after: Rate(7, of: 50))
      let above = Chance.atLeast(count, of: 20, after: Rate(7, of: 50))
      #expect(abs(below + above - 1) < 1e-9)
    }
    #expect(Chance.atLeast(5, of: 4, after: Rate(1, of: 2)) == 0)
  }
}

extension Comparison {
  fileprivate var isRegression: Bool { changes.contains { $0.isRegression } }
}
