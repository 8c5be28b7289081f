import Foundation
public import GuestWire
public import HarnessKit
import Synchronization
import SystemPackage

/// Real kernels, built in one tree and tried in guests.
public struct KernelLab: BisectLab {
  let builds: SuccessiveBuild
  /// Of every run; kernel, folder and schedules are set here.
  let request: RunRequest
  /// Of the bisection, for the runs' folders.
  let folder: String
  let checkout: Checkout
  let cache: Cache
  let status: StatusLine
  /// The schedules of one trial; none as long as the default scenarios are one.
  private let schedules: Narrowing
  /// Told of the schedule that brought the finding first.
  let onNarrowed: @Sendable (Schedule) -> Void

  private final class Narrowing: Sendable {
    let schedules: Mutex<[Schedule]>
    init(_ schedules: [Schedule]) { self.schedules = Mutex(schedules) }
  }

  /// - Parameters:
  ///   - builds: holds the lock on the tree as long as the lab is there.
  ///   - request: what runs have in common; kernel, folder, seed and schedules are set for each.
  ///   - schedules: one pass over these is a trial; none for one over the scenarios of `request`.
  ///   - folder: the bisection's; each run has a folder in its `runs`.
  ///   - onNarrowed: called once at the most, and only where no schedules were given.
  public init(
    builds: SuccessiveBuild, request: RunRequest, schedules: [Schedule], folder: String,
    checkout: Checkout, cache: Cache, status: StatusLine,
    onNarrowed: @escaping @Sendable (Schedule) -> Void
  ) {
    self.builds = builds
    self.request = request
    self.schedules = Narrowing(schedules)
    self.folder = folder
    self.checkout = checkout
    self.cache = cache
    self.status = status
    self.onNarrowed = onNarrowed
  }

  /// - Throws: what is not the kernel's fault; a kernel that does not build is `unusable`.
  public func build(_ commit: String, known: BuiltKernel?) async throws -> BuildResult {
    if let known, builds.product(of: known.image, isHooked: known.isHooked) != nil {
      return .built(known)
    }
    do {
      let product = try await builds.build(commit)
      return .built(BuiltKernel(image: product.sha256, isHooked: product.isHooked))
    } catch let error as KernelError where error.fault == .kernelUnusable {
      try Task.checkCancellation()
      let lines = "\(error)".split(separator: "\n")
      return .unusable(lines.prefix(2).joined(separator: ": ").replacing("    ", with: ""))
    }
  }

  /// Where one pass over the scenarios is a trial, makes one, whatever `trials` says.
  ///
  /// - Throws: also where the kernel is gone from the cache, and where the run broke on our side.
  public func run(
    _ commit: String, _ kernel: BuiltKernel, trials: Int,
    each: @escaping @Sendable (BisectTrial) -> Void
  ) async throws -> String? {
    guard let product = builds.product(of: kernel.image, isHooked: kernel.isHooked) else {
      throw BisectError(
        "try", commit, "its kernel is not there any more",
        advice: "Go on with --resume: it is built again.")
    }
    let schedules = schedules.schedules.withLock { $0 }
    var request = request
    request.kernel = .image(product.image)
    request.module = product.module.string
    request.out = nextFolder(for: commit)
    request.seed = UInt64.random(in: .min ... .max)
    request.providers = [kernel.isHooked ? .patch : .ftrace]
    request.reproductions = 0
    request.stopsAtTarget = true
    if !schedules.isEmpty {
      request.scenarios = [
        .custom((0..<trials).flatMap { _ in schedules })
      ]
    }
    let sorter = TrialSorter(
      target: request.target, parts: schedules.isEmpty ? nil : schedules.count,
      folder: request.out, each: each)
    var run = HarnessRun(request, checkout: checkout, cache: cache, progress: status)
    run.onTrial = { sorter.take($0) }
    let outcome = try await run.run()
    try Task.checkCancellation()
    sorter.finish(outcome.record)
    if schedules.isEmpty, let schedule = sorter.schedule {
      self.schedules.schedules.withLock { $0 = [schedule] }
      onNarrowed(schedule)
    }
    guard let failure = outcome.record.error else { return nil }
    switch failure.kind {
    case .kernelUnusable: return failure.message.split(separator: "\n").first.map(String.init)
    case .harness, .usage:
      throw BisectError(
        "try", commit, failure.message,
        advice: "Nothing is said about the commit. Go on with --resume; the run: "
          + "\(outcome.folder)")
    }
  }

