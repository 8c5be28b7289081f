/// A cpio archive in the "newc" format, the one that the kernel unpacks as its
/// initramfs. Deterministic: the same entries in the same order are the same
/// bytes, as times and owners are zero and inode numbers count from 1.
struct CpioArchive: Sendable {
  /// The bytes so far, without the trailer.
  private var bytes: [UInt8] = []
  private var nextInode: UInt32 = 1

  init() {}

  /// Adds a directory. Parents come before what is in them: the kernel makes none.
  mutating func addDirectory(_ path: String, mode: UInt32 = 0o755) {
    add(path, mode: 0o040000 | mode, links: 2)
  }

  mutating func addFile(_ path: String, mode: UInt32 = 0o644, contents: [UInt8]) {
    add(path, mode: 0o100000 | mode, contents: contents)
  }

  mutating func addSymbolicLink(_ path: String, to target: String) {
    add(path, mode: 0o120777, contents: Array(target.utf8))
  }

  mutating func addCharacterDevice(
    _ path: String, mode: UInt32 = 0o600, major: UInt32, minor: UInt32
  ) {
    add(path, mode: 0o020000 | mode, device: (major, minor))
  }

  /// The whole archive.
  func encoded() -> [UInt8] {
    var whole = self
    whole.nextInode = 0
    whole.add("TRAILER!!!", mode: 0)
    // QEMU may load another archive behind this one; both start aligned.
    whole.pad(to: 512)
    return whole.bytes
  }

  private mutating func add(
    _ path: String, mode: UInt32, links: UInt32 = 1, contents: [UInt8] = [],
    device: (major: UInt32, minor: UInt32) = (0, 0)
  ) {
    // Relative, as cpio writes them; the kernel takes both.
    let name = Array(path.drop { $0 == "/" }.utf8) + [0]
    bytes += Array("070701".utf8)
    let fields: [UInt32] = [
      nextInode, mode, 0, 0, links, 0, UInt32(contents.count), 0, 0, device.major, device.minor,
      UInt32(name.count), 0,
    ]
    for field in fields { appendHexadecimal(field) }
    bytes += name
    pad(to: 4)
    bytes += contents
    pad(to: 4)
    nextInode += 1
  }

  private mutating func appendHexadecimal(_ value: UInt32) {
    for shift in stride(from: UInt32(28), through: 0, by: -4) {
      let digit = UInt8(value >> shift & 0xF)
      bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
    }
  }

  private mutating func pad(to alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }
}
