import Exchange
import Foundation
import Mailbox
import Rules
import Seal
import Testing

@testable import Daemon
@testable import Demo

@Suite struct `Everything that is in force is loaded together` {
  private func problems(
    _ installed: Installed, ring: KeyRing? = nil
  ) throws -> ConfigurationProblems {
    let configuration = try installed.configuration
    let ring = try ring ?? Area.ring()
    do throws(ConfigurationProblems) {
      _ = try Regime.load(configuration, ring: ring)
      return ConfigurationProblems()
    } catch {
      return error
    }
  }

  @Test func `a good installation: parties, types, calendar and mailboxes`() throws {
    let regime = try Area.regime
    #expect(
      Set(regime.policy.parties.map(\.id.text)) == [
        "prison:durham", "police:durham", "probation:durham", "jobcentre:durham",
        "coordinator:durham", "immigration:casework", "coordinator:northumbria",
        "police:northumbria",
      ])
    let type = try #require(NotificationType("release-date.changed"))
    #expect(regime.policy.knows(type))
    let christmas = try #require(CivilDate("2026-12-25"))
    #expect(!regime.calendar.isWorkingDay(christmas))
    #expect(regime.calendar.isWorkingDay(christmas.adding(days: -1)))
    #expect(
      Set(regime.mailboxes.keys.map(\.text)) == [
        "PRISONDUR1", "POLICEDUR1", "PROBATDUR1", "JOBCENDUR1", "COORDDUR1", "IMMIGRAT1",
        "COORDNOR1", "POLICENOR1",
      ])
  }

  @Test func `a mailbox has its password and the fingerprints of its certificates`() throws {
    let regime = try Area.regime
    for party in try Area.world.agencies {
      let credentials = try #require(regime.mailboxes[party.mailbox])
      #expect(credentials.password == party.password)
      // As OpenSSL digested the certificate when it was made.
      #expect(credentials.certificateFingerprints == [party.tls.fingerprint])
    }
  }

  @Test func `its sealer opens what a party sealed to us`() throws {
    let world = try Area.world
    let prison = try Area.party("prison:durham")
    let notice = try Notice.named("release-date")
    let sealed = try Sealer(
      identity: world.identity(of: prison), parties: [world.trust(in: world.own)]
    )
    .seal(notice, now: .start)
    let opened = try Area.regime.sealer.open(sealed, now: .start)
    #expect(opened.notification == notice)
  }

  @Test func `missing and broken files of every kind are told together, each by its name`() throws {
    let installed = try Installed()
    try installed.folder.remove("config/bank-holidays.json")
    try installed.folder.write("config/rulebook/custody.yaml", "types:\n\tx: 1\n")
    try installed.folder.write("config/agreement.yaml", "name: Nothing\npartie: x\n")
    let found = try problems(installed)
    // Of the agreement: an unknown key, and two that are missing.
    #expect(
      found.places.sorted() == [
        "CONF-010 bank-holidays.json", "RULE-001 custody.yaml", "RULE-003 agreement.yaml",
        "RULE-004 agreement.yaml", "RULE-004 agreement.yaml",
      ])
    #expect(found.list.first { $0.code == "RULE-001" }?.line == 2)
    let unknown = found.list.first { $0.code == "RULE-003" }
    #expect(unknown?.line == 2)
    #expect(unknown?.hint == "did you mean parties?")
  }

  @Test func `files that the agreement names are told together, each by its name`() throws {
    let installed = try Installed()
    let certificates = "config/certificates"
    try installed.folder.write("\(certificates)/prison-durham/signing.pem", "not a certificate")
    try installed.folder.write("\(certificates)/police-durham/tls.pem", "not a certificate")
    try installed.folder.remove("\(certificates)/jobcentre-durham/encryption.pem")
    try installed.folder.remove("secrets/mailboxes/COORDDUR1")
    try installed.folder.write("secrets/mailboxes/PROBATDUR1", "\n")
    let found = try problems(installed)
    #expect(
      found.places.sorted() == [
        "CONF-010 encryption.pem", "CONF-012 COORDDUR1", "CONF-012 PROBATDUR1",
        "SEAL-050 signing.pem", "SEAL-050 tls.pem",
      ])
    #expect(
      Set(found.list.map { $0.file.replacing(installed.folder.path, with: "") }) == [
        "/config/certificates/jobcentre-durham/encryption.pem", "/secrets/mailboxes/COORDDUR1",
        "/secrets/mailboxes/PROBATDUR1", "/config/certificates/prison-durham/signing.pem",
        "/config/certificates/police-durham/tls.pem",
      ])
  }

  @Test func `a file that all parties share is told once`() throws {
    let installed = try Installed()
    try installed.folder.remove("config/certificates/root.crl")
    #expect(try problems(installed).places == ["CONF-010 root.crl"])
  }

  @Test func `a key that is too weak is told by its file`() throws {
    let installed = try Installed()
    let world = try Area.world
    let weak = try world.authority.issue(
      CertificateRequest(commonName: "weak", use: .signing, key: .rsa(bits: 1024)), now: .start)
    try installed.folder.write(
      "config/certificates/police-northumbria/signing.pem", weak.certificatePEM)
    #expect(try problems(installed).places == ["SEAL-053 signing.pem"])
  }

  @Test func `one key for two parties is a fault of the agreement`() throws {
    let installed = try Installed()
    try installed.folder.write(
      "config/certificates/police-durham/signing.pem",
      Area.party("prison:durham").signing.certificatePEM)
    #expect(try problems(installed).places == ["SEAL-054 agreement.yaml"])
  }

  @Test func `a signing key that does not fit its certificate is a fault of the ring`() throws {
    let ring = try Area.ring()
    let other = try Area.party("prison:durham").signing
    let swapped = try KeyRing(
      keys: ring.keys.filter { $0.use != .signing } + [
        .init(
          use: .signing, version: 1, secret: Array(other.privateKeyPEM.utf8),
          certificate: ring.current(.signing).certificate)
      ])
    #expect(try problems(Installed(), ring: swapped).places == ["CONF-011 ring"])
    let noKey = try KeyRing(
      keys: ring.keys.filter { $0.use != .decryption } + [
        .init(use: .decryption, version: 1, secret: Array("no key".utf8), certificate: "none")
      ])
    #expect(try problems(Installed(), ring: noKey).places == ["CONF-011 ring"])
  }

  @Test func `an empty rulebook and one that is not there`() throws {
    let installed = try Installed()
    for name in try FileManager.default.contentsOfDirectory(
      atPath: installed.folder.path + "/config/rulebook")
    {
      try installed.folder.remove("config/rulebook/\(name)")
    }
    #expect(try problems(installed).places == ["RULE-004 rulebook"])
    try installed.folder.remove("config/rulebook")
    #expect(try problems(installed).places == ["CONF-010 rulebook"])
  }

  @Test func `agreement and configuration name the same party and mailbox of ours`() throws {
    let installed = try Installed()
    let agreement = try Area.world.agreementYAML
      .replacing("id: sallyport:north", with: "id: sallyport:south")
      .replacing("mailbox: SALLYPORT1", with: "mailbox: SALLYPORT2")
    try installed.folder.write("config/agreement.yaml", agreement)
    let found = try problems(installed)
    #expect(found.places == ["CONF-003 agreement.yaml", "CONF-003 agreement.yaml"])
    #expect(
      found.list.map(\.text) == [
        "the agreement's own party is sallyport:south, not sallyport:north",
        "the agreement's own mailbox is SALLYPORT2, not SALLYPORT1",
      ])
  }

  @Test func `line ends of another system change nothing`() throws {
    let installed = try Installed()
    let prison = try Area.party("prison:durham")
    try installed.folder.write(
      "config/certificates/prison-durham/tls.pem",
      prison.tls.certificatePEM.replacing("\n", with: "\r\n"))
    try installed.folder.write("secrets/mailboxes/PRISONDUR1", prison.password + "\r\n")
    let regime = try Regime.load(installed.configuration, ring: Area.ring())
    let credentials = try #require(regime.mailboxes[prison.mailbox])
    #expect(credentials.certificateFingerprints == [prison.tls.fingerprint])
    #expect(credentials.password == prison.password)
  }

  @Test func `nothing that is loaded shows a key or a password when it is dumped`() throws {
    let installed = try Installed()
    let whole = Installation(
      file: "sallyport.yaml", configuration: try installed.configuration, ring: try Area.ring(),
      regime: try Area.regime, connections: try Connections.load(installed.configuration))
    var dumped = ""
    dump(whole, to: &dumped)
    for text in [dumped, String(reflecting: whole), "\(whole)"] {
      #expect(!text.contains("PRIVATE KEY"))
      #expect(!text.contains(try Area.party("prison:durham").password))
      #expect(!text.contains("45, 45, 45, 45, 45, 66, 69, 71, 73, 78"))
      #expect(!text.contains("1, 1, 1, 1, 1, 1, 1, 1"))
    }
  }
}

