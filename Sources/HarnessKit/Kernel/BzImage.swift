import Foundation
import SystemPackage

/// The header of an x86 kernel image, after the kernel's x86 boot protocol.
struct BzImage: Hashable, Sendable {
  /// Boot protocol: 0x20F is 2.15.
  let bootProtocol: UInt16
  /// The whole version line: release, who built it, when.
  let version: String
  /// Its first word, `uname -r`.
  var release: String { version.split(separator: " ").first.map(String.init) ?? "" }
  let isRelocatable: Bool
  let setupSectors: Int
  /// Size of the file that the header promises. A signed image is longer.
  let expectedSize: Int
  /// Where the compressed kernel is in the file.
  let payload: Range<Int>

  /// Reads the header from a file.
  static func read(_ path: FilePath) throws(KernelError) -> BzImage {
    let size: Int
    let head: [UInt8]
    do {
      // Reading one gives EISDIR or EINVAL, as its file system likes.
      var isDirectory: ObjCBool = false
      if FileManager.default.fileExists(atPath: path.string, isDirectory: &isDirectory),
        isDirectory.boolValue
      {
        throw Errno.isDirectory
      }
      let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
      defer { try? file.close() }
      size = Int(try file.seek(offset: 0, from: .end))
      head = try [UInt8](unsafeUninitializedCapacity: min(size, headSize)) { buffer, count in
        count = try file.read(fromAbsoluteOffset: 0, into: UnsafeMutableRawBufferPointer(buffer))
      }
    } catch let error as Errno {
      let advice: String? =
        switch error {
        case .isDirectory:
          "Give the image in it, such as \(path.appending("arch/x86/boot/bzImage").string)."
        case .noSuchFileOrDirectory:
          "Check the path; `harness kernel build` and `harness kernel fetch` make kernels."
        default: nil
        }
      throw KernelError(
        "read kernel image", path, error, advice: advice,
        code: error == .noSuchFileOrDirectory ? .notFound : .host)
    } catch {
      throw KernelError(.host, "read kernel image", path.string, String(describing: error))
    }
    return try BzImage(head, fileSize: size, name: path.string)
  }

  /// Parses the first bytes of an image.
  ///
  /// - Parameters:
  ///   - bytes: the beginning of the file; 64 KiB hold all that is looked at.
  ///   - fileSize: the whole file's size, where `bytes` is less than that.
  ///   - name: what errors call it.
  init(_ bytes: [UInt8], fileSize: Int? = nil, name: String) throws(KernelError) {
    let fileSize = fileSize ?? bytes.count
    func unusable(_ problem: String, _ advice: String) -> KernelError {
      KernelError(.image, "read kernel image", name, problem, advice: advice)
    }
    func cutShort(_ expected: Int?) -> KernelError {
      let whole = expected.map { "\(fileSize) of \($0) bytes" } ?? "only \(fileSize) bytes"
      return unusable(
        "cut short: \(whole) are there",
        "Was it still being copied or built? Copy it again, or build it anew.")
    }

    guard fileSize > 0 else {
      throw unusable(
        "the file is empty",
        "Its build or copy did not finish. Build it anew, or give another path.")
    }
    if let what = BzImage.otherFormat(bytes) {
      throw unusable(what.problem, what.advice)
    }
    let fields = LittleEndian(bytes)
    guard let bootFlag = fields.u16(0x1FE), let magic = fields.u32(0x202) else {
      throw bytes.starts(with: [0x4D, 0x5A])
        ? cutShort(nil)
        : unusable("not a kernel image (\(fileSize) bytes)", BzImage.whatToGive)
    }
    guard bootFlag == 0xAA55 else {
      throw unusable(
        "not a kernel image: no boot signature 0x55AA at offset 0x1FE", BzImage.whatToGive)
    }
    guard magic == 0x5372_6448 else {
      throw unusable(
        "not a Linux bzImage: a boot sector, but no “HdrS” at offset 0x202", BzImage.whatToGive)
    }
    guard let sectors = fields.u8(0x1F1), let sysSize = fields.u32(0x1F4),
      let protocolWord = fields.u16(0x206), let versionPointer = fields.u16(0x20E),
      let relocatable = fields.u8(0x234),
      let payloadOffset = fields.u32(0x248), let payloadLength = fields.u32(0x24C)
    else { throw cutShort(nil) }
    // Before 2.08 (Linux 2.6.26) the header does not say where the payload is.
    guard protocolWord >= 0x208 else {
      throw unusable(
        "boot protocol \(protocolWord >> 8).\(protocolWord & 0xFF) is too old",
        "A kernel with zswap speaks 2.11 or later.")
    }

    // Zero means four, from the days of floppy disks.
    setupSectors = sectors == 0 ? 4 : Int(sectors)
    let setupSize = (setupSectors + 1) * 512
    // syssize counts paragraphs of 16 bytes; the last one may be a part.
    expectedSize = setupSize + Int(sysSize) * 16
    guard fileSize > expectedSize - 16 else { throw cutShort(expectedSize) }
    let start = setupSize + Int(payloadOffset)
    payload = start..<(start + Int(payloadLength))
    guard payload.upperBound <= fileSize else { throw cutShort(payload.upperBound) }
    bootProtocol = protocolWord
    isRelocatable = relocatable != 0

    let versionStart = Int(versionPointer) + 0x200
    let text = bytes.dropFirst(versionStart).prefix { $0 != 0 }
    guard versionPointer != 0, !text.isEmpty, versionStart + text.count < bytes.count else {
      throw unusable(
        "its header has no version line, so nothing can tell which kernel it is",
        "Give the bzImage as the kernel's own build left it.")
    }
    version = String(decoding: text, as: UTF8.self)
  }

  private static let headSize = 64 << 10
  static let whatToGive =
    "Give an x86 bzImage: arch/x86/boot/bzImage of a build, or a distribution's vmlinuz; or the"
    + " folder of the build, or a linux-image-….deb."

  /// What people give by mistake, by its first bytes.
  private static func otherFormat(_ bytes: [UInt8]) -> (problem: String, advice: String)? {
    if bytes.starts(with: [0x7F, 0x45, 0x4C, 0x46]) {
      return ("an ELF file (vmlinux?), not a bzImage", whatToGive)
    }
    if let format = Compression(magic: bytes[...]) {
      return (
        "a file compressed with \(format.rawValue), not a bzImage",
        "Decompress it first, or give arch/x86/boot/bzImage of the build."
      )
    }
    let known = formats.first { format in
      bytes.dropFirst(format.offset).starts(with: format.magic.utf8)
    }
    return known.map { ("\($0.what), not an x86 bzImage", $0.advice) }
  }

  private static let formats: [(offset: Int, magic: String, what: String, advice: String)] = [
    (0, "!<arch>\n", "an archive of objects", whatToGive),
    // Documentation/arch/arm64/booting.rst, riscv/boot-image-header.rst
    (0x38, "ARMd", "an arm64 Image", otherArchitecture),
    (0x38, "RSC\u{5}", "a RISC-V Image", otherArchitecture),
    // What EFI unpacks by itself, of architectures other than x86.
    (4, "zimg", "a compressed EFI image of another architecture", otherArchitecture),
  ]
  private static let otherArchitecture =
    "The guest is x86-64: build it with ARCH=x86_64, and give arch/x86/boot/bzImage."
}
