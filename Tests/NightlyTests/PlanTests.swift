import Foundation
import Testing

@testable import Nightly

@Suite struct PlanTests {
  static let text = """
    name: zswap
    kernels:
      - name: stock-6.1
        image: debian:6.1
      - name: mm
        tree: ~/linux
        branch: mm-unstable
        with: [kasan, lockdep]
      - name: seed
        preset: kasan
        mutant: R1a
    scenarios:
      - name: claims
      - name: deref
        schedules:
          - "writeback@unlocked  >  swapoff@trees-freed"
      - name: drawn
        scenario: random
        trials: 50
        budget: 5m
    machines:
      - {name: small, cpus: 1, memory: 512, swap: brd}
      - {name: big, cpus: 4, guests: 2, compressor: lz4, zpool: zbud}
    exclude:
      - {kernel: stock-6.1, scenario: drawn}
      - {machine: big, kernel: seed}
    repeats: 2
    reruns: 3
    budget: 10m
    deadline: 8h
    regression: {confidence: 0.999, slower: 3, runs: 20}
    known: known.yaml
    out: /srv/nights
    engine: slurm
    slurm: {partition: trials, block: 20m, throttle: 50, options: ["--nice=100"]}
    """

  static func plan(_ text: String = text) throws(PlanError) -> Plan {
    try Plan(parsing: text, file: "plan.yaml", folder: "/plans")
  }

  @Test func `a plan is the product of its axes, but for what is excluded`() throws {
    let plan = try Self.plan()
    #expect(plan.cells.count == 3 * 3 * 2 - 2 - 3)
    #expect(plan.cells.first?.id == "stock-6.1/claims/small")
    #expect(!plan.cells.contains { $0.id == "stock-6.1/drawn/big" })
    #expect(!plan.cells.contains { $0.id == "seed/claims/big" })
    #expect(plan.deadline == TimeSpan(seconds: 28800))
    #expect(plan.known == "/plans/known.yaml")
    #expect(plan.history == "/srv/nights/history.sqlite")
    #expect(plan.regression.slower == 3)
    #expect(plan.slurm.options == ["--nice=100"])
    #expect(plan.kernels[1].fragments == ["kasan", "lockdep"])
    #expect(plan.kernels[2].mutants == ["R1a"])
  }

