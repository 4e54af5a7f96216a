import Demo
import Exchange
import Forgery
import Seal
import Testing

@Suite struct `A message that is not right does not open` {
  let agencies: Agencies
  let now = Agencies.now

  init() throws { agencies = try Agencies.shared() }

  @Test(arguments: WrongMessage.all)
  func `each is refused with its own code`(wrong: WrongMessage) throws {
    let bytes = try OpenSSLCommand.use { try wrong.make(agencies, $0) }
    var identity = try agencies.hub.identity()
    identity.decryption += try agencies.rsaHub.identity().decryption
    let sealer = try Sealer(
      identity: identity, parties: [agencies.prison, agencies.police].map(agencies.trust))
    let error = #expect(throws: SealError.self) { try sealer.open(bytes, now: now) }
    #expect(error?.code == wrong.code)
    // Strangers learn nothing; senders whose signature held learn what to mend.
    let isTold = wrong.code.hasPrefix("EXCH-") || ["SEAL-031", "SEAL-032"].contains(wrong.code)
    #expect(error?.disclosable == isTold)
    #expect(error?.outsideCode == (isTold ? wrong.code : "SEAL-000"))
    #expect(error?.isHold == false)
  }

  @Test func `a message above the limit is refused before it is read`() throws {
    let sealer = try agencies.hubSealer(limits: SealLimits(messageBytes: 1000))
    let error = #expect(throws: SealError.self) {
      try sealer.open([UInt8](repeating: 0x30, count: 1001), now: now)
    }
    #expect(error?.code == "SEAL-002")
  }

  @Test func `a message cut off anywhere does not open`() throws {
    let sealer = try agencies.hubSealer()
    let sealed = try agencies.sealer(agencies.prison, knowing: [agencies.trust(agencies.hub)])
      .seal(agencies.notification(), now: now)
    #expect(throws: Never.self) { try sealer.open(sealed, now: now) }
    for length in stride(from: 0, to: sealed.count, by: 10) {
      let error = #expect(throws: SealError.self) {
        try sealer.open(Array(sealed.prefix(length)), now: now)
      }
      #expect(error?.code == (length == 0 ? "SEAL-017" : "SEAL-019"))
    }
  }

  @Test func `a message with any octet changed does not open`() throws {
    let sealer = try agencies.hubSealer()
    let sealed = try agencies.sealer(agencies.prison, knowing: [agencies.trust(agencies.hub)])
      .seal(agencies.notification(), now: now)
    let expected = try agencies.notification()
    var opened = 0
    for place in sealed.indices {
      var changed = sealed
      changed[place] ^= UInt8(1 << (place % 8))
      // A few octets say nothing, version numbers for one. The content must be the same all the same.
      let result = Result { () throws(SealError) in try sealer.open(changed, now: now) }
      switch result {
      case .success(let message):
        #expect(message.notification == expected)
        opened += 1
      case .failure(let error): #expect(!error.disclosable)
      }
    }
    #expect(opened <= 16)
  }

  @Test func `a message opens for every reader at once`() async throws {
    let sealer = try agencies.hubSealer()
    let sealed = try agencies.sealer(agencies.prison, knowing: [agencies.trust(agencies.hub)])
      .seal(agencies.notification(), now: now)
    let expected = try agencies.notification()
    let now = now
    try await withThrowingTaskGroup(of: Notification.self) { group in
      for _ in 0..<64 {
        group.addTask { try sealer.open(sealed, now: now).notification }
      }
      for try await notification in group { #expect(notification == expected) }
    }
  }

  @Test func `legacy encryption is read from a party whose entry says so, and from no other`()
    throws
  {
    var prison = agencies.trust(agencies.prison)
    prison.legacyAllowed = true
    let sealer = try agencies.sealer(
      agencies.hub, knowing: [prison, agencies.trust(agencies.police)])
    func sealed(by agency: Agency) throws -> [UInt8] {
      try OpenSSLCommand.use { tool in
        try tool.encrypt(
          tool.sign(
            agencies.notification(source: agency.id).content, by: [agency.signing]),
          to: agencies.hub.encryption, cipher: "-aes-256-cbc")
      }
    }
    let opened = try sealer.open(sealed(by: agencies.prison), now: now)
    #expect(opened.verdict.signer == agencies.prison.id)
    let police = try sealed(by: agencies.police)
    let error = #expect(throws: SealError.self) { try sealer.open(police, now: now) }
    #expect(error?.code == "SEAL-027")
  }
}
