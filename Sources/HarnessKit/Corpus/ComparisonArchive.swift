import Foundation
import GuestWire

/// What a comparison has come to so far, as a file that goes along with its table: it takes
/// hours, and may go on with another session, on another machine.
public struct ComparisonArchive: Hashable, Sendable, Codable {
  /// What has to be the same for rows to stand in one table.
  public struct Conditions: Hashable, Sendable, Codable {
    /// The kernels' configuration, the accelerator, the host's CPUs, in words.
    public var machine: String
    /// What each tool was given at least.
    public var seconds: Int
    /// Of the harness's runs.
    public var seed: UInt64

    public init(machine: String, seconds: Int, seed: UInt64) {
      self.machine = machine
      self.seconds = seconds
      self.seed = seed
    }
  }

  /// What came of one mutant.
  struct Row: Hashable, Sendable, Codable {
    /// `ToolComparisonRun.code(with:)`, of its kernel.
    var code: String
    var harness: ToolComparison.End
    /// By the tool's name.
    var tools: [String: ToolComparison.End]
  }

  /// A file that is no such archive, or is one of another comparison.
  public struct Mismatch: FaultError, Hashable, CustomStringConvertible {
    public var path: String
    public var problem: String
    public var fault: HarnessFailure.Kind { .usage }
    public var description: String {
      """
      go on with \(path): \(problem)
        Give --data another file, or ask as its comparison was asked for.
      """
    }
  }

  /// What the tools say on the kernel without a bug.
  struct Baselines: Hashable, Sendable, Codable {
    /// Of that kernel.
    var code: String
    /// Of each tool.
    var runs: Int
    /// By the tool's name.
    var tools: [String: ToolComparison.Baseline]
  }

  /// Of every row.
  public let conditions: Conditions
  private var baselines: Baselines?
  /// By the mutant's name.
  private var rows: [String: Row] = [:]

  /// One with nothing in it.
  public init(_ conditions: Conditions) { self.conditions = conditions }

  /// What a file has; nothing, where there is none.
  ///
  /// - Throws: `Mismatch` where it is no archive, or one under other conditions.
  public init(_ conditions: Conditions, readingFrom path: String) throws(Mismatch) {
    self.init(conditions)
    guard FileManager.default.fileExists(atPath: path) else { return }
    let known: ComparisonArchive
    do {
      known = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(filePath: path)))
    } catch {
      throw Mismatch(path: path, problem: "it has no comparison that can be read: \(error)")
    }
    guard known.conditions == conditions else {
      throw Mismatch(
        path: path, problem: "it was made with \(known.conditions.text), not \(conditions.text)")
    }
    self = known
  }

  /// Writes it whole, or not at all.
  public func write(to path: String) throws {
    try JSONText.document(self).write(to: URL(filePath: path), options: .atomic)
  }

  /// What each tool says on the kernel without a bug; nil where one of them is not known of this
  /// kernel, or by fewer runs.
  public func baselines(
    ofKernel code: String, runs: Int
  ) -> [Workload: ToolComparison.Baseline]? {
    guard let baselines, baselines.code == code, baselines.runs >= runs else { return nil }
    let known = Workload.byName(baselines.tools)
    return known.count == Workload.allCases.count ? known : nil
  }

  /// Keeps what the tools say on the kernel without a bug.
  public mutating func keep(
    _ known: [Workload: ToolComparison.Baseline], ofKernel code: String, runs: Int
  ) {
    baselines = Baselines(code: code, runs: runs, tools: Workload.names(known))
  }

  /// What is known of a mutant; nil where its kernel was another.
  public func comparison(of mutant: Mutant, kernel code: String) -> ToolComparison? {
    guard let row = rows[mutant.id], row.code == code else { return nil }
    return ToolComparison(mutant, harness: row.harness, workloads: Workload.byName(row.tools))
  }

  /// Keeps a comparison, unless a part of it is inconclusive: that is to be had again.
  public mutating func keep(_ comparison: ToolComparison, kernel code: String) {
    let ends = [comparison.harness] + comparison.workloads.values
    guard comparison.workloads.count == Workload.allCases.count,
      ends.allSatisfy({ $0.seconds != nil })
    else { return }
    rows[comparison.mutant.id] = Row(
      code: code, harness: comparison.harness, tools: Workload.names(comparison.workloads))
  }
}

extension ComparisonArchive.Conditions {
  var text: String { "\(machine), \(seconds) s a tool, seed \(seed)" }
}

/// JSON has no dictionary with other keys than strings.
extension Workload {
  fileprivate static func byName<Value>(_ values: [String: Value]) -> [Workload: Value] {
    Dictionary(
      uniqueKeysWithValues: values.compactMap { name, value in
        Workload(rawValue: name).map { ($0, value) }
      })
  }

  fileprivate static func names<Value>(_ values: [Workload: Value]) -> [String: Value] {
    Dictionary(uniqueKeysWithValues: values.map { ($0.rawValue, $1) })
  }
}
