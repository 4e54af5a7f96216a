import Crypto
package import Exchange
import Foundation
package import Mailbox
package import Rules
package import Seal
import Store

/// What is in force at one moment: rules, keys and calendar, loaded together and swapped together.
package struct Regime: Sendable {
  package let policy: Policy
  package let sealer: Sealer
  package let calendar: WorkingCalendar
  /// By hosted mailbox: password and the TLS certificates that may use it.
  package let mailboxes: [MailboxID: MailboxCredentials]
}

extension Regime {
  /// As the ledger names the rules; nil only if a digest is not of its form.
  var digests: PolicyDigests? {
    PolicyDigests(rulebook: policy.rulebook.digest, agreement: policy.agreement.digest)
  }

  /// Each departure from the rulebook, in words of the agreement: loud, in the ledger.
  var departures: [String] {
    policy.agreement.departures.map {
      "\($0.rule) for \($0.type) until \($0.ends), approved by \($0.approver): \($0.reason)"
    }
  }

  /// Loads everything that the configuration names. `check` and `serve` both come through here; every
  /// problem found is reported at once.
  package static func load(
    _ configuration: Configuration, ring: KeyRing
  ) throws(ConfigurationProblems) -> Regime {
    let loader = RegimeLoader(configuration)
    // Each is tried whatever became of the others, so that one run tells everything.
    let policy = loader.policy()
    let calendar = loader.calendar()
    let identity = loader.identity(ring)
    let pinned = policy.map { $0.parties.map(loader.pinned) }
    let mailboxes = policy.map { loader.mailboxes(policy: $0) }
    let sealer = identity.flatMap { identity in
      pinned.flatMap { loader.sealer(identity: identity, pinned: $0) }
    }
    guard let policy, let calendar, let sealer, let mailboxes, loader.problems.list.isEmpty else {
      throw loader.problems
    }
    return Regime(policy: policy, sealer: sealer, calendar: calendar, mailboxes: mailboxes)
  }
}

/// Reads the files, one after the other, and collects what is wrong with them.
private final class RegimeLoader {
  private let configuration: Configuration
  private(set) var problems = ConfigurationProblems()

  init(_ configuration: Configuration) { self.configuration = configuration }

  private func add(
    _ code: String, _ file: String, _ line: Int? = nil, _ text: String, _ hint: String
  ) {
    let problem = ConfigurationProblem(
      code: code, file: file, line: line, text: text, hint: hint)
    // Parties share files: what is wrong with one is told once.
    if !problems.list.contains(problem) { problems.list.append(problem) }
  }

  private func text(_ path: String) -> String? {
    do {
      return try BoundedFile.text(path)
    } catch {
      add("CONF-010", path, nil, error.text, "check the path in the configuration")
      return nil
    }
  }

  func policy() -> Policy? {
    let files = rulebookFiles()
    let agreementText = text(configuration.agreementFile)
    let rulebook = files.flatMap { files in
      reported { () throws(PolicyProblems) in try Rulebook.parse(files: files) }
    }
    let agreement = agreementText.flatMap { text in
      reported { () throws(PolicyProblems) in
        try Agreement.parse(text: text, file: configuration.agreementFile)
      }
    }
    if let agreement { checkOwn(agreement.own) }
    guard let rulebook, let agreement else { return nil }
    return reported { () throws(PolicyProblems) in
      try Policy(rulebook: rulebook, agreement: agreement)
    }
  }

  private func rulebookFiles() -> [(name: String, text: String)]? {
    let directory = configuration.rulebookDirectory
    let names: [String]
    do {
      names = try BoundedFile.names(in: directory, suffix: ".yaml")
    } catch {
      add("CONF-010", directory, nil, error.text, "check rulebook in the configuration")
      return nil
    }
    let files = names.compactMap { name in
      text("\(directory)/\(name)").map { (name: name, text: $0) }
    }
    return files.count == names.count ? files : nil
  }

  /// Two names for ourselves would make every message one for somebody else.
  private func checkOwn(_ own: OwnParty) {
    let file = configuration.agreementFile
    if own.id != configuration.party {
      add(
        "CONF-003", file, nil, "the agreement's own party is \(own.id), not \(configuration.party)",
        "write one of them in both files")
    }
    if own.mailbox != configuration.mailbox {
      add(
        "CONF-003", file, nil,
        "the agreement's own mailbox is \(own.mailbox), not \(configuration.mailbox)",
        "write one of them in both files")
    }
  }

  private func reported<Value>(_ read: () throws(PolicyProblems) -> Value) -> Value? {
    do {
      return try read()
    } catch {
      for problem in error.problems {
        add(
          problem.code.rawValue, problem.file, problem.line == 0 ? nil : problem.line, problem.text,
          problem.suggestion.map { "did you mean \($0)?" } ?? "see docs/errors.md")
      }
      return nil
    }
  }

  func calendar() -> WorkingCalendar? {
    guard let text = text(configuration.bankHolidaysFile) else { return nil }
    do {
      return WorkingCalendar(try BankHolidays(parsing: Array(text.utf8)))
    } catch {
      add(
        error.code, configuration.bankHolidaysFile, nil, error.description,
        "fetch https://www.gov.uk/bank-holidays.json")
      return nil
    }
  }

  /// Paths in the agreement start from the agreement's folder.
  private func beside(_ path: String) -> String {
    guard !path.hasPrefix("/") else { return path }
    let folder = configuration.agreementFile.split(separator: "/").dropLast().joined(separator: "/")
    return "/\(folder)/\(path)"
  }

