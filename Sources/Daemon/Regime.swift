import Crypto
package import Exchange
import Foundation
package import Mailbox
package import Rules
package import Seal

/// What is in force at one moment: rules, keys and calendar, loaded together and swapped together.
package struct Regime: Sendable {
  package let policy: Policy
  package let sealer: Sealer
  package let calendar: WorkingCalendar
  /// By hosted mailbox: password and the TLS certificates that may use it.
  package let mailboxes: [MailboxID: MailboxCredentials]
}

extension Regime {
  /// Loads everything that the configuration names. `check` and `serve` both come through here; every
  /// problem found is reported at once.
  package static func load(
    _ configuration: Configuration, ring: KeyRing
  ) throws(ConfigurationProblems) -> Regime {
    let loader = RegimeLoader(configuration)
    guard let policy = loader.policy(), let calendar = loader.calendar(),
      let sealer = loader.sealer(policy: policy, ring: ring)
    else { throw loader.problems }
    let mailboxes = loader.mailboxes(policy: policy)
    guard loader.problems.list.isEmpty else { throw loader.problems }
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
    problems.list.append(.init(code: code, file: file, line: line, text: text, hint: hint))
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
    let agreementText = text(configuration.agreementFile)
    guard files.count == names.count, let agreementText else { return nil }
    do {
      let rulebook = try Rulebook.parse(files: files)
      let agreement = try Agreement.parse(text: agreementText, file: configuration.agreementFile)
      return try Policy(rulebook: rulebook, agreement: agreement)
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

  private func texts(_ paths: [String]) -> [String] { paths.compactMap { text(beside($0)) } }

  func sealer(policy: Policy, ring: KeyRing) -> Sealer? {
    let parties = policy.parties.map { party in
      Seal.PartyTrust(
        party: party.id, signingCertificates: texts(party.certificates.signing),
        encryptionCertificates: texts(party.certificates.encryption),
        trustAnchors: texts([party.trust.anchors]),
        revocationLists: texts([party.trust.revocation]),
        legacyAllowed: party.legacyCMS)
    }
    guard problems.list.isEmpty else { return nil }
    do {
      let signing = ring.current(.signing)
      let identity = OwnIdentity(
        party: configuration.party, signing: try keyPair(signing),
        decryption: try ring.keys(.decryption).map(keyPair))
      return try Sealer(identity: identity, parties: parties)
    } catch let error as SealError {
      add(error.code, configuration.agreementFile, nil, error.text, error.hint)
    } catch {
      add(
        "CONF-011", configuration.keys.ringFile, nil, "a key cannot be used", "sallyport keys check"
      )
    }
    return nil
  }

  private func keyPair(_ key: KeyRing.Key) throws -> KeyPair {
    KeyPair(
      certificate: key.certificate ?? "",
      key: try PrivateKey(pem: String(decoding: key.secret, as: UTF8.self)))
  }

  /// A party with a mailbox and a password file gets in; a party without a file has no mailbox here.
  func mailboxes(policy: Policy) -> [MailboxID: MailboxCredentials] {
    var credentials: [MailboxID: MailboxCredentials] = [:]
    for party in policy.parties {
      let mailbox = party.mailbox
      let file = "\(configuration.host.passwordsDirectory)/\(mailbox)"
      let password: String
      do {
        password = try BoundedFile.secret(file)
      } catch {
        add("CONF-012", file, nil, error.text, "write the password of mailbox \(mailbox) there")
        continue
      }
      let fingerprints = texts(party.certificates.tls).compactMap(Regime.fingerprint)
      credentials[mailbox] = MailboxCredentials(
        password: password, certificateFingerprints: Set(fingerprints))
    }
    return credentials
  }
}

extension Regime {
  /// SHA-256 of the first certificate (DER) of a PEM text, lower-case hex.
  static func fingerprint(ofPEM text: String) -> String? {
    let lines = text.split(separator: "\n").map { $0.filter { !$0.isWhitespace } }
    guard let start = lines.firstIndex(of: "-----BEGINCERTIFICATE-----"),
      let end = lines[start...].firstIndex(of: "-----ENDCERTIFICATE-----"),
      let der = Data(base64Encoded: lines[(start + 1)..<end].joined())
    else { return nil }
    return SHA256.hash(data: der).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
