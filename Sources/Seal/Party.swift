import Exchange
import Synchronization

/// A party as Seal knows it: its pinned certificates, decoded, and the store that judges them.
final class Party: Sendable {
  let id: PartyID
  let signing: [Certificate]
  let encryption: [Certificate]
  let trust: TrustStore
  let legacyAllowed: Bool
  let relays: Bool
  /// Chain verdicts of pinned certificates, so never more than those. No lock is held while judging.
  private let verdicts = Mutex<[VerdictKey: KeptVerdict]>([:])

  private struct VerdictKey: Hashable {
    let certificate: [UInt8]
    let use: Certificate.Use
  }

  private struct KeptVerdict {
    let from: Instant
    let verdict: TrustStore.Verdict
  }

  init(_ trusted: PartyTrust, trust: TrustStore) throws(SealError) {
    id = trusted.party
    signing = try Party.read(
      trusted.signingCertificates, of: id, "a signing certificate", Certificate.read)
    encryption = try Party.read(
      trusted.encryptionCertificates, of: id, "an encryption certificate", Certificate.read)
    self.trust = trust
    legacyAllowed = trusted.legacyAllowed
    relays = trusted.relays
    guard (signing + encryption).allSatisfy({ $0.key != nil }) else { throw .weakKey(id) }
  }

  /// Judges one of the party's pinned certificates.
  func judge(
    _ certificate: Certificate, for use: Certificate.Use, now: Instant
  ) throws(SealError) -> Verdict.Revocation {
    let key = VerdictKey(certificate: certificate.digest, use: use)
    let kept = verdicts.withLock { $0[key] }
    if let kept, kept.from <= now, now < kept.verdict.until { return kept.verdict.revocation }
    do {
      let verdict = try trust.judge(certificate, for: use, now: now)
      verdicts.withLock { $0[key] = KeptVerdict(from: now, verdict: verdict) }
      return verdict.revocation
    } catch {
      throw SealError(error, of: id)
    }
  }

  /// Reads texts of PEM, none of which may be empty.
  static func read<Value>(
    _ texts: [String], of party: PartyID, _ what: String, _ read: (String) -> [Value]?
  ) throws(SealError) -> [Value] {
    var found: [Value] = []
    for text in texts {
      guard let values = read(text) else { throw .unreadableCertificate(party, what: what) }
      found += values
    }
    return found
  }
}

extension SealError {
  init(_ problem: TrustStore.Problem, of party: PartyID) {
    self =
      switch problem {
      case .expired: .certificateExpired(party)
      case .notYetValid: .certificateNotYetValid(party)
      case .usage: .certificateUsage(party)
      case .extendedUsage: .certificateExtendedUsage(party)
      case .revoked: .certificateRevoked(party)
      case .broken: .chainBroken(party)
      case .unknownAuthority: .authorityUnknown(party)
      case .weak: .weakKey(party)
      case .revocationStale: .revocationStale(party)
      case .revocationMissing: .revocationMissing(party)
      }
  }
}

/// A certificate with its key, decoded and found to belong together.
struct DecodedPair: Sendable {
  let certificate: Certificate
  let key: PrivateKey
}