  /// A signing or decryption key that cannot be used is the ring's fault, whatever Seal says of it.
  func identity(_ ring: KeyRing) -> OwnIdentity? {
    do {
      let identity = OwnIdentity(
        party: configuration.party, signing: try keyPair(ring.current(.signing)),
        decryption: try ring.keys(.decryption).map(keyPair))
      _ = try Sealer(identity: identity, parties: [])
      return identity
    } catch {
      let reason = (error as? SealError).map { "\($0.text) (\($0.code))" } ?? "not readable"
      add("CONF-011", configuration.keys.ringFile, nil, reason, "restore the ring from its backup")
      return nil
    }
  }

  /// The files that the agreement pins for a party, each with what it alone says of the party.
  func pinned(_ party: PartyEntry) -> [(file: String, trust: Seal.PartyTrust)] {
    let uses = [
      (\Seal.PartyTrust.signingCertificates, party.certificates.signing),
      (\.encryptionCertificates, party.certificates.encryption),
      (\.trustAnchors, [party.trust.anchors]), (\.revocationLists, [party.trust.revocation]),
    ]
    return uses.flatMap { use, names in
      names.compactMap { name in
        text(beside(name)).map { content in
          var trust = Seal.PartyTrust(
            party: party.id, signingCertificates: [], encryptionCertificates: [],
            trustAnchors: [], revocationLists: [], legacyAllowed: party.legacyCMS)
          trust[keyPath: use] = [content]
          return (beside(name), trust)
        }
      }
    }
  }

  /// - Parameter pinned: by party.
  func sealer(
    identity: OwnIdentity, pinned: [[(file: String, trust: Seal.PartyTrust)]]
  ) -> Sealer? {
    let parties = pinned.compactMap { files in
      files.dropFirst().reduce(files.first?.trust) { trust, file in trust?.joined(file.trust) }
    }
    do {
      return try Sealer(
        identity: identity, parties: parties,
        limits: SealLimits(messageBytes: configuration.limits.messageBytes))
    } catch {
      let told = problems.list.count
      for file in pinned.joined() {
        do {
          _ = try Sealer(identity: identity, parties: [file.trust])
        } catch { add(error.code, file.file, nil, error.text, error.hint) }
      }
      // No file by itself: two of them do not go together.
      if problems.list.count == told {
        add(error.code, configuration.agreementFile, nil, error.text, error.hint)
      }
      return nil
    }
  }

  private func keyPair(_ key: KeyRing.Key) throws -> KeyPair {
    KeyPair(
      certificate: key.certificate ?? "",
      key: try PrivateKey(pem: String(decoding: key.secret, as: UTF8.self)))
  }

  /// A party with a mailbox and a password file gets in; a party without a file is a mistake, told. Whose
  /// mailbox is at a carrier has none here.
  func mailboxes(policy: Policy) -> [MailboxID: MailboxCredentials] {
    var credentials: [MailboxID: MailboxCredentials] = [:]
    let elsewhere = Set(configuration.carriers.flatMap(\.parties))
    for party in elsewhere.sorted(by: { $0.text < $1.text }) where policy.party(party) == nil {
      add(
        "CONF-013", configuration.agreementFile, nil,
        "carriers name \(party), which is no party of the agreement", "add it there, or remove it")
    }
    for party in policy.parties where !elsewhere.contains(party.id) {
      let mailbox = party.mailbox
      let file = "\(configuration.host.passwordsDirectory)/\(mailbox)"
      let password: String
      do {
        password = try BoundedFile.secret(file)
      } catch {
        add("CONF-012", file, nil, error.text, "write the password of mailbox \(mailbox) there")
        continue
      }
      guard !password.isEmpty else {
        add("CONF-012", file, nil, "\(file) is empty", "write the password of \(mailbox) there")
        continue
      }
      let fingerprints = party.certificates.tls.compactMap { fingerprint(of: party, in: $0) }
      credentials[mailbox] = MailboxCredentials(
        password: password, certificateFingerprints: Set(fingerprints))
    }
    return credentials
  }

  /// A certificate that cannot be read would shut the party out of its mailbox without a word.
  private func fingerprint(of party: PartyEntry, in name: String) -> String? {
    let file = beside(name)
    guard let pem = text(file) else { return nil }
    let fingerprint = Regime.fingerprint(ofPEM: pem)
    if fingerprint == nil {
      add(
        "SEAL-050", file, nil, "a TLS certificate of \(party.id): not readable as PEM",
        "provide it as PEM")
    }
    return fingerprint
  }
}

extension Seal.PartyTrust {
  fileprivate func joined(_ other: Self) -> Self {
    var joined = self
    joined.signingCertificates += other.signingCertificates
    joined.encryptionCertificates += other.encryptionCertificates
    joined.trustAnchors += other.trustAnchors
    joined.revocationLists += other.revocationLists
    return joined
  }
}

extension Regime {
  /// SHA-256 of the first certificate (DER) of a PEM text, lower-case hex.
  static func fingerprint(ofPEM text: String) -> String? {
    let lines = text.split(whereSeparator: \.isNewline).map { $0.filter { !$0.isWhitespace } }
    guard let start = lines.firstIndex(of: "-----BEGINCERTIFICATE-----"),
      let end = lines[start...].firstIndex(of: "-----ENDCERTIFICATE-----"),
      let der = Data(base64Encoded: lines[(start + 1)..<end].joined())
    else { return nil }
    return SHA256.hash(data: der).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
