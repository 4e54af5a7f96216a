/// What a full check of a ledger found.
package struct LedgerReport: Sendable {
  /// The signed checkpoint that everything was compared with; nil if there is none to believe.
  package internal(set) var checkpoint: SignedCheckpoint?
  /// How many entries were read and found to be the recorded ones.
  package internal(set) var entriesChecked = 0
  /// How many earlier checkpoints were found to be exact beginnings of the ledger.
  package internal(set) var checkpointsChecked = 0
  /// In the order found, from the first entry on.
  package internal(set) var problems: [LedgerProblem] = []
  /// True if the check was broken off because it had found as many problems as it was to report.
  package internal(set) var stoppedEarly = false

  package var size: Int? { checkpoint?.size }
  package var root: LedgerHash? { checkpoint?.root }
  /// Every entry, every tile, the root and every earlier checkpoint hold.
  package var isSound: Bool { checkpoint != nil && problems.isEmpty }
}

/// A checkpoint that the reader kept from before: from an earlier check, or out of a receipt.
package struct HeldCheckpoint: Hashable, Sendable {
  /// What to call it in the report.
  package let name: String
  /// The note, byte for byte.
  package let bytes: [UInt8]

  package init(name: String, bytes: [UInt8]) {
    self.name = name
    self.bytes = bytes
  }
}
