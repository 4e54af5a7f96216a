import COpenSSL
package import Exchange

/// A revocation list as a file or a publisher gives it: one list, PEM or DER.
package struct RevocationFile: Sendable {
  /// Bytes; an authority of a national service with a million revoked certificates needs 40 MB, those of
  /// agencies some kilobytes.
  package static let limit = 8 << 20

  package let pem: String
  package let thisUpdate: Instant
  package let nextUpdate: Instant
  private let list: RevocationList

  /// - Throws: SEAL-070.
  package init(_ bytes: [UInt8]) throws(SealError) {
    let text = PEM.text(bytes, of: .revocationList)
    guard bytes.count <= Self.limit, let lists = RevocationList.read(pem: text), lists.count == 1
    else { throw .listUnreadable }
    (pem, list) = (text, lists[0])
    (thisUpdate, nextUpdate) = (list.thisUpdate, list.nextUpdate)
  }

  /// Whether this list may be used, in place of the one that is known.
  ///
  /// A known list that these authorities did not sign counts for nothing: the agreement has changed.
  /// - Parameter authorities: certificates (PEM), one of which must have signed it.
  /// - Throws: SEAL-071 not signed by them or for another issuer than before, SEAL-072 older than what
  ///   is known, SEAL-073 from the future.
  package func judge(
    authorities: [String], known: RevocationFile?, now: Instant
  ) throws(SealError) {
    let signers = authorities.compactMap(Certificate.read).joined()
    guard signers.contains(where: { list.isSigned(by: $0) }) else { throw .listNotSigned }
    // The signer's clock may be ahead of ours by as much as that of a message.
    guard thisUpdate <= now + .seconds(15 * 60) else { throw .listFromFuture }
    guard let known, signers.contains(where: { known.list.isSigned(by: $0) }) else { return }
    guard list.hasSameIssuer(as: known.list) else { throw .listNotSigned }
    guard thisUpdate >= known.thisUpdate, !list.isNumberedBefore(known.list) else {
      throw .listOlder
    }
  }
}

extension RevocationList {
  /// Whether this authority issued the list and its signature holds.
  func isSigned(by authority: Certificate) -> Bool {
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard
      X509_NAME_cmp(X509_CRL_get_issuer(pointer), X509_get_subject_name(authority.pointer)) == 0,
      let key = X509_get0_pubkey(authority.pointer)
    else { return false }
    return X509_CRL_verify(pointer, key) == 1
  }

  func hasSameIssuer(as other: RevocationList) -> Bool {
    X509_NAME_cmp(X509_CRL_get_issuer(pointer), X509_CRL_get_issuer(other.pointer)) == 0
  }

  /// Whether the certificate is on the list. Its issuer must be the list's.
  func revokes(_ certificate: Certificate) -> Bool {
    guard
      X509_NAME_cmp(X509_CRL_get_issuer(pointer), X509_get_issuer_name(certificate.pointer)) == 0
    else { return false }
    var entry: OpaquePointer?
    // 2 means that the entry takes an earlier one back (RFC 5280 5.3.1, removeFromCRL).
    return X509_CRL_get0_by_cert(pointer, &entry, certificate.pointer) == 1
  }

  /// Whether both bear a CRL number (RFC 5280 5.2.3) and this one's is lower.
  func isNumberedBefore(_ other: RevocationList) -> Bool {
    guard let own = number, let others = other.number else { return false }
    return own.count == others.count
      ? own.lexicographicallyPrecedes(others) : own.count < others.count
  }

  /// Without leading zeros.
  private var number: [UInt8]? {
    guard let found = X509_CRL_get_ext_d2i(pointer, NID_crl_number, nil, nil) else { return nil }
    let integer = found.assumingMemoryBound(to: ASN1_INTEGER.self)
    defer { ASN1_INTEGER_free(integer) }
    let octets = UnsafeBufferPointer(
      start: ASN1_STRING_get0_data(integer), count: Int(ASN1_STRING_length(integer)))
    return Array(octets.drop { $0 == 0 })
  }
}
