import Daemon
import Exchange
import Foundation
import Store

@testable import Demo

/// The invented area: agencies with their keys, made once, since keys take time.
enum Area {
  private static let made = Result { try DemoWorld.make(now: .start) }

  static var world: DemoWorld { get throws { try made.get() } }

  static func party(_ id: String) throws -> DemoParty { try world.party(id) }

  /// Sallyport's keys: its own certificates, and marked bytes for the others.
  static func ring() throws -> KeyRing {
    let own = try world.own
    return try KeyRing(keys: [
      .init(
        use: .signing, version: 1, secret: Array(own.signing.privateKeyPEM.utf8),
        certificate: own.signing.certificatePEM),
      .init(
        use: .decryption, version: 1, secret: Array(own.encryption.privateKeyPEM.utf8),
        certificate: own.encryption.certificatePEM),
      .init(use: .store, version: 1, secret: [UInt8](repeating: 1, count: 32)),
      .init(use: .lookup, version: 1, secret: [UInt8](repeating: 2, count: 32)),
      .init(use: .ledger, version: 1, secret: [UInt8](repeating: 3, count: 32)),
    ])
  }

  private static let loaded = Result {
    let installed = try Installed()
    return try Regime.load(installed.configuration, ring: ring())
  }

  /// What is in force for the area, loaded once from its files.
  static var regime: Regime { get throws { try loaded.get() } }
}

/// The area's files as an operator would have them, in a folder of their own.
struct Installed {
  let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    let world = try Area.world
    try world.write(to: folder.path)
    try folder.write("config/agreement.yaml", world.agreementYAML)
    try FileManager.default.copyItem(
      atPath: Shipped.path + "/rulebook", toPath: folder.path + "/config/rulebook")
    try FileManager.default.copyItem(
      atPath: Shipped.path + "/bank-holidays.json",
      toPath: folder.path + "/config/bank-holidays.json")
    try folder.write("config/sallyport.yaml", Installed.text)
  }

  var configuration: Configuration {
    get throws {
      try Configuration.parse(
        text: Installed.text, file: "sallyport.yaml", directory: folder.path + "/config")
    }
  }

  static let text = """
    party: sallyport:north
    mailbox: SALLYPORT1
    state: ../state
    agreement: agreement.yaml
    rulebook: rulebook
    bank_holidays: bank-holidays.json
    keys:
      ring: ring
      key_encryption_key: key-encryption-key
    ledger:
      directory: ../ledger
      origin: sallyport.example.org/audit
    host:
      address: 127.0.0.1
      port: 0
      certificate: ../secrets/host.pem
      key: ../secrets/host.key
      client_authorities: [../pki/root.pem]
      shared_secret: ../shared-secret
      passwords: ../secrets/mailboxes

    """
}
