import Crypto
package import Exchange
import Foundation
package import Mailbox
package import Rules
package import Seal
import Store

/// What is in force at one moment: rules, keys and calendar, loaded together and swapped together.
package struct Regime: Sendable {
  package let policy: Policy
  package let sealer: Sealer
  package let calendar: WorkingCalendar
  /// By hosted mailbox: password and the TLS certificates that may use it.
  package let mailboxes: [MailboxID: MailboxCredentials]
  /// Revocation lists that are fetched.
  package var feeds: [RevocationFeed] = []
  /// Our certificates as the agreement lists them, and so as all parties accept them.
  package var ownCertificates = OwnCertificates()
}

/// SHA-256 of certificates (DER), lower-case hex.
package struct OwnCertificates: Equatable, Sendable {
  package var signing: Set<String> = []
  package var encryption: Set<String> = []
}

extension Regime {
  /// As the ledger names the rules; nil only if a digest is not of its form.
  var digests: PolicyDigests? {
    PolicyDigests(rulebook: policy.rulebook.digest, agreement: policy.agreement.digest)
  }

  /// Each departure from the rulebook, in words of the agreement: loud, in the ledger.
  var departures: [String] {
    policy.agreement.departures.map {
      "\($0.rule) for \($0.type) until \($0.ends), approved by \($0.approver): \($0.reason)"
    }
  }

  /// Loads everything that the configuration names. `check` and `serve` both come through here; every
  /// problem found is reported at once.
  package static func load(
    _ configuration: Configuration, ring: KeyRing
  ) throws(ConfigurationProblems) -> Regime {
    let loader = RegimeLoader(configuration)
    // Each is tried whatever became of the others, so that one run tells everything.
    let policy = loader.policy()
    let calendar = loader.calendar()
    let identity = loader.identity(ring)
    let pinned = policy.map { $0.parties.map(loader.pinned) }
    let feeds = policy.map { RevocationFeed.joined($0.parties.flatMap(loader.feeds)) }
    let mailboxes = policy.map { loader.mailboxes(policy: $0) }
    let own = policy.map { loader.own($0.agreement.own.certificates, identity) }
    let sealer = identity.flatMap { identity in
      pinned.flatMap { loader.sealer(identity: identity, pinned: $0) }
    }
    guard let policy, let calendar, let sealer, let mailboxes, let own,
      loader.problems.list.isEmpty
    else { throw loader.problems }
    return Regime(
      policy: policy, sealer: sealer, calendar: calendar, mailboxes: mailboxes,
      feeds: feeds ?? [], ownCertificates: own)
  }
}

extension Regime {
  /// SHA-256 of the first certificate (DER) of a PEM text, lower-case hex.
  static func fingerprint(ofPEM text: String) -> String? {
    let lines = text.split(whereSeparator: \.isNewline).map { $0.filter { !$0.isWhitespace } }
    guard let start = lines.firstIndex(of: "-----BEGINCERTIFICATE-----"),
      let end = lines[start...].firstIndex(of: "-----ENDCERTIFICATE-----"),
      let der = Data(base64Encoded: lines[(start + 1)..<end].joined())
    else { return nil }
    return SHA256.hash(data: der).map { byte in
      (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }.joined()
  }
}
