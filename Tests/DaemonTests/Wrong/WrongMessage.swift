import Exchange
import Forgery
import Foundation
import Rules
import Seal
import Store
import Testing

@testable import Daemon
@testable import Demo

/// A message that must have no effect, how to make it, how it must end, and what its sender may be told.
struct WrongMessage: Sendable, CustomTestStringConvertible {
  typealias Make = @Sendable (WrongBench) async throws -> [UInt8]

  let testDescription: String
  /// Nil: it stays where it is, unacknowledged, and is tried again.
  let ending: Intake.Ending?
  /// The code that opening it gives the outside; nil where it opens.
  let told: String?
  let make: Make

  /// Nothing proves who sent it: the sender is told the one code for all of these.
  static func unproven(_ name: String, _ code: String, _ make: @escaping Make) -> WrongMessage {
    WrongMessage(
      testDescription: name, ending: .setAside(code: code), told: "SEAL-000", make: make)
  }

  /// The signature held: the sender may be told what is wrong.
  static func proven(_ name: String, _ code: String, _ make: @escaping Make) -> WrongMessage {
    WrongMessage(testDescription: name, ending: .setAside(code: code), told: code, make: make)
  }

  /// It opens, and something in it is wrong.
  static func opens(
    _ name: String, _ ending: Intake.Ending, _ make: @escaping Make
  ) -> WrongMessage {
    WrongMessage(testDescription: name, ending: ending, told: nil, make: make)
  }

  /// What we lack says nothing of the message.
  static func stays(_ name: String, _ code: String, _ make: @escaping Make) -> WrongMessage {
    WrongMessage(testDescription: name, ending: nil, told: code, make: make)
  }

  /// A text that the prison signed and sealed as it should.
  static func text(_ name: String, _ code: String, _ text: String) -> WrongMessage {
    proven(name, code) { try $0.sealed(Array(text.utf8)) }
  }

  /// The prison's notice with one piece of its text put in place of another.
  static func replacing(
    _ name: String, _ code: String, _ old: String, _ new: String
  ) -> WrongMessage {
    proven(name, code) { bench in
      let text = String(decoding: bench.content, as: UTF8.self)
      try #require(text.contains(old))
      return try bench.sealed(Array(text.replacing(old, with: new).utf8))
    }
  }

  /// The prison's notice with other fields: it opens, and does not fit its type.
  static func fields(
    _ name: String, _ code: String, _ changes: [String: JSONValue]
  ) -> WrongMessage {
    opens(name, .setAside(code: code)) { bench in
      try bench.sealed(bench.notice.with(data: changes).content)
    }
  }

  /// A signature with something changed, sealed as it should.
  static func signature(
    _ name: String, _ code: String,
    _ change: @escaping @Sendable (inout ForgedSignature, WrongBench) throws -> Void
  ) -> WrongMessage {
    unproven(name, code) { bench in
      var signature = try bench.signature(bench.content)
      try change(&signature, bench)
      return try bench.envelope(signature.encoded()).encoded()
    }
  }

  /// A good signature in an envelope with something changed.
  static func envelope(
    _ name: String, _ code: String,
    _ change: @escaping @Sendable (inout ForgedEnvelope, WrongBench) throws -> Void
  ) -> WrongMessage {
    unproven(name, code) { bench in
      var envelope = try bench.envelope(bench.signed())
      try change(&envelope, bench)
      return try envelope.encoded()
    }
  }

  /// Another signing certificate of the prison is pinned, and the notice is signed with it.
  static func signer(
    _ name: String, _ code: String,
    _ issue: @escaping @Sendable (WrongBench) throws -> IssuedCertificate,
    trust: @escaping @Sendable (inout Seal.PartyTrust, WrongBench) throws -> Void = { _, _ in }
  ) -> WrongMessage {
    proven(name, code) { bench in
      let issued = try issue(bench)
      try bench.prisonTrust {
        $0.signingCertificates = [issued.certificatePEM]
        try trust(&$0, bench)
      }
      let signature = try ForgedSignature(bench.content, by: [issued])
      return try bench.envelope(signature.encoded()).encoded()
    }
  }

  static func openSSL(
    _ name: String, _ code: String,
    _ make: @escaping @Sendable (WrongBench, OpenSSLCommand) throws -> [UInt8]
  ) -> WrongMessage {
    unproven(name, code) { bench in try OpenSSLCommand.use { try make(bench, $0) } }
  }

  static let all =
    outer + envelopes + inner + signatures + signers + texts + events + fieldsOfTypes + repeats
}

/// What wrong messages are made of: a hub, and a notice of the prison that would be shared.
struct WrongBench: Sendable {
  let hub: Hub
  let world: DemoWorld
  let notice: Exchange.Notification

  init(_ hub: Hub) throws {
    self.hub = hub
    world = try Area.world
    notice = try Notice.named("release-date").with(id: "wrong-1")
  }

  var content: [UInt8] { notice.content }
  var prison: DemoParty { get throws { try world.party("prison:durham") } }
  var police: DemoParty { get throws { try world.party("police:durham") } }
  var immigration: DemoParty { get throws { try world.party("immigration:casework") } }

  /// SignedData of the prison, not yet encoded.
  func signature(_ content: [UInt8]) throws -> ForgedSignature {
    try ForgedSignature(content, by: [prison.signing])
  }

  /// The prison's notice, signed as it should be.
  func signed() throws -> [UInt8] { try signature(content).encoded() }

  /// AuthEnvelopedData to us, not yet encoded.
  func envelope(_ content: [UInt8]) throws -> ForgedEnvelope {
    ForgedEnvelope(content, to: [world.own.encryption])
  }

  /// Signed by the prison and sealed to us, both as they should be.
  func sealed(_ content: [UInt8]) throws -> [UInt8] {
    try envelope(signature(content).encoded()).encoded()
  }

  /// Puts a changed trust in the prison in force.
  func prisonTrust(_ change: (inout Seal.PartyTrust) throws -> Void) throws {
    let prison = try prison
    var changed = world.trust(in: prison)
    try change(&changed)
    hub.regime.swap(for: try Area.regime { if $0.party == prison.id { $0 = changed } })
  }

  /// A certificate of the area's authority for the prison to sign with.
  func signing(
    _ use: CertificateRequest.Use = .signing, notBefore: Duration = .seconds(-3600),
    notAfter: Duration = .days(365)
  ) throws -> IssuedCertificate {
    try world.authority.issue(
      CertificateRequest(
        commonName: "prison:durham other", use: use, notBefore: notBefore, notAfter: notAfter),
      now: .start)
  }
}
