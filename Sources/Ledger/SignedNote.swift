/// One signature line of a note: `— name base64(key id || signature)`.
package struct NoteSignature: Hashable, Sendable {
  package let name: String
  /// 4 bytes.
  package let keyID: [UInt8]
  /// What follows the key id; what it means depends on the type of the key.
  package let signature: [UInt8]

  /// The line as written, with its line feed.
  package var line: String { "\u{2014} \(name) \(StrictText.base64(keyID + signature))\n" }
}

/// A text with signature lines below it (C2SP signed-note), taken apart but not yet believed.
package struct SignedNote: Hashable, Sendable {
  /// One or more lines, the last one ended by a line feed.
  package let text: [UInt8]
  package let signatures: [NoteSignature]

  /// The most bytes and signature lines that are read.
  package static let longest = 1 << 20
  package static let mostSignatures = 100

  init(text: [UInt8], signatures: [NoteSignature]) {
    self.text = text
    self.signatures = signatures
  }

  /// Takes a note apart. Throws LEDG-010.
  package init(_ bytes: [UInt8]) throws(LedgerProblem) {
    guard bytes.count <= Self.longest else {
      throw LedgerProblem(.note, "it has more than \(Self.longest) bytes")
    }
    guard bytes.allSatisfy({ $0 >= Byte.space || $0 == Byte.lineFeed }) else {
      throw LedgerProblem(.note, "it holds a control character other than line feed")
    }
    guard String(validating: bytes, as: UTF8.self) != nil else {
      throw LedgerProblem(.note, "it is not UTF-8")
    }
    guard bytes.last == Byte.lineFeed else {
      throw LedgerProblem(.note, "its last line is not ended by a line feed")
    }
    // The last empty line divides: everything below it must be signatures.
    guard
      let blank = bytes.indices.dropFirst().dropLast().last(where: {
        bytes[$0] == Byte.lineFeed && bytes[$0 - 1] == Byte.lineFeed
      })
    else { throw LedgerProblem(.note, "no empty line followed by signatures") }
    let lines = bytes[(blank + 1)...].dropLast()
      .split(separator: Byte.lineFeed, omittingEmptySubsequences: false)
    guard lines.count <= Self.mostSignatures else {
      throw LedgerProblem(.note, "it has more than \(Self.mostSignatures) signature lines")
    }
    var signatures: [NoteSignature] = []
    for (number, line) in lines.enumerated() {
      guard let signature = NoteSignature(line: line) else {
        throw LedgerProblem(.note, "signature line \(number + 1) is malformed")
      }
      signatures.append(signature)
    }
    text = Array(bytes[..<blank])
    self.signatures = signatures
  }

  /// The note as written.
  package var bytes: [UInt8] {
    text + [Byte.lineFeed] + signatures.flatMap { Array($0.line.utf8) }
  }

  /// The signatures by trusted keys, each verified. Lines of unknown keys are passed over.
  /// Throws LEDG-011 if a line names a trusted key and does not verify: such a note was tampered
  /// with, and another good line does not mend it.
  func verified(
    by keys: [VerifierKey]
  ) throws(LedgerProblem) -> [(key: VerifierKey, signature: NoteSignature)] {
    var verified: [(key: VerifierKey, signature: NoteSignature)] = []
    for signature in signatures {
      // Names are compared as bytes: Swift's == would take two Unicode spellings for one.
      let matching = keys.filter {
        $0.id == signature.keyID && $0.name.utf8.elementsEqual(signature.name.utf8)
      }
      for key in matching {
        guard signature.isValid(for: text, by: key) else {
          throw LedgerProblem(.signatureWrong, "the key is \(key)")
        }
        verified.append((key, signature))
      }
    }
    return verified
  }
}

extension NoteSignature {
  private static let prefix = Array("\u{2014} ".utf8)

  init?(line: ArraySlice<UInt8>) {
    let fields = line.dropFirst(Self.prefix.count)
      .split(separator: Byte.space, omittingEmptySubsequences: false)
    guard line.starts(with: Self.prefix), fields.count == 2,
      let name = String(validating: fields[0], as: UTF8.self), VerifierKey.isAllowed(name: name),
      let text = String(validating: fields[1], as: UTF8.self),
      let blob = StrictText.bytes(base64: text), blob.count > 4
    else { return nil }
    self.init(name: name, keyID: Array(blob.prefix(4)), signature: Array(blob.dropFirst(4)))
  }

  /// The time a witness says it signed at, in seconds since 1970-01-01T00:00:00Z.
  var witnessTime: Int? {
    guard signature.count == 8 + 64 else { return nil }
    return Int(exactly: signature.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
  }

  func isValid(for text: [UInt8], by key: VerifierKey) -> Bool {
    switch key.kind {
    case .ledger:
      return signature.count == 64 && key.verifies(signature, over: text)
    case .witness:
      guard let time = witnessTime else { return false }
      let message = Array("cosignature/v1\ntime \(time)\n".utf8) + text
      return key.verifies(signature.dropFirst(8), over: message)
    }
  }
}
