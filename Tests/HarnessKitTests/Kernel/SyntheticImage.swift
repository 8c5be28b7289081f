/// A kernel image with a true header and any payload.
struct SyntheticImage {
  var version = "6.12.117 (harness@zswap) #1 SMP"
  var payload: [UInt8] = Array(repeating: 0xAB, count: 1000)
  var magic: [UInt8] = Array("HdrS".utf8)

  var bytes: [UInt8] {
    let setupSize = 5 * 512
    var bytes = [UInt8](repeating: 0, count: setupSize)
    let text = Array(version.utf8)
    bytes.replaceSubrange(0x400..<(0x400 + text.count), with: text)
    bytes[0x1F1] = 4
    put(&bytes, 0x1F4, UInt32((payload.count + 15) / 16), 4)
    put(&bytes, 0x1FE, 0xAA55, 2)
    bytes.replaceSubrange(0x202..<0x206, with: magic)
    put(&bytes, 0x206, 0x20F, 2)
    put(&bytes, 0x20E, 0x200, 2)
    bytes[0x234] = 1
    put(&bytes, 0x248, 0, 4)
    put(&bytes, 0x24C, UInt32(payload.count), 4)
    bytes += payload
    return bytes + [UInt8](repeating: 0, count: (16 - payload.count % 16) % 16)
  }

  private func put(_ bytes: inout [UInt8], _ offset: Int, _ value: UInt32, _ count: Int) {
    for index in 0..<count {
      bytes[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index))
    }
  }
}
