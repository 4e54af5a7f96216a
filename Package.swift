// swift-tools-version:6.2
import PackageDescription

/// The settings of every target of ours: warnings are errors, C modules and dependencies stay out of
/// the surface of a target unless it says so.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(
  name: "ServiceLifecycle", package: "swift-service-lifecycle")
let signals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")

let package = Package(
  name: "sallyport",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "sallyport", targets: ["sallyport"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
    .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .systemLibrary(
      name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

    // Pure: values in, values out.
    .target(name: "Exchange", swiftSettings: strict),
    .target(
      name: "Rules",
      dependencies: ["Exchange", crypto, .product(name: "Yams", package: "Yams")],
      swiftSettings: strict),
    .target(name: "Ledger", dependencies: [crypto], swiftSettings: strict),

    // Each does one kind of input and output, and holds no policy.
    .target(name: "Seal", dependencies: ["Exchange", "COpenSSL"], swiftSettings: strict),
    .target(
      name: "Store",
      dependencies: [
        "Exchange", "Rules", "Ledger", crypto, .product(name: "GRDB", package: "GRDB.swift"),
      ],
      swiftSettings: strict),
    .target(
      name: "Mailbox",
      dependencies: [
        "Exchange", "CCurl", "COpenSSL", "CZlib", crypto, logging, lifecycle,
        .product(name: "HTTPTypes", package: "swift-http-types"),
        .product(name: "Hummingbird", package: "hummingbird"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "HummingbirdTLS", package: "hummingbird"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
      ],
      swiftSettings: strict),

    // Where the parts meet.
    .target(
      name: "Daemon",
      dependencies: [
        "Exchange", "Rules", "Ledger", "Seal", "Store", "Mailbox", crypto, logging, lifecycle,
        signals,
        .product(name: "Yams", package: "Yams"),
      ],
      swiftSettings: strict),
    .target(
      name: "Demo",
      dependencies: ["Exchange", "Rules", "Seal", "Mailbox", "COpenSSL", logging],
      swiftSettings: strict),
    .executableTarget(
      name: "sallyport",
      dependencies: [
        "Exchange", "Daemon", "Demo", "Ledger", "Rules", "Store",
        .product(name: "ArgumentParser", package: "swift-argument-parser"), logging, lifecycle,
        signals,
      ],
      // `errors CODE` says what the manual says.
      resources: [.embedInCode("Resources/errors.md")],
      swiftSettings: strict),

    // Makes the messages that the tests of Seal and Daemon must not open.
    .target(
      name: "Forgery", dependencies: ["Demo", "Exchange", crypto], path: "Tests/Forgery",
      swiftSettings: strict),
    .testTarget(name: "ExchangeTests", dependencies: ["Exchange"], swiftSettings: strict),
    .testTarget(name: "RulesTests", dependencies: ["Rules", "Exchange"], swiftSettings: strict),
    .testTarget(name: "LedgerTests", dependencies: ["Ledger"], swiftSettings: strict),
    .testTarget(
      name: "SealTests", dependencies: ["Seal", "Demo", "Exchange", "Forgery"],
      swiftSettings: strict),
    .testTarget(
      name: "InteropTests", dependencies: ["Seal", "Demo", "Exchange", "Forgery"],
      path: "Tests/Interop", exclude: ["Interop.java"], swiftSettings: strict),
    .testTarget(
      name: "StoreTests", dependencies: ["Store", "Exchange", "Rules", "Ledger"],
      swiftSettings: strict),
    .testTarget(
      name: "MailboxTests",
      dependencies: [
        "Mailbox", "Demo", "Exchange", logging, lifecycle,
        .product(name: "HTTPTypes", package: "swift-http-types"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "DaemonTests",
      dependencies: [
        "Daemon", "Demo", "Exchange", "Forgery", "Mailbox", "Rules", "Seal", "Store", logging,
      ],
      swiftSettings: strict),
    .testTarget(
      name: "EndToEndTests", dependencies: ["Daemon", "Demo", "Exchange", "Store", "sallyport"],
      swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
