import Demo
import Exchange
import Forgery
import Testing

@testable import Seal

@Suite struct `Foreign ASN.1 is read within bounds` {
  @Test func `elements of definite and indefinite length are told apart`() throws {
    var reader = BERReader([0x30, 0x80, 0x04, 0x01, 0xff, 0x00, 0x00, 0x02, 0x01, 0x05])
    let read = reader.next(0x30)
    let sequence = try #require(read)
    #expect(sequence.whole == 0..<7)
    #expect(sequence.content == 2..<5)
    let absent = reader.next(0x04)
    #expect(absent?.whole == nil)
    let next = reader.next(0x02)
    let number = try #require(next)
    #expect(reader.octets(number) == [5])
    #expect(reader.isAtEnd)
  }

  @Test(arguments: [
    [], [0x30], [0x30, 0x01], [0x30, 0x81], [0x30, 0x85, 0, 0, 0, 0, 1, 0], [0x30, 0x80],
    [0x30, 0x80, 0x00], [0x04, 0x80, 0x00, 0x00], [0x1f, 0x01, 0x00], [0x00, 0x00], [0x30, 0xff],
  ])
  func `what is not BER is no element`(bytes: [UInt8]) {
    var reader = BERReader(bytes)
    let element = reader.next()
    #expect(element?.whole == nil)
  }

  @Test func `depth and number of elements are bounded`() {
    let opened = (0..<64).flatMap { _ -> [UInt8] in [0x30, 0x80] }
    var reader = BERReader(opened + [UInt8](repeating: 0, count: 128))
    let deep = reader.next()
    #expect(deep?.whole == nil)
    let nulls = (0..<100_001).flatMap { _ -> [UInt8] in [0x05, 0x00] }
    reader = BERReader([0x30, 0x80] + nulls + [0, 0])
    let many = reader.next()
    #expect(many?.whole == nil)
  }

  @Test(
    arguments: [
      (0, [0x04, 0x00]), (127, [0x04, 0x7f]), (128, [0x04, 0x81, 0x80]),
      (256, [0x04, 0x82, 0x01, 0x00]), (65_536, [0x04, 0x83, 0x01, 0x00, 0x00]),
    ] as [(Int, [UInt8])])
  func `lengths are written as DER asks`(count: Int, header: [UInt8]) {
    let encoded = BERReader.encode(0x04, [UInt8](repeating: 7, count: count))
    #expect(Array(encoded.prefix(header.count)) == header)
    #expect(encoded.count == header.count + count)
  }

  @Test func `a signed message cut off or changed anywhere is read or refused, never more`() throws
  {
    let agencies = try Agencies.shared()
    let signed = try OpenSSLCommand.use { tool in
      try tool.sign(agencies.notification().content, by: [agencies.prison.signing])
    }
    #expect(throws: Never.self) { try SignedLayout(signed) }
    for length in 0..<signed.count {
      #expect(throws: SealError.self) { try SignedLayout(Array(signed.prefix(length))) }
    }
    for place in signed.indices {
      for bit in 0..<8 {
        var changed = signed
        changed[place] ^= 1 << bit
        _ = try? SignedLayout(changed)
      }
    }
  }

  @Test func `certificates are cut out, and nothing else`() throws {
    let agencies = try Agencies.shared()
    let (with, without) = try OpenSSLCommand.use { tool in
      let content = try agencies.notification().content
      let with = try tool.sign(content, by: [agencies.prison.signing])
      // The same message, its certificates taken out by the other implementation.
      try tool.write(with, as: "with.der")
      let layout = try SignedLayout(with)
      try tool.write(layout.bare, as: "bare.der")
      let printed = try tool.run(
        "cms", "-cmsout", "-print", "-noout", "-inform", "DER", "-in", "bare.der")
      #expect(printed.status == 0)
      #expect(!printed.output.contains("d.certificate:"))
      try tool.write(agencies.prison.signing.certificatePEM, as: "signer.pem")
      try tool.write(
        agencies.root.certificatePEM + agencies.authority.certificatePEM, as: "authorities.pem")
      let verified = try tool.run(
        "cms", "-verify", "-binary", "-inform", "DER", "-in", "bare.der", "-CAfile",
        "authorities.pem",
        "-certfile", "signer.pem", "-attime", "1770000060", "-out", "content.out")
      #expect(verified.status == 0, "\(verified.output)")
      return (layout.certificates.count, try SignedLayout(layout.bare).certificates.count)
    }
    #expect(with == 1)
    #expect(without == 0)
  }
}
