/// Numbers at offsets of a byte array; nil where it is too short.
struct LittleEndian {
  private let bytes: [UInt8]

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func u8(_ offset: Int) -> UInt8? { bytes.indices.contains(offset) ? bytes[offset] : nil }

  func u16(_ offset: Int) -> UInt16? {
    guard let low = u8(offset), let high = u8(offset + 1) else { return nil }
    return UInt16(low) | UInt16(high) << 8
  }

  func u32(_ offset: Int) -> UInt32? {
    guard let low = u16(offset), let high = u16(offset + 2) else { return nil }
    return UInt32(low) | UInt32(high) << 16
  }
}
