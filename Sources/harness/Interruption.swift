import Dispatch
import Foundation

/// Turns Ctrl-C and SIGTERM into cancellation, so that guests are stopped and
/// the results say what happened. A second signal ends the process at once; its guests
/// are tethered to it and end too.
enum Interruption {
  static func cancelling<Value: Sendable>(
    _ body: @escaping @Sendable () async throws -> Value
  ) async throws -> Value {
    let task = Task { try await body() }
    let numbers = [SIGINT, SIGTERM]
    let sources = numbers.map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        task.cancel()
        signal(number, SIG_DFL)
      }
      source.resume()
      return source
    }
    defer {
      for (number, source) in zip(numbers, sources) {
        source.cancel()
        // Or it would be ignored from here on.
        signal(number, SIG_DFL)
      }
    }
    return try await task.value
  }
}
