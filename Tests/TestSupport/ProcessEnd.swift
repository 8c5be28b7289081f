public import Foundation

extension Process {
  /// Returns when it has ended.
  ///
  /// `waitUntilExit` would keep a thread of the pool that all tests share: two such waits at
  /// once, on a host of two CPUs, stop every other test.
  public func ended() async {
    while isRunning { try? await Task.sleep(for: .milliseconds(20)) }
  }
}
