import Glibc

extension Array where Element == UInt8 {
  /// Where `needle` first occurs at or after `start`. An uncompressed kernel
  /// has some 60 MB: the C library looks for the first byte.
  func firstOffset(of needle: [UInt8], from start: Int) -> Int? {
    guard let first = needle.first else { return nil }
    return withUnsafeBytes { bytes -> Int? in
      guard let base = bytes.baseAddress else { return nil }
      var offset = start
      while offset + needle.count <= bytes.count {
        let rest = bytes.count - needle.count + 1 - offset
        guard let hit = memchr(base + offset, Int32(first), rest) else { return nil }
        offset = UnsafeRawPointer(hit) - base
        if memcmp(hit, needle, needle.count) == 0 { return offset }
        offset += 1
      }
      return nil
    }
  }
}
