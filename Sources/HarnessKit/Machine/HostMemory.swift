import Foundation

/// The host's memory.
package enum HostMemory {
  /// What a new program can have without any other being swapped out, in MiB; nil where
  /// the kernel does not say.
  package static func availableMiB() -> Int? {
    let text = String(
      decoding: FileManager.default.contents(atPath: "/proc/meminfo") ?? Data(), as: UTF8.self)
    return text.split(separator: "\n").first { $0.hasPrefix("MemAvailable:") }
      .flatMap { line in line.split(separator: " ").dropFirst().first.flatMap { Int($0) } }
      .map { $0 >> 10 }
  }
}
