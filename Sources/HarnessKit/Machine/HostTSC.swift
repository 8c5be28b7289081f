import CLinux

/// The host's time stamp counter, which a guest under TCG sees as its own.
enum HostTSC {
  /// Its frequency, measured over some milliseconds; nil where it stands still.
  static func kilohertz(over duration: Duration = .milliseconds(10)) -> Int? {
    let clock = ContinuousClock()
    let start = clock.now
    let first = clinux_read_tsc()
    // Not asleep: the counter may stop in a deep sleep state.
    while clock.now - start < duration {}
    let ticks = Double(clinux_read_tsc() &- first)
    let spent = (clock.now - start).components
    let milliseconds = Double(spent.seconds) * 1e3 + Double(spent.attoseconds) / 1e15
    let kilohertz = ticks / milliseconds
    return (100_000...20_000_000).contains(kilohertz) ? Int(kilohertz.rounded()) : nil
  }
}
