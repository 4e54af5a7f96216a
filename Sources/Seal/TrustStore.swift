import COpenSSL
import Exchange

/// Anchors, intermediates and revocation lists, ready to judge certificates.
///
/// Unchecked: `X509_STORE` locks what it changes when it is searched, and nothing here changes it
/// after `init`. New lists mean a new store.
final class TrustStore: @unchecked Sendable {
  /// Until how long after its next update a revocation list still counts, as stale.
  static let grace = Duration.seconds(7 * 86_400)

  enum Problem: Error, Equatable {
    case expired, notYetValid, usage, extendedUsage, revoked, broken, unknownAuthority, weak
    case revocationStale, revocationMissing
  }

  struct Verdict: Sendable {
    let revocation: Exchange.Verdict.Revocation
    /// The verdict holds from the moment it was asked for until then.
    let until: Instant
  }

  /// The DER of every anchor and intermediate.
  let known: Set<[UInt8]>
  /// The earliest next update of the lists; nil without a list.
  let revocationListsEnd: Instant?
  private let store: OpaquePointer
  private let untrusted: OpaquePointer
  private let authorities: [Certificate]
  /// Lists with a good signature of one of the authorities.
  private let lists: [RevocationList]
  /// Moments at which a verdict may change.
  private let turningPoints: [Instant]

  init(
    anchors: [Certificate], intermediates: [Certificate], revocationLists: [RevocationList]
  ) throws(SealError) {
    guard let store = X509_STORE_new() else { throw .cryptographyFailed(step: "trust store") }
    guard let untrusted = sallyport_certificates() else {
      X509_STORE_free(store)
      throw .cryptographyFailed(step: "trust store")
    }
    let authorities = anchors + intermediates
    self.authorities = authorities
    lists = revocationLists.filter { list in authorities.contains { list.isSigned(by: $0) } }
    known = Set(authorities.map(\.der))
    (self.store, self.untrusted) = (store, untrusted)
    revocationListsEnd = revocationLists.map(\.nextUpdate).min()
    turningPoints =
      authorities.flatMap { [$0.notBefore, $0.notAfter] }
      + revocationLists.flatMap {
        [$0.thisUpdate, $0.nextUpdate, $0.nextUpdate + TrustStore.grace]
      }
    let complete =
      anchors.allSatisfy { X509_STORE_add_cert(store, $0.pointer) == 1 }
      && revocationLists.allSatisfy { X509_STORE_add_crl(store, $0.pointer) == 1 }
      && intermediates.allSatisfy { sallyport_certificates_push(untrusted, $0.pointer) > 0 }
    guard complete else { throw .cryptographyFailed(step: "trust store") }
  }

  deinit {
    sallyport_certificates_free(untrusted)
    X509_STORE_free(store)
  }

  /// Whether a list at hand, however old, names the certificate or one of the authorities.
  func isRevoked(_ certificate: Certificate) -> Bool {
    let chain = [certificate] + authorities
    return lists.contains { list in chain.contains { list.revokes($0) } }
  }

  /// Builds the chain of a certificate to an anchor and checks it (RFC 5280 6), with a revocation
  /// list of every issuer.
  func judge(
    _ certificate: Certificate, for use: Certificate.Use, now: Instant
  ) throws(Problem) -> Verdict {
    guard certificate.allows(use) else { throw .usage }
    guard certificate.allowsMessages else { throw .extendedUsage }
    ERR_clear_error()
    defer { ERR_clear_error() }
    guard let context = X509_STORE_CTX_new() else { throw .broken }
    defer { X509_STORE_CTX_free(context) }
    guard X509_STORE_CTX_init(context, store, certificate.pointer, untrusted) == 1,
      let parameters = X509_STORE_CTX_get0_param(context)
    else { throw .broken }
    let flags = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL | X509_V_FLAG_X509_STRICT
    X509_VERIFY_PARAM_set_flags(parameters, UInt(flags))
    X509_VERIFY_PARAM_set_time(parameters, Int(now.milliseconds.flooredSeconds))
    X509_VERIFY_PARAM_set_depth(parameters, 4)
    // Level 2 is 112 bits: RSA from 2048, no SHA-1 in a chain.
    X509_VERIFY_PARAM_set_auth_level(parameters, 2)
    if use == .signing {
      // For sealing, OpenSSL's purpose knows keyEncipherment alone; `allows` has looked.
      X509_VERIFY_PARAM_set_purpose(parameters, X509_PURPOSE_SMIME_SIGN)
    }
    var watch = RevocationWatch(now: now)
    let good = withUnsafeMutablePointer(to: &watch) { watch in
      X509_STORE_CTX_set_ex_data(context, 0, watch)
      X509_STORE_CTX_set_verify_cb(context, RevocationWatch.callback)
      return X509_verify_cert(context)
    }
    guard good == 1 else { throw Problem(X509_STORE_CTX_get_error(context)) }
    let ends = (turningPoints + [certificate.notAfter]).filter { $0 > now }
    // Short all the same, so that a mistake in these moments would not last.
    let until = min(ends.min() ?? now, now + .seconds(300))
    return Verdict(revocation: watch.isStale ? .stale : .current, until: until)
  }
}

