/// One thing that is wrong with a ledger, a key, a proof or an entry, in plain words.
///
/// Thrown where one wrong thing ends the work, collected in a ``LedgerReport`` where the check goes
/// on. It never holds the content of an entry, a key or a signature.
package struct LedgerProblem: Error, Hashable, Sendable, CustomStringConvertible {
  package let code: Code
  /// The file concerned, relative to the ledger's folder; nil where bytes came without a name.
  package var file: String?
  /// The number of the entry or hash concerned, counted from 0 within the whole ledger (entries)
  /// or within its level (hashes); nil where the whole file is meant.
  package let index: Int?
  /// What exactly was found, as a clause that can follow the code's title.
  package let detail: String

  package init(_ code: Code, file: String? = nil, index: Int? = nil, _ detail: String) {
    self.code = code
    self.file = file
    self.index = index
    self.detail = detail
  }

  /// `LEDG-044 tile/entries/000.p/5, number 2: an entry and its recorded hash differ: …`.
  package var description: String {
    var place = file ?? ""
    if let index { place += place.isEmpty ? "number \(index)" : ", number \(index)" }
    return "\(code.rawValue) \(place.isEmpty ? "" : place + ": ")\(code.title): \(detail)"
  }

  /// The same problem with the name of the file it was found in.
  func found(in file: String) -> LedgerProblem {
    LedgerProblem(code, file: self.file ?? file, index: index, detail)
  }
}

extension LedgerProblem {
  /// Who has to act next.
  package enum Turn: String, Sendable {
    /// Whoever sent us the bytes.
    case sender
    /// Whoever runs the ledger, or gave the reader a key or a file.
    case `operator`
    /// A fault of this program.
    case us
  }

  /// Stable codes; each has a paragraph in the manual's chapter on errors.
  package enum Code: String, CaseIterable, Sendable {
    case keyName = "LEDG-001"
    case keyText = "LEDG-002"
    case keyID = "LEDG-003"
    case keyType = "LEDG-004"
    case keySeed = "LEDG-005"
    case signing = "LEDG-006"
    case note = "LEDG-010"
    case signatureWrong = "LEDG-011"
    case signatureMissing = "LEDG-012"
    case checkpoint = "LEDG-020"
    case origin = "LEDG-021"
    case checkpointName = "LEDG-022"
    case wentBack = "LEDG-030"
    case forked = "LEDG-031"
    case notPrefix = "LEDG-032"
    case fileMissing = "LEDG-040"
    case fileUnreadable = "LEDG-041"
    case tile = "LEDG-042"
    case bundle = "LEDG-043"
    case entryChanged = "LEDG-044"
    case hashChanged = "LEDG-045"
    case rootChanged = "LEDG-046"
    case tooLarge = "LEDG-047"
    case receipt = "LEDG-050"
    case notIncluded = "LEDG-051"
    case notInTree = "LEDG-052"
    case leaf = "LEDG-060"
    case commitment = "LEDG-061"
    case commitmentKey = "LEDG-062"

    /// What the code means, in a few words.
    package var title: String {
      switch self {
      case .keyName: "the name of a key is not allowed"
      case .keyText: "this is not a verifier key"
      case .keyID: "the id in the verifier key is not that of the key"
      case .keyType: "a key of this type cannot be used here"
      case .keySeed: "the seed of a signing key is not 32 bytes"
      case .signing: "signing failed"
      case .note: "this is not a signed note"
      case .signatureWrong: "the signature of a trusted key is wrong"
      case .signatureMissing: "no signature by the ledger's key"
      case .checkpoint: "the signed text is not a checkpoint"
      case .origin: "the checkpoint is of another ledger"
      case .checkpointName: "a kept checkpoint is not the one its file name says"
      case .wentBack: "the ledger is shorter than it was"
      case .forked: "two checkpoints of one size differ"
      case .notPrefix: "the ledger does not continue an earlier checkpoint"
      case .fileMissing: "a file that the checkpoint implies is missing"
      case .fileUnreadable: "a file cannot be read"
      case .tile: "a tile does not hold the hashes it must"
      case .bundle: "a bundle does not hold the entries it must"
      case .entryChanged: "an entry and its recorded hash differ"
      case .hashChanged: "a hash does not follow from the tile below"
      case .rootChanged: "the tree does not give the signed root"
      case .tooLarge: "an entry is longer than the format allows"
      case .receipt: "this is not a receipt"
      case .notIncluded: "the receipt does not prove this entry"
      case .notInTree: "there is no such entry in a ledger of this size"
      case .leaf: "this is not an entry in the ledger's form"
      case .commitment: "the detail is not the one that was recorded"
      case .commitmentKey: "a commitment key is not 32 bytes"
      }
    }

    /// Who has to act next.
    package var turn: Turn {
      switch self {
      case .keyName, .keyText, .keyID, .keyType, .keySeed, .wentBack, .forked, .notPrefix,
        .origin, .checkpointName, .fileMissing, .fileUnreadable, .tile, .bundle, .entryChanged,
        .hashChanged, .rootChanged, .signatureWrong, .signatureMissing, .checkpoint, .note:
        .operator
      case .receipt, .notIncluded, .notInTree, .commitment: .sender
      case .signing, .tooLarge, .leaf, .commitmentKey: .us
      }
    }

    /// What to do, as one sentence.
    package var nextStep: String {
      switch self {
      case .keyName: "Use a name without white space and without \"+\"."
      case .keyText, .keyID: "Ask the operator for the verifier key again, by another way."
      case .keyType: "Use a key of type 1 for the ledger and of type 4 for a witness."
      case .keySeed: "Give exactly 32 random bytes, or make a new key with \"keys rotate\"."
      case .note, .signatureWrong, .signatureMissing, .checkpoint, .origin, .checkpointName:
        "Keep the file, fetch it again, and compare the verifier key with the operator's."
      case .wentBack, .forked, .notPrefix:
        "Stop the daemon, keep both checkpoints as evidence, and look for a restored backup."
      case .fileMissing, .tile, .bundle, .hashChanged:
        "Keep the folder as it is; the daemon can write the files again from its store."
      case .fileUnreadable: "Look at permissions and at the disk, then run the check again."
      case .entryChanged, .rootChanged:
        "Keep the folder as evidence and compare the entry with the store and with receipts."
      case .signing, .tooLarge, .leaf, .commitmentKey:
        "Report it: the program must never write this."
      case .receipt, .notIncluded, .notInTree: "Ask for the receipt again, with its entry."
      case .commitment: "Ask for the detail and its key again; if it stays, treat it as altered."
      }
    }
  }
}
