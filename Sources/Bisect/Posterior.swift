#if canImport(Glibc)
  import Glibc
#endif

/// How likely each commit is to be the one that is looked for, after all trials so far.
///
/// That commit 0 is it stands for "the ends do not differ": all commits are bad.
struct Posterior: Sendable {
  let graph: CommitGraph
  let rates: RatePrior
  /// Whether the commit that is looked for made good what was bad before it.
  let findsFix: Bool
  /// Of each commit, before any trial; 0 where it is ruled out.
  private(set) var prior: [Double]
  private(set) var tallies: [Int: Tally] = [:]

  /// Commits that no trial so far tells apart.
  private struct Class: Sendable {
    var members: [Int]
    /// Trials on commits that are bad if the one that is looked for is here.
    var bad = Tally()
    /// By the order of `tested`.
    var isBad: [Bool] = []
    var mass = 0.0
    var meanP = 0.0
    var meanQ = 0.0
  }
  private var classes: [Class]
  private var tested: [Int] = []
  private var total = Tally()

  init(graph: CommitGraph, prior: [Double], rates: RatePrior, findsFix: Bool) {
    self.graph = graph
    self.findsFix = findsFix
    self.prior = prior
    self.rates = rates
    // By itself from the start: the ends are judged by it.
    classes = [Class(members: [0]), Class(members: Array(1..<graph.count))]
    weigh()
  }

  mutating func record(_ tally: Tally, at commit: Int) {
    guard tally.trials > 0 else { return }
    if tallies[commit] == nil { split(at: commit) }
    tallies[commit, default: Tally()] = tallies[commit, default: Tally()] + tally
    total = total + tally
    guard let place = tested.firstIndex(of: commit) else { return }
    for index in classes.indices where classes[index].isBad[place] {
      classes[index].bad = classes[index].bad + tally
    }
    weigh()
  }

  /// No commit of these is the one that is looked for.
  mutating func ruleOut(_ commits: some Sequence<Int>) {
    for commit in commits { prior[commit] = 0 }
    weigh()
  }

  /// Of each commit, and 1 in all.
  var masses: [Double] {
    var masses = [Double](repeating: 0, count: graph.count)
    for one in classes {
      let sum = one.members.reduce(0) { $0 + prior[$1] }
      guard sum > 0 else { continue }
      for member in one.members { masses[member] = one.mass * prior[member] / sum }
    }
    return masses
  }

  /// That the ends do not differ.
  var noChange: Double { classes.first { $0.members.contains(0) }?.mass ?? 0 }

  /// Of each commit, how likely it is to be bad.
  var shares: [Double] {
    var masses = masses
    let noChange = masses[0]
    masses[0] = 0
    return sumsWhereBad(masses).map { noChange + $0 }
  }

  /// For each commit, the sum of a value over those that, if looked for, make it bad. Commit 0 does
  /// in any case, and is not to have one.
  private func sumsWhereBad(_ values: [Double]) -> [Double] {
    let all = values.reduce(0, +)
    return graph.ancestralSums(of: values).map { findsFix ? all - $0 : $0 }
  }

  var meanP: Double { classes.reduce(0) { $0 + $1.mass * $1.meanP } }
  var meanQ: Double { classes.reduce(0) { $0 + $1.mass * $1.meanQ } }

  /// What one trial of each commit is expected to tell, in bits, of which commit is the one
  /// that is looked for, and of whether the ends differ.
  ///
  /// A trial at the bad end tells something as well: what keeps a commit under suspicion in
  /// spite of many trials without a finding is a low rate, and that shows there.
  var information: [Double] {
    // The rate at a commit, mixed over what is believed, and the entropy that is left where it
    // is known which commit is looked for: first as if it were good, then what it adds to be bad.
    let masses = masses
    var (mixed, known) = (0.0, 0.0)
    var mixedIfBad = [Double](repeating: 0, count: graph.count)
    var knownIfBad = mixedIfBad
    for one in classes where one.mass > 0 {
      let (ofBad, ofGood) = (Information.entropy(of: one.meanP), Information.entropy(of: one.meanQ))
      if one.members == [0] {
        mixed += one.mass * one.meanP
        known += one.mass * ofBad
        continue
      }
      mixed += one.mass * one.meanQ
      known += one.mass * ofGood
      for member in one.members {
        mixedIfBad[member] = masses[member] * (one.meanP - one.meanQ)
        knownIfBad[member] = masses[member] * (ofBad - ofGood)
      }
    }
    return zip(sumsWhereBad(mixedIfBad), sumsWhereBad(knownIfBad)).map {
      max(0, Information.entropy(of: mixed + $0) - known - $1)
    }
  }

  private mutating func split(at commit: Int) {
    let isAncestor = graph.ancestry(of: commit)
    tested.append(commit)
    classes = classes.flatMap { one -> [Class] in
      let inside = one.members.filter { isAncestor[$0] }
      let outside = one.members.filter { !isAncestor[$0] }
      return [(inside, true), (outside, false)].compactMap { members, isBad in
        guard !members.isEmpty else { return nil }
        var part = one
        part.members = members
        part.isBad.append(members == [0] || isBad != findsFix)
        return part
      }
    }
  }

  private mutating func weigh() {
    var logs: [Double] = []
    for index in classes.indices {
      let evidence = RateEvidence(
        bad: classes[index].bad, good: total - classes[index].bad, prior: rates)
      classes[index].meanP = evidence.meanP
      classes[index].meanQ = evidence.meanQ
      let sum = classes[index].members.reduce(0) { $0 + prior[$1] }
      logs.append(sum > 0 ? log(sum) + evidence.logLikelihood : -.infinity)
    }
    let top = logs.max() ?? 0
    guard top > -.infinity else { return }
    let weights = logs.map { exp($0 - top) }
    let sum = weights.reduce(0, +)
    for index in classes.indices { classes[index].mass = weights[index] / sum }
  }
}
