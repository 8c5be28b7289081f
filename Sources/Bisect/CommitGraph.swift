/// The commits of a bisection, as a graph of parents.
///
/// Commit 0 is the old end, the last one the new end; parents come before their
/// children. Merges are kept: a commit has a change if the one that brought it is among
/// its ancestors, or is itself.
public struct CommitGraph: Hashable, Sendable {
  /// Of each commit, by index; commit 0 has none, every other has at least one.
  public let parents: [[Int]]
  /// Commits, both ends included.
  public var count: Int { parents.count }
  /// The commit that all others descend from.
  public var oldEnd: Int { 0 }
  /// The commit that descends from all others.
  public var newEnd: Int { count - 1 }
  /// Whether each commit has the one before it as its only parent.
  public let isLinear: Bool
  let children: [[Int]]

  /// A list of parents that is no history from an old to a new end.
  public struct InvalidGraph: Error, Hashable, Sendable, CustomStringConvertible {
    /// Its place in the list.
    public let commit: Int
    /// In words, without the commit.
    public let problem: String
    public var description: String { "commit \(commit) of the history: \(problem)" }
  }

  /// - Throws: `InvalidGraph` where there are fewer than two commits, where commit 0 has a parent
  ///   or another has none, where a parent does not come before its child, and where a commit other
  ///   than the last has no child.
  public init(parents: [[Int]]) throws(InvalidGraph) {
    guard parents.count >= 2 else {
      throw InvalidGraph(commit: 0, problem: "there is nothing between the ends")
    }
    var children = [[Int]](repeating: [], count: parents.count)
    for (commit, own) in parents.enumerated() {
      guard commit == 0 ? own.isEmpty : !own.isEmpty else {
        throw InvalidGraph(commit: commit, problem: "only the old end has no parent")
      }
      for parent in own {
        guard parent >= 0, parent < commit else {
          throw InvalidGraph(commit: commit, problem: "parent \(parent) does not come before it")
        }
        children[parent].append(commit)
      }
    }
    if let loose = children.dropLast().firstIndex(where: \.isEmpty) {
      throw InvalidGraph(commit: loose, problem: "the new end does not descend from it")
    }
    self.parents = parents
    self.children = children
    isLinear = parents.enumerated().allSatisfy { $1 == ($0 == 0 ? [] : [$0 - 1]) }
  }

  /// `count` commits in a row, the ends included.
  public init(linear count: Int) throws(InvalidGraph) {
    try self.init(parents: (0..<count).map { $0 == 0 ? [] : [$0 - 1] })
  }

  /// For each commit, whether it is an ancestor of `commit` or `commit` itself.
  public func ancestry(of commit: Int) -> [Bool] {
    var isAncestor = [Bool](repeating: false, count: count)
    if isLinear {
      for index in 0...commit { isAncestor[index] = true }
      return isAncestor
    }
    isAncestor[commit] = true
    for index in stride(from: commit, through: 1, by: -1) where isAncestor[index] {
      for parent in parents[index] { isAncestor[parent] = true }
    }
    return isAncestor
  }

  /// For each commit, the sum of `weights` over it and its ancestors.
  func ancestralSums(of weights: [Double]) -> [Double] {
    var sums = [Double](repeating: 0, count: count)
    for commit in 0..<count {
      switch parents[commit].count {
      case 0: sums[commit] = weights[commit]
      case 1: sums[commit] = sums[parents[commit][0]] + weights[commit]
      default:
        // What the sides of a merge have in common counts once.
        let isAncestor = ancestry(of: commit)
        var sum = 0.0
        for index in 0...commit where isAncestor[index] { sum += weights[index] }
        sums[commit] = sum
      }
    }
    return sums
  }

  /// For each commit, the one that looks the same in every test that can be made: itself, or a later one where those between cannot be tested.
  func representatives(untestable: [Bool]) -> [Int] {
    var representatives = Array(0..<count)
    for commit in stride(from: count - 2, through: 1, by: -1) where untestable[commit] {
      let own = children[commit]
      // The child that all other children descend from, if there is one.
      if own.count == 1 {
        representatives[commit] = representatives[own[0]]
      } else if let first = own.min(),
        own.allSatisfy({ ancestry(of: $0)[first] })
      {
        representatives[commit] = representatives[first]
      }
    }
    return representatives
  }
}