@Suite struct `An installation is read from its configuration file` {
  private func write(_ installed: Installed, key: [UInt8], ring: [UInt8]) throws {
    let config = URL(filePath: installed.folder.path + "/config")
    try Data(key).write(to: config.appending(path: "key-encryption-key"))
    try Data(ring).write(to: config.appending(path: "ring"))
    for name in ["key-encryption-key", "ring"] {
      try FileManager.default.setAttributes(
        [.posixPermissions: 0o600], ofItemAtPath: config.appending(path: name).path())
    }
  }

  private func problems(_ installed: Installed, _ file: String = "sallyport.yaml") -> [String] {
    do throws(ConfigurationProblems) {
      _ = try Installation.load(configurationFile: installed.folder.path + "/config/" + file)
      return []
    } catch {
      return error.places
    }
  }

  @Test func `whole, with its ring`() throws {
    let installed = try Installed()
    let key = [UInt8](repeating: 9, count: 32)
    try write(installed, key: key, ring: Area.ring().sealed(under: key))
    let loaded = try Installation.load(
      configurationFile: installed.folder.path + "/config/sallyport.yaml")
    #expect(
      loaded.ring.keys.map(\.id) == [
        "signing-1", "decryption-1", "store-1", "lookup-1", "ledger-1",
      ])
    #expect(loaded.configuration.stateDirectory == installed.folder.path + "/state")
    #expect(loaded.regime.policy.parties.count == 8)
  }

  @Test func `a missing file, a wrong key and a changed ring each have their code`() throws {
    let installed = try Installed()
    let key = [UInt8](repeating: 9, count: 32)
    var ring = try Area.ring().sealed(under: key)
    #expect(problems(installed, "nowhere.yaml") == ["CONF-010 nowhere.yaml"])
    #expect(problems(installed) == ["CONF-010 ring"])
    try write(installed, key: [UInt8](repeating: 8, count: 32), ring: ring)
    #expect(problems(installed) == ["KEYS-002 ring"])
    try write(installed, key: Array(key.dropLast()), ring: ring)
    #expect(problems(installed) == ["KEYS-001 ring"])
    ring[100] ^= 1
    try write(installed, key: key, ring: ring)
    #expect(problems(installed) == ["KEYS-002 ring"])
  }
}
