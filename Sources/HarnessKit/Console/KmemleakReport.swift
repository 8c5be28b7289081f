import GuestWire

/// What kmemleak lists, as reports of the kernel: mm/kmemleak.c prints an object with who
/// allocated it, and its stack.
enum KmemleakReport {
  private static let header = "unreferenced object "
  /// Objects that are looked at: a leak in a loop has thousands, of one stack.
  private static let objectLimit = 256

  /// A report for each object, in the list's order; those of one place have one
  /// fingerprint.
  static func splats(in text: String) -> [Splat] {
    var objects: [[String]] = []
    for line in text.split(separator: "\n") {
      if line.hasPrefix(header) {
        guard objects.count < objectLimit else { break }
        objects.append([String(line)])
      } else if !objects.isEmpty {
        objects[objects.count - 1].append(String(line))
      }
    }
    return objects.map(splat)
  }

  private static func splat(_ lines: [String]) -> Splat {
    var excerpt = Excerpt()
    for line in lines { excerpt.append(line) }
    let owner = lines.lazy.compactMap { $0.trimmed.after("comm \"") }.first
    let frames = lines.drop { !$0.trimmed.hasPrefix("backtrace") }.dropFirst()
      .compactMap { line -> StackFrame? in
        let text = line.trimmed
        // Older kernels write the address as well.
        return StackFrame(symbol: text.hasPrefix("[<") ? text.splitOnce("] ").1 : text)
      }
    let telling = frames.first { !$0.isGeneric }
    let inHarness = telling?.isHarness ?? false
    let meaningful = frames.filter { !$0.isGeneric && !$0.isHarness }
    let place = inHarness ? telling?.description : meaningful.first?.function
    let label = "kmemleak: unreferenced object"
    return Splat(
      kind: .kmemleak, title: place.map { "\(label) in \($0)" } ?? label,
      fingerprint: Fingerprint.of(
        [Splat.Kind.kmemleak.rawValue, label] + meaningful.prefix(3).map(\.function)),
      frames: frames, task: owner.map { $0.splitOnce("\", pid ").0 },
      pid: owner.flatMap { Int($0.splitOnce("\", pid ").1.prefix { $0.isNumber }) },
      seconds: nil, excerpt: excerpt.text, inHarnessModule: inHarness)
  }
}
