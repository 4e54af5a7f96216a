package import Exchange

/// What a certificate is pinned for.
package enum CertificateUse: String, Hashable, Sendable, Codable {
  case signing, encryption
}

/// What a sealer holds, for operators: what ends when. No key material.
package struct Inventory: Sendable {
  package struct Certificate: Sendable, Equatable {
    package let party: PartyID
    /// Whether we hold its private key.
    package let isOwn: Bool
    package let use: CertificateUse
    /// SHA-256 of the certificate (DER), lower-case hex.
    package let fingerprint: String
    package let notBefore: Instant
    package let notAfter: Instant
  }

  /// Our own first, then the parties by id; signing before encryption.
  package let certificates: [Certificate]
  /// The earliest next update of each party's revocation lists; a party without lists is missing.
  package let revocationListsEnd: [PartyID: Instant]
}

extension Sealer {
  package var inventory: Inventory {
    func entries(
      _ party: PartyID, _ certificates: [Certificate], _ use: CertificateUse, isOwn: Bool
    ) -> [Inventory.Certificate] {
      certificates.map { certificate in
        Inventory.Certificate(
          party: party, isOwn: isOwn, use: use, fingerprint: certificate.fingerprint,
          notBefore: certificate.notBefore, notAfter: certificate.notAfter)
      }
    }
    let own =
      entries(identity, [signing.certificate], .signing, isOwn: true)
      + entries(identity, decryption.map(\.certificate), .encryption, isOwn: true)
    let others = parties.values.sorted { $0.id < $1.id }.flatMap { party in
      entries(party.id, party.signing, .signing, isOwn: false)
        + entries(party.id, party.encryption, .encryption, isOwn: false)
    }
    return Inventory(
      certificates: own + others,
      revocationListsEnd: parties.compactMapValues(\.trust.revocationListsEnd))
  }
}