  /// `runs/0017-a1b2c3d4e5f6`, which is not there yet.
  private func nextFolder(for commit: String) -> String {
    let parent = "\(folder)/runs"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? []
    let last = names.compactMap { Int($0.prefix { $0 != "-" }) }.max() ?? 0
    let number = String(last + 1)
    let padded = String(repeating: "0", count: max(0, 4 - number.count)) + number
    return "\(parent)/\(padded)-\(commit.prefix(12))"
  }
}

/// Makes the run's trials into the bisection's: each is one pass over the schedules.
final class TrialSorter: Sendable {
  private struct State {
    var told: Set<Int> = []
    var parts: [Int: [BisectTrial]] = [:]
    var last = Date()
    var hasFinding = false
    var schedule: Schedule?
  }

  private let target: String?
  /// Trials of the run that are one of the bisection; nil for all of them.
  private let parts: Int?
  private let folder: String?
  private let each: @Sendable (BisectTrial) -> Void
  private let state = Mutex(State())

  init(
    target: String?, parts: Int?, folder: String?,
    each: @escaping @Sendable (BisectTrial) -> Void
  ) {
    self.target = target
    self.parts = parts
    self.folder = folder
    self.each = each
  }

  /// The schedule that brought the finding first.
  var schedule: Schedule? { state.withLock(\.schedule) }

  /// A trial of the run was judged.
  func take(_ trial: TrialJudgement) {
    let found = trial.findings.first { $0.isTarget(target) }
    let one: BisectTrial
    if let found {
      one = BisectTrial(.finding, what: found.title)
    } else {
      switch trial.verdict {
      case .pass: one = BisectTrial(.pass)
      case .fail(let findings): one = BisectTrial(.silent, what: findings.first?.title)
      case .notExercised(let why): one = BisectTrial(.silent, what: why.first)
      case .error(let failure): one = BisectTrial(.silent, what: failure.message)
      }
    }
    state.withLock { state in
      guard state.told.insert(trial.spec.index).inserted else { return }
      let group = parts.map { trial.spec.index / $0 } ?? 0
      let isOver = state.parts[group]?.contains { $0.outcome == .finding } ?? false
      guard !isOver else { return }
      state.parts[group, default: []].append(one)
      if one.outcome == .finding {
        state.schedule = state.schedule ?? trial.spec.schedule
        tell(one, &state)
      } else if let parts, state.parts[group]?.count == parts {
        tell(Self.sum(of: state.parts[group] ?? []), &state)
      }
    }
  }

  /// The run is over: what no trial was told of.
  func finish(_ record: RunRecord) {
    for trial in record.trials {
      // Of a guest that was lost. One that was not begun has neither.
      guard let found = trial.findings.first(where: { $0.isTarget(target) }) else { continue }
      state.withLock { state in
        guard state.told.insert(trial.index).inserted else { return }
        state.schedule = state.schedule ?? trial.schedule
        tell(BisectTrial(.finding, what: found.title), &state)
      }
    }
    state.withLock { state in
      if !state.hasFinding, let stray = record.findings.first(where: { $0.isTarget(target) }) {
        tell(BisectTrial(.finding, what: stray.title), &state)
      }
      guard !state.hasFinding, record.error == nil else { return }
      // A finding of another kind stands before what broke beside it: a kernel that warns and
      // then does not boot has no error in its record, and no trial.
      let isWhole =
        record.cutShort == nil && record.trials.allSatisfy { state.told.contains($0.index) }
      if state.told.isEmpty || parts == nil && !isWhole {
        let why = record.cutShort ?? "not all of its trials were had"
        tell(BisectTrial(.silent, what: why), &state)
      } else if parts == nil {
        tell(Self.sum(of: state.parts[0] ?? []), &state)
      }
    }
  }

  private static func sum(of parts: [BisectTrial]) -> BisectTrial {
    parts.first { $0.outcome == .silent } ?? BisectTrial(.pass)
  }

  private func tell(_ trial: BisectTrial, _ state: inout State) {
    var trial = trial
    let now = Date()
    trial.seconds = now.timeIntervalSince(state.last)
    trial.folder = folder
    state.last = now
    if trial.outcome == .finding { state.hasFinding = true }
    each(trial)
  }
}
