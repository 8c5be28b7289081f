import GuestWire

/// Where a run's guests get the saved one from: the cache, or the first guest of
/// the run, which is booted, saved and goes on. The others wait for it.
actor SnapshotShelf {
  /// How the next guest starts.
  enum Ticket: Sendable {
    case restore(Snapshot)
    /// Followed by ``settle(_:)``, whatever becomes of that guest.
    case bootToSave
    case boot
  }

  private enum State {
    case notLooked
    case making
    case there(Snapshot)
    case none
  }

  private let cache: Cache
  private let key: String?
  private var state: State
  private var waiters: [CheckedContinuation<Void, Never>] = []
  /// What did not go as it should, for the run's record.
  private(set) var notes: [String] = []

  /// - Parameter key: Nil where each guest is to boot.
  init(cache: Cache, key: String?) {
    self.cache = cache
    self.key = key
    state = key == nil ? .none : .notLooked
  }

  func ticket() async -> Ticket {
    while true {
      switch state {
      case .there(let snapshot): return .restore(snapshot)
      case .none: return .boot
      case .making: await withCheckedContinuation { waiters.append($0) }
      case .notLooked:
        guard let key, let entry = cache.existing(Snapshot.kind, key) else {
          state = .making
          return .bootToSave
        }
        do throws(Snapshot.Failure) {
          state = .there(try Snapshot(reading: entry))
          cache.touch(Snapshot.kind, key)
        } catch {
          discard(because: "\(error)")
        }
      }
    }
  }

  /// Saves a guest that is ready, and lets it go on.
  func save(_ session: GuestSession, hello: Hello, disk: String) async {
    guard let key else { return }
    do {
      let entry = try await cache.obtain(Snapshot.kind, key) { directory in
        try await Snapshot.save(session, hello: hello, disk: disk, to: directory)
      }
      cache.trim(Snapshot.kind, keeping: Snapshot.kept)
      state = .there(try Snapshot(reading: entry))
    } catch {
      notes.append("snapshot: the guest could not be saved, each one boots: \(error)")
      state = .none
    }
    do {
      // Harmless where the guest was never stopped.
      try await session.resume()
    } catch {
      notes.append("snapshot: the saved guest does not go on: \(error)")
      session.kill()
    }
    wake()
  }

  /// The guest that was to be saved has ended, saved or not.
  func settle(_ result: GuestRun.Result?) {
    guard case .making = state else { return }
    if result?.spoiledBoot != nil {
      // Another boots in its place.
      state = .notLooked
      wake()
      return
    }
    if result?.bootSplats.isEmpty == false {
      notes.append("snapshot: none is made of a kernel that reports something as it boots")
    }
    state = .none
    wake()
  }

  /// A guest could not be started from this one.
  func reject(_ snapshot: Snapshot, because reason: String) {
    // Another job may have found out before, and have made a new one.
    guard case .there(let current) = state, current == snapshot else { return }
    discard(because: reason)
  }

  private func discard(because reason: String) {
    notes.append("snapshot: removed, and a guest booted instead: \(reason)")
    if let key { cache.remove(Snapshot.kind, key) }
    state = .notLooked
  }

  private func wake() {
    for waiter in waiters { waiter.resume() }
    waiters = []
  }
}