  @Test func `a scenario in parts is a cell for each, and their runs have all its trials`()
    throws
  {
    let text = Self.text.replacing("  - name: claims\n", with: "  - {name: claims, parts: 3}\n")
      .replacing("scenario: drawn}", with: "scenario: claims}")
    let cells = try Self.plan(text).cells.filter {
      $0.kernel.name == "mm" && $0.machine.name == "small"
    }
    #expect(
      cells.map(\.id).prefix(3) == [
        "mm/claims.1of3/small", "mm/claims.2of3/small", "mm/claims.3of3/small",
      ])
    #expect(
      cells[1].arguments(image: "/k", out: "/out", budget: nil).contains(["--part", "2/3"]))
    // What is excluded is the scenario, with all its parts.
    #expect(!(try Self.plan(text).cells.contains { $0.id.hasPrefix("stock-6.1/claims") }))
  }

  private static func cell(_ id: Cell.ID) throws -> Cell {
    try #require(try plan().cells.first { $0.id == id })
  }

  @Test func `a cell's run is told all that its place in the matrix says`() throws {
    let cell = try Self.cell("mm/drawn/big")
    #expect(
      cell.arguments(image: "/k/bzImage", out: "/out", budget: 90.7) == [
        "run", "--kernel", "/k/bzImage", "--out", "/out", "--machine", "q35", "--scenario",
        "random", "--trials", "50", "--cpus", "4", "--jobs", "2", "--compressor", "lz4",
        "--zpool", "zbud", "--budget", "90s",
      ])
    let deref = try Self.cell("mm/deref/small")
    #expect(
      deref.arguments(image: "debian:6.1", out: "/out", budget: nil).contains(
        "writeback@unlocked > swapoff@trees-freed"))
  }

  @Test(arguments: [
    ("name: zswap", "name: [zswap]", "plan.yaml:1:7: name: a text is wanted here"),
    (
      "image: debian:6.1", "image: debian:six",
      "plan.yaml:4:12: kernels[0].image: “debian:six” names no kernel of Debian's: write "
        + "debian:6.12 for the newest of that series, or a whole release, such as "
        + "debian:6.1.0-56-amd64"
    ),
    (
      "branch: mm", "brunch: mm",
      "plan.yaml:7:5: kernels[1]: there is no field “brunch”; there are name, image, tree, branch,"
        + " preset, with, mutant, patch"
    ),
    (
      "image: debian:6.1", "image: debian:6.1\n    with: kasan",
      "plan.yaml:5:11: kernels[0].with: an image is taken as it is"
    ),
    (
      "- name: seed", "- name: mm",
      "plan.yaml:9:5: kernels[2]: “mm” is the name of another one already"
    ),
    (
      "deadline: 8h", "deadline: soon",
      "plan.yaml:30:11: deadline: “soon” is no time: write 90s, 10m, 8h or 30d"
    ),
    (
      "- name: claims", "- name: claims\n    trials: 5",
      "plan.yaml:14:13: scenarios[0].trials: only the scenario “random” has a number of trials"
    ),
    ("repeats: 2", "repeats: 0", "plan.yaml:27:10: repeats: 0 is not in 1 to 100"),
    (
      "swap: brd", "swap: tape",
      "plan.yaml:22:47: machines[0].swap: there is no “tape”; there are disk, brd"
    ),
    (
      "machine: big, kernel: seed", "machine: big, kernel: x",
      "plan.yaml:26:28: exclude[1].kernel: there is no “x”; there are stock-6.1, mm, seed"
    ),
    (
      "name: small", "name: ../small",
      "plan.yaml:22:12: machines[0].name: “../small” is no name: letters, digits and ._+- are, 64 at the most"
    ),
    (
      "    branch: mm-unstable", "    branch: --upload-pack=x",
      "plan.yaml:7:13: kernels[1].branch: a branch does not begin with a dash"
    ),
    ("repeats: 2", "repeats: 2\nrepeats: 3", "plan.yaml:27:1: repeats stands there twice"),
    (
      "reruns: 3", "reruns: {3", "plan.yaml:29:7: this is no YAML: did not find expected ',' or '}'"
    ),
  ])
  func `a mistake is told with its line and column`(
    right: String, wrong: String, message: String
  ) throws {
    let text = Self.text.replacingOccurrences(of: right, with: wrong)
    #expect(text != Self.text)
    let error = #expect(throws: PlanError.self) { try Self.plan(text) }
    #expect(error?.description == message)
  }

  @Test func `a schedule that cannot be read names its line`() throws {
    let text = Self.text.replacingOccurrences(of: "swapoff@trees-freed", with: "swapoff@moon")
    let error = try #require(throws: PlanError.self) { try Self.plan(text) }
    #expect(error.description.hasPrefix("plan.yaml:16:9: scenarios[1].schedules[0]: "))
  }

  @Test func `what begins first is what takes longest`() throws {
    let plan = try Self.plan()
    let forecast = Forecast(
      plan, known: ["mm/claims/small": 10, "seed/claims/small": 900], capacity: nil)
    #expect(forecast.rows.first?.cell.id == "seed/claims/small")
    #expect(forecast.rows.first?.seconds == 1800)
    #expect(forecast.rows.first?.origin == .cell)
    #expect(
      forecast.rows.last.map { [$0.cell.id, $0.origin.rawValue] } == [
        "mm/claims/small", "this cell's last runs",
      ])
    let alike = forecast.rows.first { $0.cell.id == "mm/claims/big" }
    #expect(alike?.origin == .alike)
    #expect(alike?.seconds == 20)
  }

  @Test func `as much runs at once as CPUs and memory allow`() throws {
    var plan = try Self.plan()
    plan.machines = [PlanMachine(name: "m", cpus: 2, memoryMiB: 512)]
    plan.exclude = []
    plan.repeats = 1
    plan.estimate = TimeSpan(seconds: 100)
    func seconds(_ cpus: Int, _ memory: Int) -> Double {
      Forecast(plan, known: [:], capacity: Capacity(cpus: cpus, memoryMiB: memory)).seconds
    }
    #expect(seconds(2, 100_000) == 900)
    #expect(seconds(6, 100_000) == 300)
    #expect(seconds(64, 2048) == 500)
    // One that fits nowhere has the host to itself.
    #expect(seconds(1, 100) == 900)
  }

  @Test func `a known finding counts until its day is over, and has a reason`() throws {
    let known = try KnownFindings(
      parsing: """
        - finding: 09cc759560c076b1
          cell: stock-6.1/
          reason: fixed upstream by 5878303c5353
          until: 2026-12-31
        - finding: in zswap_store
          reason: looked at
          until: 2026-11-01
        """, file: "known.yaml")
    let day = Date(timeIntervalSince1970: 1_798_761_599)  // 2026-12-31 23:59:59
    func entry(_ fingerprint: String, _ title: String, _ cell: String, _ date: Date) -> Bool? {
      known.entry(fingerprint: fingerprint, title: title, cell: cell, at: date)?.isExpired
    }
    #expect(entry("09cc759560c076b1", "x", "stock-6.1/claims/m", day) == false)
    #expect(entry("09cc759560c076b1", "x", "stock-6.1/claims/m", day + 1) == true)
    #expect(entry("09cc759560c076b1", "x", "mm/claims/m", day) == nil)
    #expect(entry("0", "KASAN in zswap_store", "mm/claims/m", day) == true)
    let error = #expect(throws: PlanError.self) {
      try KnownFindings(
        parsing: "- {finding: x, reason: y, until: 2026-02-30}", file: "known.yaml")
    }
    #expect(
      error?.description == "known.yaml:1:34: [0].until: “2026-02-30” is no day: write 2027-01-31")
    #expect(throws: PlanError.self) {
      try KnownFindings(parsing: "- {finding: x, until: 2026-02-20}", file: "known.yaml")
    }
  }
}
