import SystemPackage
import Testing

@testable import HarnessKit

@Suite struct KernelReferenceTests {
  @Test func `a Debian series and a whole release are named behind the scheme`() throws {
    #expect(try KernelReference(parsing: "debian:6.1") == .debian("6.1"))
    #expect(
      try KernelReference(parsing: "debian:6.12.117+deb12-amd64")
        == .debian("6.12.117+deb12-amd64"))
  }

  @Test func `everything else is a path`() throws {
    for path in ["arch/x86/boot/bzImage", "/boot/vmlinuz", "debian", "./debian:6.1"] {
      #expect(try KernelReference(parsing: path) == .image(FilePath(path)))
    }
  }

  @Test(arguments: ["debian:", "debian:bookworm", "debian:6.1 --root", "debian:6.1/../x"])
  func `what is no release is refused, with what would be one`(text: String) {
    #expect {
      try KernelReference(parsing: text)
    } throws: { error in
      "\(error)".contains(text) && "\(error)".contains("debian:6.12")
    }
  }

  private static let names = [
    "linux-image-6.1.0-9-amd64", "linux-image-6.1.0-56-amd64", "linux-image-6.1.0-56-rt-amd64",
    "linux-image-6.1.0-56-cloud-amd64", "linux-image-6.1.0-56-amd64-unsigned",
    "linux-image-6.1.0-54-amd64-dbg", "linux-image-6.12.117+deb12-amd64",
    "linux-image-6.12.9+deb12-amd64", "linux-image-6.12-amd64",
  ]

  @Test func `6-1 is no 6-12, and the newest comes first`() {
    #expect(
      KernelFetch.packages(of: "6.1", among: Self.names) == [
        "linux-image-6.1.0-56-amd64", "linux-image-6.1.0-9-amd64",
      ])
    #expect(
      KernelFetch.packages(of: "6.12.117", among: Self.names)
        == ["linux-image-6.12.117+deb12-amd64"])
  }

  @Test func `headers that override the release are of the kernel that they say`() async throws {
    try await withTemporaryDirectory { tree in
      try write("6.1.192\n", to: tree.appending("include/config/kernel.release"))
      #expect(KernelBuildTree.release(of: tree) == "6.1.192")
      try write(
        """
        override ARCH = x86
        override KERNELRELEASE = 6.1.0-56-amd64
        CC = $(if $(DEBIAN_KERNEL_USE_CCACHE),$(CCACHE)) $(CROSS_COMPILE)gcc-12
        override CROSS_COMPILE = $(DEB_HOST_GNU_TYPE)-

        """, to: tree.appending(".kernelvariables"))
      #expect(KernelBuildTree.release(of: tree) == "6.1.0-56-amd64")
      #expect(ModuleBuild.namedCompiler(tree) == "gcc-12")
    }
  }

  @Test func `a release is of its series at a whole number only`() {
    #expect(KernelFetch.isOf("6.1", "6.1.0-56-amd64"))
    #expect(KernelFetch.isOf("6.1.0-56-amd64", "6.1.0-56-amd64"))
    #expect(!KernelFetch.isOf("6.1", "6.12.117+deb12-amd64"))
  }
}
