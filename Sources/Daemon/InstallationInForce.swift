import Exchange
import Foundation
import Ledger
import Logging
import Mailbox
import Rules
import Seal
import Store

/// What a reload came to.
package enum ReloadOutcome: Sendable {
  /// What is other than before, in words; empty where nothing is.
  case done([String])
  /// Nothing was changed.
  case refused(ConfigurationProblems)
}

/// Everything that was read from the installation's files, and how it is exchanged while the daemon runs:
/// by a reload, whole or not at all, and by operators' acts on the keys. One at a time.
actor InstallationInForce {
  /// What has to hear of another installation.
  struct Parts: Sendable {
    let store: Store
    let regime: RegimeInForce
    let sequencer: Sequencer
    let host: MailboxHost
    let inboxes: InboxWorkers
    let now: @Sendable () -> Instant
    let log: Logger
    /// What is held may go on.
    let onReload: @Sendable () -> Void
    /// Another store key is in force.
    let onStoreKey: @Sendable () -> Void
  }

  private var installation: Installation
  private let parts: Parts
  private let gate = OneAtATime()

  init(_ installation: Installation, _ parts: Parts) {
    (self.installation, self.parts) = (installation, parts)
  }

  /// Reads everything anew and puts it in the place of what was in force, unless anything is wrong.
  ///
  /// - Throws: `StoreError`; what was in force stays, and the next reload tries again.
  func reload() async throws -> ReloadOutcome {
    try await gate.run { try await self.reloadNow() }
  }

  private func reloadNow() async throws -> ReloadOutcome {
    ServiceManager.tell(.reloading)
    defer { ServiceManager.tell(.ready) }
    do throws(ConfigurationProblems) {
      let fresh = try Installation.load(configurationFile: installation.file)
      let fixed = installation.configuration.fixedChanges(
        in: fresh.configuration, file: installation.file)
      guard fixed.isEmpty else { throw ConfigurationProblems(fixed) }
      if fresh.connections.host.sharedSecret != installation.connections.host.sharedSecret {
        throw ConfigurationProblems([
          Configuration.fixed(
            "the content of host.shared_secret", fresh.configuration.host.sharedSecretFile)
        ])
      }
      return try await takeOver(fresh)
    } catch {
      tell(error)
      return .refused(error)
    }
  }

  private func tell(_ problems: ConfigurationProblems) {
    for problem in problems.list {
      parts.log.error(
        "reload refused",
        metadata: [
          "code": "\(problem.code)", "configuration": "\(problem.file)",
          "line": "\(problem.line ?? 0)",
          "hint": "\(problem.hint)",
        ])
    }
  }

  private func takeOver(
    _ fresh: Installation
  ) async throws(ConfigurationProblems) -> ReloadOutcome {
    do {
      try await keysMustSuffice(fresh.ring)
      let changes = installation.changes(in: fresh)
      try await apply(fresh)
      if !changes.isEmpty {
        parts.log.notice("reloaded", metadata: ["count": "\(changes.count)"])
      }
      return .done(changes)
    } catch let problem as KeyRingProblem {
      throw ringProblem(problem.code, problem.text)
    } catch let error as StoreError {
      throw ringProblem(error.code, error.text)
    } catch let error as HostProblem {
      throw ConfigurationProblems([
        ConfigurationProblem(
          code: error.code, file: fresh.configuration.host.certificateFile, line: nil,
          text: error.description, hint: "see \(error.code) in docs/errors.md")
      ])
    } catch {
      throw ringProblem("KEYS-002", "the key ring cannot be used")
    }
  }

  private func ringProblem(_ code: String, _ text: String) -> ConfigurationProblems {
    ConfigurationProblems([
      ConfigurationProblem(
        code: code, file: installation.configuration.keys.ringFile, line: nil, text: text,
        hint: "see \(code) in docs/errors.md")
    ])
  }

  /// A ring that was put back by hand may lack a store key that something is still wrapped with.
  private func keysMustSuffice(_ ring: KeyRing) async throws {
    let left = Set(ring.keys(.store).map(\.id))
    for key in installation.ring.keys(.store) where !left.contains(key.id) {
      let count = try await parts.store.keysUnder(version: key.version)
      if count > 0 { throw KeyRingProblem.needed(key.id, count: count, what: "stored keys") }
    }
  }

  /// First what can fail, then what cannot.
  private func apply(_ fresh: Installation) async throws {
    let (store, log) = (parts.store, parts.log)
    try await store.use(fresh.ring.storeKeys())
    try await store.recordKeys(
      fresh.ring.records(origin: fresh.configuration.ledger.origin), at: parts.now())
    // Recorded first: a decision by rules that the ledger does not know is refused by the store.
    if let digests = fresh.regime.digests, digests != store.policy {
      try await store.recordService(
        .policyChanged(digests, departures: fresh.regime.departures), at: parts.now())
      log.notice(
        "rules changed",
        metadata: [
          "rulebook": "\(fresh.regime.policy.rulebook.digest)",
          "agreement": "\(fresh.regime.policy.agreement.digest)",
        ])
    }
    try await parts.sequencer.use(
      fresh.ring.ledgerKeys(origin: fresh.configuration.ledger.origin))
    let host = fresh.connections.host
    try parts.host.replaceCertificates(
      chainPEM: host.certificateChainPEM, privateKeyPEM: host.privateKeyPEM,
      clientCAPEM: host.clientCAPEM)
    installation = fresh
    parts.regime.swap(for: fresh.regime)
    parts.inboxes.poll(fresh.connections.inboxes)
    if fresh.ring.keys(.store).count > 1 { parts.onStoreKey() }
    let ofSigners = [IntakeReason.revocationListStale, .signerWithdrawn].map(\.rawValue)
    try await store.lookAgain(codePrefixes: ["SEAL-"] + ofSigners)
    parts.onReload()
  }
}

