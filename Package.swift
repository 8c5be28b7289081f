// swift-tools-version: 6.2
import PackageDescription

let package = Package(
  name: "zswap-harness",
  products: [
    .executable(name: "harness", targets: ["harness"]),
    .executable(name: "guest-agent", targets: ["guest-agent"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2"),
  ],
  targets: [
    // Host.
    .executableTarget(
      name: "harness",
      dependencies: [
        "HarnessKit", "GuestWire", "Nightly", "Bisect", "BisectRun",
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
      ]),
    .target(
      name: "HarnessKit",
      dependencies: [
        "GuestWire", "Kmod", "CLinux",
        .product(name: "Logging", package: "swift-log"),
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      // In code and not in a bundle, which would have to be found at run time.
      resources: [
        .embedInCode("Results/Page/report.mustache"),
        .embedInCode("Results/Page/report.css"),
        .embedInCode("Results/Page/report.js"),
      ]),
    // Many runs: plan, history, comparison, reports.
    .target(
      name: "Nightly",
      dependencies: [
        "HarnessKit", "GuestWire",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Mustache", package: "swift-mustache"),
        .product(name: "SystemPackage", package: "swift-system"),
        .product(name: "Yams", package: "Yams"),
      ],
      resources: [
        .embedInCode("Reports/night.mustache"),
        .embedInCode("Reports/night.css"),
        .embedInCode("Reports/mail.mustache"),
        .embedInCode("Reports/junit.mustache"),
        .embedInCode("Reports/ktap.mustache"),
      ]),

    // Which commit to try next, and when to stop: no files, no processes, no clock.
    .target(name: "Bisect"),
    // Bisections of kernel trees: commits, builds, the record, the report.
    .target(
      name: "BisectRun",
      dependencies: [
        "Bisect", "HarnessKit", "GuestWire",
        .product(name: "SystemPackage", package: "swift-system"),
      ]),
    .executableTarget(name: "bisect-simulation", dependencies: ["Bisect"]),

    // Host and guest meet here, and nowhere else.
    .target(name: "GuestWire"),

    // Guest. Without NIO, Subprocess or Foundation: it is booted a thousand times.
    .executableTarget(name: "guest-agent", dependencies: ["GuestAgent"]),
    .target(
      name: "GuestAgent",
      dependencies: [
        "GuestWire", "Kmod", "LibMount", "CLinux", "CZswapHooks",
        .product(name: "SystemPackage", package: "swift-system"),
      ]),

    // C libraries, each behind one Swift module.
    .target(
      name: "Kmod",
      dependencies: ["CKmod", .product(name: "SystemPackage", package: "swift-system")]),
    .target(
      name: "LibMount",
      dependencies: ["CLibMount", .product(name: "SystemPackage", package: "swift-system")]),
    .systemLibrary(name: "CKmod", pkgConfig: "libkmod", providers: [.apt(["libkmod-dev"])]),
    .systemLibrary(name: "CLibMount", pkgConfig: "mount", providers: [.apt(["libmount-dev"])]),
    .systemLibrary(name: "CZswapHooks", path: "kmod/uapi"),
    .target(name: "CLinux"),

    // Of tests that look at pages.
    .target(name: "TestSupport", dependencies: ["HarnessKit"], path: "Tests/TestSupport"),
    .testTarget(name: "BisectTests", dependencies: ["Bisect"]),
    .testTarget(
      name: "BisectRunTests",
      dependencies: [
        "BisectRun", "Bisect", "HarnessKit", "GuestWire", "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ]),
    .testTarget(name: "GuestWireTests", dependencies: ["GuestWire"]),
    .testTarget(
      name: "GuestAgentTests",
      dependencies: ["GuestAgent", .product(name: "SystemPackage", package: "swift-system")]),
    .testTarget(
      name: "HarnessKitTests",
      dependencies: [
        "HarnessKit", "GuestWire", "CLinux", "TestSupport",
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "NightlyTests",
      dependencies: [
        "Nightly", "HarnessKit", "GuestWire", "TestSupport",
        .product(name: "GRDB", package: "GRDB.swift"),
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ],
      resources: [.copy("Fixtures")]),
    .testTarget(
      name: "MachineTests",
      dependencies: [
        "TestSupport",
        .product(name: "Subprocess", package: "swift-subprocess"),
        .product(name: "SystemPackage", package: "swift-system"),
      ]),
  ],
  swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
  if target.name == "CLinux" {
    target.cSettings = [.treatAllWarnings(as: .error)]
  } else {
    target.swiftSettings = [
      .treatAllWarnings(as: .error),
      // The libraries' next versions may call old what is called here: that is no reason for a
      // fresh clone not to build.
      .treatWarning("DeprecatedDeclaration", as: .warning),
      .enableUpcomingFeature("ExistentialAny"),
      .enableUpcomingFeature("MemberImportVisibility"),
    ]
  }
}
