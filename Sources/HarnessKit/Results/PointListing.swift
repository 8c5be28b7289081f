import GuestWire

/// The hook points as the providers of one kernel reach them, and what that leaves of a
/// list of schedules.
public struct PointListing: Sendable {
  private let providers: [ProviderPoints]

  /// - Parameter providers: a run's, from its record's `points`.
  public init(_ providers: [ProviderPoints]) { self.providers = providers }

  /// A line for each point: what it is good for, and who reaches it.
  public var lines: [String] {
    HookPoint.catalogue.map { point in
      let use = point.isMark ? "mark" : point.maySleep ? "hold, await" : "await"
      let reach =
        point.isMark
        ? "always" : providers.filter { $0.reaches(point) }.map(\.provider.rawValue).words
      return point.rawValue.padded(to: 24) + use.padded(to: 14) + reach
    }
  }

  /// For each provider, how many of the schedules it can run; and those that it cannot,
  /// with the points that it lacks.
  public func coverage(of schedules: [Schedule]) -> [String] {
    providers.flatMap { provider in
      let lacking = schedules.compactMap { schedule -> String? in
        let absent = schedule.points.filter { !provider.reaches($0) }
        guard !absent.isEmpty else { return nil }
        return "  not \(schedule): no \(absent.map(\.rawValue).joined(separator: ", "))"
      }
      return [
        "\(provider.provider.rawValue): \(schedules.count - lacking.count) of \(schedules.count) "
          + "schedules"
      ] + lacking
    }
  }
}

extension ProviderPoints {
  fileprivate func reaches(_ point: HookPoint) -> Bool {
    point.isMark || points.contains { $0.point == point && $0.provider != nil }
  }
}

extension [String] {
  fileprivate var words: String { isEmpty ? "absent" : joined(separator: ", ") }
}
