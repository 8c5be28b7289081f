import GuestWire
import Testing

@Suite struct FrameTests {
  private let message = GuestMessage.progress("boot")

  @Test func `a message survives the wire, however the bytes are cut`() throws {
    let bytes = try Frame.encode(message) + Frame.encode(GuestMessage.finished)
    for size in [1, 3, 12, bytes.count] {
      var reader = FrameReader()
      var seen: [GuestMessage] = []
      var rest = bytes[...]
      while !rest.isEmpty {
        reader.append(rest.prefix(size))
        rest = rest.dropFirst(size)
        while let payload = try reader.next() {
          seen.append(try Frame.decode(GuestMessage.self, from: payload))
        }
      }
      #expect(seen == [message, .finished])
    }
  }

  @Test func `a length that no message has is refused before it is read`() throws {
    var reader = FrameReader()
    reader.append([0x5A, 0x53, 0x57, 0x46, 0x7F, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0])
    #expect(throws: Frame.FrameError.tooLong(0x7FFF_FFFF)) { try reader.next() }
  }

  @Test func `a flipped bit anywhere in a frame is noticed`() throws {
    let bytes = try Frame.encode(message)
    for position in bytes.indices {
      var damaged = bytes
      damaged[position] ^= 0x10
      var reader = FrameReader()
      reader.append(damaged)
      let undamaged = try? reader.next()
      #expect(undamaged == nil, "byte \(position)")
    }
  }

  @Test func `after a bad frame nothing that follows is believed`() throws {
    var reader = FrameReader()
    reader.append([UInt8](repeating: 0x41, count: 64))
    #expect(throws: Frame.FrameError.badMagic(0x4141_4141)) { try reader.next() }
    reader.append(try Frame.encode(message))
    #expect(throws: Frame.FrameError.badMagic(0x4141_4141)) { try reader.next() }
  }

  @Test func `a point that does not exist makes a message undecodable`() {
    let text = #"{"point":"writeback@nowhere","hits":0,"available":[]}"#
    #expect(throws: Frame.FrameError.self) {
      try Frame.decode(PointStatus.self, from: Array(text.utf8))
    }
  }
}