// Operators' acts on the keys.
extension InstallationInForce {
  /// Does it, durably: first the ring's file, then the ledger's entry, then everybody uses it. A crash
  /// in between leaves a ring that the next start tells the ledger of.
  func perform(_ act: KeyAct, by officer: String) async throws -> KeyReport {
    try await gate.run { try await self.performNow(act, by: officer) }
  }

  private func performNow(_ act: KeyAct, by officer: String) async throws -> KeyReport {
    let change = KeyRing.Change(at: parts.now(), by: officer, reason: act.reason)
    let ring = installation.ring
    switch act {
    case .rotate(let use, let accept, _):
      let material = use.isCertified ? KeyBytes(try OwnKey.make()) : KeyBytes.random(32)
      let (next, key) = try ring.rotating(use, material: material, accept: accept, change: change)
      if next.keys.count > ring.keys.count { try await take(next, keepsPrevious: true) }
      return report(key, after: use.isCertified ? nil : ring.current(use), accept, change)
    case .importCertificate(let text, let accept, _):
      let key = try ring.waiting(for: text, at: change.at)
      try agreementMustList(text, for: key)
      let (next, active) = try ring.activating(
        key.id, certificate: text, accept: accept, change: change)
      try await take(next, keepsPrevious: true)
      return report(active, after: ring.current(key.use), accept, change)
    case .retire(let id, _):
      let key = try ring.retirable(id, at: change.at)
      try await nothingMayNeed(key)
      try await take(try ring.retiring(id, change: change), keepsPrevious: false)
      return KeyReport(key: id, state: KeyRing.State.retired.word)
    }
  }

  private func take(_ ring: KeyRing, keepsPrevious: Bool) async throws {
    let fresh = try installation.with(ring)
    try KeyRingFile(installation.configuration.keys).replace(
      with: ring, keepsPrevious: keepsPrevious)
    // From here on this is the ring, whatever becomes of the rest: what fails now a reload does again,
    // and no version is ever given to two keys.
    installation = fresh
    try await apply(fresh)
    parts.log.notice("key ring changed")
  }

  private func report(
    _ key: KeyRing.Key, after earlier: KeyRing.Key?, _ accept: Duration, _ change: KeyRing.Change
  ) -> KeyReport {
    KeyReport(
      key: key.id, state: key.state.word, earlier: earlier?.id,
      acceptedUntil: earlier == nil ? nil : change.at + accept,
      request: key.state == .requested
        ? try? key.request(of: installation.configuration.party) : nil,
      publicName: key.publicName(origin: installation.configuration.ledger.origin))
  }

  /// What a signing key signs must be accepted everywhere from the first copy on: the agreement, which
  /// all parties hold, lists its certificate before it is used.
  private func agreementMustList(_ certificate: String, for key: KeyRing.Key) throws {
    guard key.use == .signing else { return }
    let listed = installation.regime.ownCertificates.signing
    guard let own = OwnCertificate(pem: certificate), listed.contains(own.fingerprint) else {
      throw KeyRingProblem.notInAgreement
    }
  }

  private func nothingMayNeed(_ key: KeyRing.Key) async throws {
    guard key.state != .requested else { return }
    let store = parts.store
    switch key.use {
    case .store:
      var place: RewrapPlace? = .beginning
      while let next = place { place = try await store.rewrap(from: next) }
      let count = try await store.keysUnder(version: key.version)
      if count > 0 { throw KeyRingProblem.needed(key.id, count: count, what: "stored keys") }
    case .ledger:
      let newest = try installation.ring.ledgerKeys(
        origin: installation.configuration.ledger.origin)
      guard parts.sequencer.bears(newest.key.verifierKey) else {
        throw KeyRingProblem.needed(key.id, count: 1, what: "published checkpoint")
      }
    case .signing:
      // A copy that was decided on as the key changed may have been committed a little later.
      let count = try await store.copiesUncollected(madeBefore: key.change.at + .seconds(60))
      if count > 0 { throw KeyRingProblem.needed(key.id, count: count, what: "uncollected copies") }
    case .decryption:
      let count = try await unread(sealedTo: key.certificate ?? "")
      if count > 0 { throw KeyRingProblem.needed(key.id, count: count, what: "unread messages") }
    case .lookup: break
    }
  }

  /// How many messages that may have to be opened (again) are sealed to a certificate, up to 1000.
  private func unread(sealedTo certificate: String) async throws -> Int {
    var (place, count) = (Int64.min, 0)
    while count < 1000 {
      let page = try await parts.store.unread(after: place, limit: 64)
      for message in page {
        let bytes = try await parts.store.original(of: message.exchange)
        if let bytes, Sealer.isSealed(bytes, to: certificate) { count += 1 }
        place = message.place
      }
      if page.count < 64 { break }
    }
    return count
  }
}
