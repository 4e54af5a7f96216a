import Exchange
import Mailbox
import Rules
import Seal

/// Reads the files, one after the other, and collects what is wrong with them.
final class RegimeLoader {
  private let configuration: Configuration
  private(set) var problems = ConfigurationProblems()
  var agreementFile: String { configuration.agreementFile }

  private let cache: RevocationCache

  init(_ configuration: Configuration) {
    self.configuration = configuration
    cache = RevocationCache(stateDirectory: configuration.stateDirectory)
  }

  func add(
    _ code: String, _ file: String, _ line: Int? = nil, _ text: String, _ hint: String
  ) {
    let problem = ConfigurationProblem(
      code: code, file: file, line: line, text: text, hint: hint)
    // Parties share files: what is wrong with one is told once.
    if !problems.list.contains(problem) { problems.list.append(problem) }
  }

  func text(_ path: String) -> String? {
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
  func beside(_ path: String) -> String {
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
    let uses: [(WritableKeyPath<Seal.PartyTrust, [String]>, PEM.Kind, [String])] = [
      (\.signingCertificates, .certificate, party.certificates.signing),
      (\.encryptionCertificates, .certificate, party.certificates.encryption),
      (\.trustAnchors, .certificate, party.trust.anchors),
      (\.intermediates, .certificate, party.trust.intermediates),
      (\.revocationLists, .revocationList, party.trust.revocationFiles),
    ]
    let empty = Seal.PartyTrust(
      party: party.id, signingCertificates: [], encryptionCertificates: [], trustAnchors: [],
      revocationLists: [], legacyAllowed: party.legacyCMS)
    let files = uses.flatMap { use, kind, names in
      names.compactMap { name in
        pem(beside(name), kind).map { content in
          var trust = empty
          trust[keyPath: use] = [content]
          return (file: beside(name), trust: trust)
        }
      }
    }
    // What was never fetched is missing, and holds what needs it; it is no mistake of the files.
    let fetched = party.trust.revocationAddresses.compactMap { url in
      cache.read(url).map { content in
        var trust = empty
        trust.revocationLists = [content]
        return (file: cache.path(url), trust: trust)
      }
    }
    return files + fetched
  }

  /// The lists of a party that are fetched.
  func feeds(_ party: PartyEntry) -> [RevocationFeed] {
    let authorities = (party.trust.anchors + party.trust.intermediates).compactMap {
      pem(beside($0), .certificate)
    }
    return party.trust.revocationAddresses.map {
      RevocationFeed(url: $0, parties: [party.id], authorities: Set(authorities))
    }
  }

  /// A file of PEM or DER, as PEM.
  func pem(_ path: String, _ kind: PEM.Kind) -> String? {
    do {
      return PEM.text(try BoundedFile.bytes(path, limit: RevocationFile.limit), of: kind)
    } catch {
      add("CONF-010", path, nil, error.text, "check the path in the configuration")
      return nil
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
    guard let pem = pem(file, .certificate) else { return nil }
    let fingerprint = Regime.fingerprint(ofPEM: pem)
    if fingerprint == nil {
      add(
        "SEAL-050", file, nil, "a TLS certificate of \(party.id): not readable",
        "provide it as PEM or DER")
    }
    return fingerprint
  }
}

extension Rules.PartyTrust {
  fileprivate var revocationFiles: [String] {
    revocation.compactMap { place in
      guard case .file(let name) = place else { return nil }
      return name
    }
  }

  fileprivate var revocationAddresses: [String] {
    revocation.compactMap { place in
      guard case .url(let address) = place else { return nil }
      return address
    }
  }
}

extension Seal.PartyTrust {
  fileprivate func joined(_ other: Self) -> Self {
    var joined = self
    joined.signingCertificates += other.signingCertificates
    joined.encryptionCertificates += other.encryptionCertificates
    joined.trustAnchors += other.trustAnchors
    joined.intermediates += other.intermediates
    joined.revocationLists += other.revocationLists
    return joined
  }
}
