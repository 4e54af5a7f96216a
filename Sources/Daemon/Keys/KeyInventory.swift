package import Exchange
import Foundation
import Rules
import Seal

/// Every key of ours and every certificate that the agreement pins, for the operator: what ends when.
package struct KeyInventory: Sendable {
  package struct Line: Sendable {
    /// `signing`, `encryption`, `tls`, ...
    package let use: String
    /// A key of ours: `signing-2`; else null.
    package let id: String?
    package let state: String?
    /// A party; `ours` for ours.
    package let owner: String
    /// RFC 3339; null where nobody wrote it down.
    package let made: String?
    /// The end of a certificate, or of the time that an earlier key is accepted for at least.
    package let ends: String?
    /// SHA-256 of a certificate, or a verifier key.
    package let fingerprint: String?
  }

  package let lines: [Line]
  /// Certificates that end by a moment, in words.
  private let endings: [(text: String, at: Instant)]

  /// What of our certificates in use and of the pinned ones ends by a moment.
  package func ending(by moment: Instant) -> [String] {
    endings.filter { $0.at < moment }.sorted { $0.at < $1.at }.map(\.text)
  }

  /// What cannot be read is left out: `check` says what is wrong with it.
  package init(ring: [KeyRing.Key], configuration: Configuration) {
    var lines: [Line] = []
    var endings: [(text: String, at: Instant)] = []
    for key in ring {
      let certificate = key.certificate.flatMap { OwnCertificate(pem: $0) }
      var ends = certificate?.notAfter
      if case .accepted(let until) = key.state { ends = min(until, ends ?? until) }
      lines.append(
        Line(
          use: key.use.rawValue, id: key.id, state: key.state.word, owner: "ours",
          made: key.created.milliseconds == 0 ? nil : key.created.description,
          ends: ends?.description,
          fingerprint: key.publicName(origin: configuration.ledger.origin)))
      if let certificate, key.state == .active {
        endings.append(
          ("the certificate of \(key.id) ends \(certificate.notAfter)", certificate.notAfter))
      }
    }
    for pinned in KeyInventory.pinned(configuration) {
      lines.append(
        Line(
          use: pinned.use, id: nil, state: nil, owner: pinned.owner,
          made: pinned.certificate.notBefore.description,
          ends: pinned.certificate.notAfter.description,
          fingerprint: "sha256:\(pinned.certificate.fingerprint)"))
      endings.append(
        (
          "the \(pinned.use) certificate of \(pinned.owner) ends \(pinned.certificate.notAfter)",
          pinned.certificate.notAfter
        ))
    }
    self.lines = lines
    self.endings = endings
  }

  private struct Pinned {
    let use: String
    let owner: String
    let certificate: OwnCertificate
  }

  private static func pinned(_ configuration: Configuration) -> [Pinned] {
    var found: [Pinned] = []
    func add(_ file: String, _ use: String, _ owner: String) {
      guard let bytes = try? BoundedFile.bytes(file) else { return }
      let text = PEM.text(bytes, of: .certificate)
      found += OwnCertificate.all(pem: text).map { Pinned(use: use, owner: owner, certificate: $0) }
    }
    add(configuration.host.certificateFile, "host tls", "ours")
    for inbox in configuration.inboxes {
      add(inbox.service.certificateFile, "inbox \(inbox.name) tls", "ours")
    }
    guard let text = try? BoundedFile.text(configuration.agreementFile),
      let agreement = try? Agreement.parse(text: text, file: configuration.agreementFile)
    else { return found }
    let folder = (configuration.agreementFile as NSString).deletingLastPathComponent
    for party in agreement.parties {
      let uses = [
        ("signing", party.certificates.signing), ("encryption", party.certificates.encryption),
        ("tls", party.certificates.tls),
      ]
      for (use, names) in uses {
        for name in names {
          add(name.hasPrefix("/") ? name : "\(folder)/\(name)", use, party.id.text)
        }
      }
    }
    return found
  }
}
