import COpenSSL
@_spi(Seal) package import Exchange

/// Opens what parties send and seals what they are to read: SignedData inside AuthEnvelopedData
/// (RFC 5652, RFC 5083).
///
/// Nothing in it changes after `init`, and any number of threads may use it at once. When
/// certificates, revocation lists or keys change, make a new one and put it in place of the old.
package final class Sealer: Sendable {
  let identity: PartyID
  let signing: DecodedPair
  let decryption: [DecodedPair]
  let limits: SealLimits
  let parties: [PartyID: Party]
  private let signers: SignerIndex
  private let legacyTaken: Bool

  /// Decodes all keys and certificates.
  ///
  /// Certificates that are out of date or revoked are taken here, and refused where they are used:
  /// one party's neglect must not stop the others.
  /// - Throws: SEAL-044 and SEAL-050 to SEAL-054.
  package init(
    identity: OwnIdentity, parties: [PartyTrust], limits: SealLimits = SealLimits()
  ) throws(SealError) {
    self.identity = identity.party
    self.limits = limits
    signing = try DecodedPair(identity.signing, of: identity.party)
    var pairs: [DecodedPair] = []
    for pair in identity.decryption { pairs.append(try DecodedPair(pair, of: identity.party)) }
    decryption = pairs
    var stores = TrustStores()
    var known: [PartyID: Party] = [:]
    for trusted in parties {
      let party = try Party(trusted, trust: try stores.store(for: trusted))
      guard known.updateValue(party, forKey: party.id) == nil else {
        throw .partyTwice(party.id)
      }
    }
    self.parties = known
    signers = try SignerIndex(known.values.sorted { $0.id < $1.id })
    legacyTaken = known.values.contains(where: \.legacyAllowed)
  }

  /// Decrypts and verifies a message as it was carried.
  ///
  /// Takes the message's word for nothing: the signer is a pinned certificate, certificates inside
  /// are never used, and the signed content itself must name signer and reader.
  package func open(_ bytes: [UInt8], now: Instant) throws(SealError) -> VerifiedMessage {
    guard bytes.count <= limits.messageBytes else { throw .tooLarge(limit: limits.messageBytes) }
    let envelope = try Envelope(bytes, legacyTaken: legacyTaken)
    let layout = try SignedLayout(try decrypt(bytes))
    let candidates = signers.candidates(for: layout.signer)
    guard !candidates.isEmpty else { throw .signerUnknown }

    // Several only where certificates were issued again for one key: the first that holds is it.
    var problem = SealError.signatureWrong
    for candidate in candidates {
      guard layout.certificates.allSatisfy(candidate.party.isPinned) else {
        problem = .foreignCertificate
        continue
      }
      guard let content = try content(of: layout, signedBy: candidate.certificate) else {
        continue
      }
      // From here on the signature holds.
      guard envelope.isAuthenticated || candidate.party.legacyAllowed else {
        throw .legacyNotAllowed(candidate.party.id)
      }
      do {
        return try accept(content, of: layout, from: candidate, now: now)
      } catch {
        problem = error
      }
    }
    throw problem
  }

  /// Whether the signer of what was verified earlier may still be relied on: its certificate is pinned,
  /// and no list names it. That it has ended since changes nothing.
  package func stillStands(_ verdict: Verdict) -> Bool {
    guard let party = parties[verdict.signer],
      let certificate = party.signing.first(where: { $0.fingerprint == verdict.certificate })
    else { return false }
    return !party.trust.isRevoked(certificate)
  }

  /// Judges signer and content of a message whose signature held.
  private func accept(
    _ content: [UInt8], of layout: SignedLayout, from candidate: SignerIndex.Candidate, now: Instant
  ) throws(SealError) -> VerifiedMessage {
    let party = candidate.party
    let revocation = try party.judge(candidate.certificate, for: .signing, now: now)
    let notification = try read(content, from: party)
    guard let digest = sha256(content) else { throw .cryptographyFailed(step: "digest") }
    let verdict = Verdict(
      signer: party.id, certificate: candidate.certificate.fingerprint,
      signingTime: layout.signingTime, verifiedAt: now, revocation: revocation,
      contentDigest: digest)
    return VerifiedMessage(notification: notification, verdict: verdict, by: SealAuthority())
  }

  private func decrypt(_ bytes: [UInt8]) throws(SealError) -> [UInt8] {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let message = parseCMS(bytes) else { throw .notCMS }
    defer { CMS_ContentInfo_free(message) }
    let own = decryption.first { sallyport_cms_is_for(message, $0.certificate.pointer) == 1 }
    guard let own else { throw .notForUs }
    guard let plain = MemoryBuffer() else { throw .cryptographyFailed(step: "memory") }
    // With the certificate given, OpenSSL goes on with a random key where the key transport fails:
    // nobody learns from us which of the two it was. A wrong tag leaves no reason in the queue.
    let done = plain.read { buffer in
      CMS_decrypt(
        message, own.key.pointer, own.certificate.pointer, nil, buffer, UInt32(CMS_BINARY))
    }
    guard done == 1 else { throw .cannotDecrypt }
    return plain.bytes
  }

  /// The signed content, or nil where the signature is not this certificate's.
  private func content(
    of layout: SignedLayout, signedBy certificate: Certificate
  ) throws(SealError) -> [UInt8]? {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let message = parseCMS(layout.bare) else { throw .notSigned }
    defer { CMS_ContentInfo_free(message) }
    guard let candidates = sallyport_certificates() else {
      throw .cryptographyFailed(step: "memory")
    }
    defer { sallyport_certificates_free(candidates) }
    guard sallyport_certificates_push(candidates, certificate.pointer) > 0,
      let content = MemoryBuffer()
    else { throw .cryptographyFailed(step: "memory") }
    // The chain is judged apart from the message, once for many; nothing inside may name a signer.
    let flags = CMS_BINARY | CMS_NO_SIGNER_CERT_VERIFY | CMS_NOINTERN
    let good = content.read { CMS_verify(message, candidates, nil, nil, $0, UInt32(flags)) }
    guard good != 1 else { return content.bytes }
    // OpenSSL looks at the content only once the signature of the attributes held.
    if ERR_peek_last_error() & 0x7f_ffff == UInt(CMS_R_CONTENT_VERIFY_ERROR) {
      throw .digestWrong
    }
    return nil
  }

  private func read(_ content: [UInt8], from signer: Party) throws(SealError) -> Notification {
    let signed = SignedContent(content, limits: limits)
    let notification: Notification
    do {
      notification = try Notification(parsing: signed.envelope, limits: limits.content)
    } catch {
      throw .notNotification(error, signer: signer.id)
    }
    guard notification.source == signer.id || signer.relays else {
      throw .sourceNotSigner(signer.id)
    }
    guard notification.audience == identity else { throw .audienceNotUs(signer.id) }
    return notification.with(try signed.attachments(of: notification, from: signer.id))
  }
}