extension TrustStore.Problem {
  init(_ code: Int32) {
    switch code {
    case X509_V_ERR_CERT_HAS_EXPIRED: self = .expired
    case X509_V_ERR_CERT_NOT_YET_VALID: self = .notYetValid
    case X509_V_ERR_INVALID_PURPOSE: self = .usage
    case X509_V_ERR_CERT_REVOKED: self = .revoked
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      self = .unknownAuthority
    case X509_V_ERR_CRL_HAS_EXPIRED: self = .revocationStale
    case X509_V_ERR_UNABLE_TO_GET_CRL, X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER,
      X509_V_ERR_CRL_NOT_YET_VALID, X509_V_ERR_CRL_SIGNATURE_FAILURE,
      X509_V_ERR_DIFFERENT_CRL_SCOPE, X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
      self = .revocationMissing
    case X509_V_ERR_EE_KEY_TOO_SMALL, X509_V_ERR_CA_KEY_TOO_SMALL, X509_V_ERR_CA_MD_TOO_WEAK:
      self = .weak
    default: self = .broken
    }
  }
}

/// Lets a revocation list pass that ended less than the grace ago, and remembers that.
private struct RevocationWatch {
  let now: Instant
  var isStale = false

  init(now: Instant) { self.now = now }

  static let callback: @convention(c) (Int32, OpaquePointer?) -> Int32 = { good, context in
    guard good == 0, X509_STORE_CTX_get_error(context) == X509_V_ERR_CRL_HAS_EXPIRED,
      let data = X509_STORE_CTX_get_ex_data(context, 0),
      let end = Instant(
        X509_STORE_CTX_get0_current_crl(context).flatMap { X509_CRL_get0_nextUpdate($0) })
    else { return good }
    let watch = data.assumingMemoryBound(to: RevocationWatch.self)
    guard watch.pointee.now < end + TrustStore.grace else { return 0 }
    watch.pointee.isStale = true
    return 1
  }
}

/// A certificate revocation list, decoded once. Unchecked for the same reasons as `Certificate`.
final class RevocationList: @unchecked Sendable {
  let pointer: OpaquePointer
  let thisUpdate: Instant
  let nextUpdate: Instant

  private init?(owning pointer: OpaquePointer) {
    self.pointer = pointer
    // A list without a next update would never grow stale: not taken.
    guard let begin = Instant(X509_CRL_get0_lastUpdate(pointer)),
      let end = Instant(X509_CRL_get0_nextUpdate(pointer))
    else {
      X509_CRL_free(pointer)
      return nil
    }
    (thisUpdate, nextUpdate) = (begin, end)
  }

  deinit { X509_CRL_free(pointer) }

  static func read(pem: String) -> [RevocationList]? {
    readBlocks(pem) {
      PEM_read_bio_X509_CRL($0, nil, { _, _, _, _ in -1 }, nil)
    } make: {
      RevocationList(owning: $0)
    }
  }
}

extension Int64 {
  /// Whole seconds of milliseconds, towards the past.
  fileprivate var flooredSeconds: Int64 { (self - (self % 1000 + 1000) % 1000) / 1000 }
}
