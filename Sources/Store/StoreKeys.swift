import Crypto
import Synchronization

/// The keys of one store: they never lie in it.
package struct StoreKeys: Sendable {
  /// A store key: wraps the key of each exchange and each case.
  package struct StoreKey: Sendable {
    /// From 1; the highest is in use, lower ones still open what they closed.
    package let version: Int
    let key: SymmetricKey

    /// Throws STOR-021 unless there are 32 bytes and the version is positive.
    package init(version: Int, bytes: [UInt8]) throws(StoreError) {
      guard bytes.count == 32, version > 0 else { throw .keyForm }
      self.version = version
      key = SymmetricKey(data: bytes)
    }
  }

  let current: StoreKey
  let all: [Int: StoreKey]
  let lookup: SymmetricKey

  /// - Parameters:
  ///   - store: what new keys are wrapped with.
  ///   - earlier: what older ones were wrapped with.
  ///   - lookup: 32 bytes; keys the look-up hashes and the references of persons, and is not rotated.
  package init(
    store: StoreKey, earlier: [StoreKey] = [], lookup: [UInt8]
  ) throws(StoreError) {
    guard lookup.count == 32 else { throw .keyForm }
    current = store
    all = Dictionary((earlier + [store]).map { ($0.version, $0) }) { _, last in last }
    self.lookup = SymmetricKey(data: lookup)
  }
}

/// The keys as they are now; exchanged while the store is in use.
final class StoreKeysInForce: Sendable {
  private let value: Mutex<StoreKeys>

  init(_ keys: StoreKeys) { value = Mutex(keys) }

  var current: StoreKeys { value.withLock { $0 } }

  func swap(for keys: StoreKeys) { value.withLock { $0 = keys } }
}
