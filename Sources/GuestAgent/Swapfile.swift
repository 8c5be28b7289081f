import CLinux
import Glibc
import SystemPackage

/// A swap area of the guest's own: a file on the ext4 file system of its virtio
/// disk, or a brd device.
struct Swapfile {
  let path: String
  let pages: Int

  /// The header that mkswap writes: version 1, no bad pages.
  static func header(pages: Int) -> [UInt8] {
    var page = [UInt8](repeating: 0, count: PageStamp.size)
    func put(_ value: UInt32, at offset: Int) {
      withUnsafeBytes(of: value.littleEndian) {
        page.replaceSubrange(offset..<offset + 4, with: $0)
      }
    }
    put(1, at: 1024)
    put(UInt32(pages - 1), at: 1028)
    page.replaceSubrange(PageStamp.size - 10..<PageStamp.size, with: "SWAPSPACE2".utf8)
    return page
  }

  /// Allocates the file and writes its header.
  static func make(at path: String, pages: Int) throws(SystemError) -> Swapfile {
    let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .last("create", path) }
    defer { close(descriptor) }
    // Preallocated, not sparse: swapon refuses holes.
    let failure = posix_fallocate(descriptor, 0, off_t(pages * PageStamp.size))
    guard failure == 0 else {
      throw SystemError(operation: "allocate", object: path, errno: Errno(rawValue: failure))
    }
    let header = header(pages: pages)
    guard pwrite(descriptor, header, header.count, 0) == header.count else {
      throw .last("write the header of", path)
    }
    guard fsync(descriptor) == 0 else { throw .last("sync", path) }
    return Swapfile(path: path, pages: pages)
  }

  /// Writes the header to a block device that is there already.
  static func make(on device: String, pages: Int) throws(SystemError) -> Swapfile {
    let descriptor = open(device, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last("open", device) }
    defer { close(descriptor) }
    let header = header(pages: pages)
    guard pwrite(descriptor, header, header.count, 0) == header.count, fsync(descriptor) == 0
    else { throw .last("write the header of", device) }
    return Swapfile(path: device, pages: pages)
  }

  func swapOn() throws(SystemError) {
    let failure = clinux_swapon(path)
    guard failure == 0 else {
      throw SystemError(operation: "swapon", object: path, errno: Errno(rawValue: failure))
    }
  }

  /// 0, or the errno: a result of the path under test, not an error of ours.
  func swapOff() -> Int32 { clinux_swapoff(path) }

  /// Swap areas in use, of any kind.
  static func areasInUse() throws(SystemError) -> Int {
    try KernelFile.read("/proc/swaps").split(separator: "\n").count - 1
  }

  /// KiB of all areas that hold something.
  static func kibibytesUsed() throws(SystemError) -> Int64 {
    try KernelFile.read("/proc/swaps").split(separator: "\n").dropFirst()
      .compactMap { line in
        let words = line.split(whereSeparator: \.isWhitespace)
        return words.count > 3 ? Int64(words[3]) : nil
      }
      .reduce(0, +)
  }
}

/// The guest's virtio disk, which has the swapfile.
enum Disk {
  static let name = "vda"

  /// Requests are under way on it.
  static var isBusy: Bool {
    guard let text = try? KernelFile.read("/sys/block/\(name)/inflight") else { return true }
    return text.split(whereSeparator: \.isWhitespace).contains { $0 != "0" }
  }
}

/// The swap areas that a guest prepares, once.
struct SwapAreas {
  let all: [Swapfile]
  /// Of few slots: the swap slot cache stays off, a slot can be made to be used
  /// again, and swapoff has little to look through.
  let small: Int
  let large: Int
  /// Nil where this kernel has no brd.
  let brd: Int?

  static let smallPages = 32
  /// One zswap tree: the device's size is not what is under test.
  private static let largePages = 4096
  private static let device = "/dev/ram0"

  static func make(in folder: String) throws(SystemError) -> SwapAreas {
    var all = [
      try Swapfile.make(at: "\(folder)/swapfile-small", pages: smallPages),
      try Swapfile.make(at: "\(folder)/swapfile", pages: largePages),
    ]
    let hasBrd = KernelFile.exists(device)
    if hasBrd { all.append(try Swapfile.make(on: device, pages: smallPages)) }
    return SwapAreas(all: all, small: 0, large: 1, brd: hasBrd ? 2 : nil)
  }
}
