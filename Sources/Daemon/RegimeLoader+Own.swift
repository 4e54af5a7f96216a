import Rules
import Seal

extension RegimeLoader {
  /// What the agreement says of us must fit the ring: what we sign with must be listed, or nobody takes
  /// it; what is listed for sealing must be a key of ours, or we cannot open what comes.
  func own(_ certificates: PartyCertificates, _ identity: OwnIdentity?) -> OwnCertificates {
    var own = OwnCertificates()
    let fingerprint = { (pem: String) in OwnCertificate(pem: pem)?.fingerprint }
    let ofRing = identity.map { Set($0.decryption.compactMap { fingerprint($0.certificate) }) }
    for name in certificates.signing {
      for certificate in listed(name) { own.signing.insert(certificate.fingerprint) }
    }
    for name in certificates.encryption {
      for certificate in listed(name) {
        own.encryption.insert(certificate.fingerprint)
        if let ofRing, !ofRing.contains(certificate.fingerprint) {
          add(
            "KEYS-007", beside(name), nil,
            "the agreement's own entry lists an encryption certificate that no key of the ring opens",
            "import the key's certificate, or take it out of the agreement")
        }
      }
    }
    if let signing = identity.flatMap({ fingerprint($0.signing.certificate) }),
      !own.signing.contains(signing)
    {
      add(
        "KEYS-007", agreementFile, nil,
        "the agreement's own entry does not list the certificate of our signing key",
        "list it there beside the others, and send the agreement to the parties")
    }
    return own
  }

  private func listed(_ name: String) -> [OwnCertificate] {
    guard let text = pem(beside(name), .certificate) else { return [] }
    let found = OwnCertificate.all(pem: text)
    if found.isEmpty {
      add(
        "SEAL-050", beside(name), nil, "a certificate of ours: not readable",
        "provide it as PEM or DER")
    }
    return found
  }
}
