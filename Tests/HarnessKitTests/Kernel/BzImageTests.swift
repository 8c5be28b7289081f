import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct BzImageTests {
  private func problem(_ bytes: [UInt8]) -> String {
    do {
      _ = try BzImage(bytes, name: "bzImage")
      return "accepted"
    } catch {
      #expect(error.fault == .kernelUnusable)
      #expect(error.advice != nil, "an error has to say what to do")
      return error.problem
    }
  }

  @Test func `a whole image tells its release and its size`() throws {
    let bytes = SyntheticImage().bytes
    let image = try BzImage(bytes, name: "bzImage")
    #expect(image.release == "6.12.117")
    #expect(image.bootProtocol == 0x20F)
    #expect(image.isRelocatable)
    #expect(image.expectedSize == bytes.count)
    #expect(image.payload == 2560..<3560)
  }

  @Test func `an empty file is told from a file that is no kernel`() {
    #expect(problem([]) == "the file is empty")
    #expect(problem(Array("#!/bin/sh\n".utf8)).hasPrefix("not a kernel image"))
    #expect(problem([UInt8](repeating: 0, count: 4096)).contains("0x55AA"))
  }

  @Test func `half an image is refused, with how much of it is there`() {
    let whole = SyntheticImage().bytes
    let half = Array(whole.prefix(whole.count / 2))
    #expect(problem(half) == "cut short: \(half.count) of \(whole.count) bytes are there")
  }

  @Test func `an image without its last byte is refused too`() {
    var image = SyntheticImage()
    image.payload = [UInt8](repeating: 1, count: 1024)
    #expect(problem(Array(image.bytes.dropLast())).hasPrefix("cut short"))
  }

  @Test func `no length cut from an image makes the parser trap`() {
    let whole = SyntheticImage().bytes
    for length in stride(from: 0, to: whole.count - 16, by: 7) {
      #expect(problem(Array(whole.prefix(length))) != "accepted", "\(length) bytes")
    }
  }

  @Test func `a boot sector without HdrS is no Linux kernel`() {
    var image = SyntheticImage()
    image.magic = Array("GRUB".utf8)
    #expect(problem(image.bytes).contains("HdrS"))
  }

  @Test func `what is often given by mistake is called by its name`() {
    #expect(problem([0x7F, 0x45, 0x4C, 0x46] + [UInt8](repeating: 0, count: 999)).contains("ELF"))
    #expect(problem([0x1F, 0x8B, 0x08] + [UInt8](repeating: 0, count: 999)).contains("gzip"))
  }

  @Test func `a directory in place of an image gets the likely path as advice`() async throws {
    try await withTemporaryDirectory { directory in
      #expect {
        try BzImage.read(directory)
      } throws: { error in
        "\(error)".contains("arch/x86/boot/bzImage")
      }
    }
  }
}
