import Exchange

/// Finds pinned signing certificates by what a message says of its signer.
struct SignerIndex: Sendable {
  struct Candidate: Sendable {
    let party: Party
    let certificate: Certificate
  }

  private var byKeyIdentifier: [[UInt8]: [Candidate]] = [:]
  private var bySerial: [[UInt8]: [Candidate]] = [:]

  /// - Throws: `pinnedTwice` when two parties share a key: whose word it was would be open.
  init(_ parties: [Party]) throws(SealError) {
    var owners: [[UInt8]: PartyID] = [:]
    for party in parties {
      for certificate in party.signing {
        if let owner = owners[certificate.keyDigest], owner != party.id {
          throw .pinnedTwice(owner, party.id)
        }
        owners[certificate.keyDigest] = party.id
        let candidate = Candidate(party: party, certificate: certificate)
        bySerial[certificate.serial, default: []].append(candidate)
        if let identifier = certificate.keyIdentifier {
          byKeyIdentifier[identifier, default: []].append(candidate)
        }
      }
    }
  }

  func candidates(for signer: SignedLayout.Signer) -> [Candidate] {
    switch signer {
    case .keyIdentifier(let identifier): byKeyIdentifier[identifier] ?? []
    case .issuer(let issuer, let serial):
      (bySerial[serial] ?? []).filter { $0.certificate.isIssued(by: issuer) }
    }
  }
}
