import Testing

@testable import HarnessKit

@Suite struct SplatClassifierTests {
  private func classify(_ lines: [String]) -> (splats: [Splat], classifier: SplatClassifier) {
    var classifier = SplatClassifier()
    var splats = lines.flatMap { classifier.feed($0) }
    splats += classifier.finish()
    return (splats, classifier)
  }

  private func warning(in function: String, address: String = "0x7a/0xa0", cpu: Int = 0) -> [String]
  {
    [
      "------------[ cut here ]------------",
      "WARNING: CPU: \(cpu) PID: \(60 + cpu) at mm/zswap.c:17\(cpu) \(function)+\(address)",
      "RIP: 0010:\(function)+\(address)", "Call Trace:", " <TASK>",
      " __do_sys_swapoff+0x4d9/0x7a0", " do_syscall_64+0x5b/0x110", " </TASK>",
      "---[ end trace 0000000000000000 ]---",
    ]
  }

  @Test func `the same report has the same name with other numbers`() {
    let one = classify(warning(in: "zswap_swapoff")).splats
    let other = classify(warning(in: "zswap_swapoff.isra.0", address: "0x99/0x1a0", cpu: 1)).splats
    #expect(one.map(\.title) == ["WARNING in zswap_swapoff"])
    #expect(one.map(\.title) == other.map(\.title))
    #expect(one.map(\.fingerprint) == other.map(\.fingerprint))
  }

  @Test func `another place has another fingerprint`() {
    let one = classify(warning(in: "zswap_swapoff")).splats
    let other = classify(warning(in: "zswap_swapon")).splats
    #expect(one.map(\.fingerprint) != other.map(\.fingerprint))
  }

  @Test func `a flood of reports is counted and not kept`() {
    let lines = (0..<200).flatMap { _ in warning(in: "zswap_swapoff") }
    let (splats, classifier) = classify(lines)
    #expect(splats.count == SplatClassifier.splatLimit)
    #expect(classifier.omittedSplats == 200 - SplatClassifier.splatLimit)
  }

  @Test func `a report without end is cut, and the next one is still seen`() {
    let endless =
      warning(in: "zswap_swapoff").dropLast(2) + Array(repeating: " x+0x1/0x2", count: 5000)
    let (splats, _) = classify(endless + warning(in: "zswap_swapon"))
    #expect(splats.map(\.title) == ["WARNING in zswap_swapoff", "WARNING in zswap_swapon"])
    #expect(splats.allSatisfy { $0.excerpt.utf8.count < 20 << 10 && $0.frames.count < 100 })
  }

  @Test func `a report that the console breaks off after is over soon`() {
    var classifier = SplatClassifier()
    for line in warning(in: "zswap_swapoff").dropLast(2) { #expect(classifier.feed(line).isEmpty) }
    let chatter = (0..<40).flatMap { classifier.feed("agent says \($0)") }
    #expect(chatter.map(\.title) == ["WARNING in zswap_swapoff"])
  }

  @Test func `an oops of another task is not taken for the sequel of a KASAN report`() throws {
    let fixtures = ["r1a-tree-before-unlock", "page-fault"].compactMap { name in
      ConsoleFixture.all.first { $0.name == name }
    }
    try #require(fixtures.count == 2)
    #expect(classify(fixtures.flatMap(\.lines)).splats.map(\.kind) == [.kasan, .pageFault])
  }

  @Test func `a panic that nothing explains is found though its reason sounds like a sequel`() {
    let (splats, _) = classify(["Kernel panic - not syncing: Fatal exception"])
    #expect(splats.map(\.title) == ["Kernel panic: Fatal exception"])
  }

  @Test func `a panic long after an oops is its own`() throws {
    let oops = try #require(ConsoleFixture.all.first { $0.name == "r1b-without-kasan" })
    let chatter = (0..<500).map { "agent says \($0)" }
    let panic = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b"
    #expect(
      classify(oops.lines + chatter + [panic]).splats.map(\.kind) == [.nullDereference, .panic])
  }

  @Test func `unreliable frames are no callers`() {
    let lines = warning(in: "zswap_swapoff").map { $0 == " <TASK>" ? " ? wild_guess+0x1/0x2" : $0 }
    #expect(classify(lines).splats.first?.frames.map(\.function).contains("wild_guess") == false)
  }

  @Test func `a stable text keeps names that have digits`() {
    #expect("ext4 at ffff888104f0c0d8, cpu 3, 0x1f, folio2".stable == "ext4 at N, cpu N, N, folio2")
    #expect("shrink_memcg_cb+0x1c/0x40 failed".stable == "shrink_memcg_cb failed")
    #expect("deadbeef decade facade".stable == "deadbeef decade facade")
  }

  @Test func `a fingerprint is FNV-1a`() {
    #expect(Fingerprint.of([""]) == "cbf29ce484222325")
    #expect(Fingerprint.of(["a"]) == "af63dc4c8601ec8c")
  }
}