/// Decodes a CMS message; the caller frees it. Nil also when bytes are left over.
func parseCMS(_ bytes: [UInt8]) -> OpaquePointer? {
  bytes.withUnsafeBufferPointer { buffer in
    var start = buffer.baseAddress
    guard let message = d2i_CMS_ContentInfo(nil, &start, buffer.count) else { return nil }
    guard start == buffer.baseAddress?.advanced(by: buffer.count) else {
      CMS_ContentInfo_free(message)
      return nil
    }
    return message
  }
}

extension Party {
  /// Whether these bytes are one of the party's certificates or of its authorities'.
  fileprivate func isPinned(_ der: [UInt8]) -> Bool {
    trust.known.contains(der) || signing.contains { $0.der == der }
  }
}

extension DecodedPair {
  init(_ pair: KeyPair, of party: PartyID) throws(SealError) {
    guard let certificates = Certificate.read(pem: pair.certificate),
      // A chain may follow; the first certificate is the key's.
      let first = certificates.first
    else { throw .unreadableCertificate(party, what: "an own certificate") }
    guard first.key != nil else { throw .weakKey(party) }
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard X509_check_private_key(first.pointer, pair.key.pointer) == 1 else {
      throw .keyDoesNotMatch(party)
    }
    (certificate, key) = (first, pair.key)
  }
}

/// Trust stores by their texts: parties under one authority share one store.
private struct TrustStores {
  private struct Key: Hashable {
    let anchors: [String]
    let intermediates: [String]
    let lists: [String]
  }

  private var stores: [Key: TrustStore] = [:]

  mutating func store(for trusted: PartyTrust) throws(SealError) -> TrustStore {
    let key = Key(
      anchors: trusted.trustAnchors, intermediates: trusted.intermediates,
      lists: trusted.revocationLists)
    if let store = stores[key] { return store }
    let party = trusted.party
    let store = try TrustStore(
      anchors: try Party.read(key.anchors, of: party, "a trust anchor", Certificate.read),
      intermediates: try Party.read(
        key.intermediates, of: party, "an intermediate", Certificate.read),
      revocationLists: try Party.read(
        key.lists, of: party, "a revocation list", RevocationList.read))
    stores[key] = store
    return store
  }
}
