import FoundationEssentials
import GuestWire

/// What gcov counted of the files that the kernel was compiled to be counted in.
enum KernelCoverage {
  private static let root = "/sys/kernel/debug/gcov"

  static func collect() -> [CoverageData] {
    var found: [CoverageData] = []
    var folders = [root]
    while let folder = folders.popLast() {
      for name in (try? KernelFile.entries(folder)) ?? [] {
        let path = "\(folder)/\(name)"
        if name.hasSuffix(".gcda") {
          guard let bytes = try? KernelFile.bytes(of: path) else { continue }
          found.append(CoverageData(path: String(path.dropFirst(root.count)), bytes: Data(bytes)))
        } else if (try? KernelFile.entries(path)) != nil {
          folders.append(path)
        }
      }
    }
    return found
  }
}
