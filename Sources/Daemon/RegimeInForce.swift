import Synchronization

/// The rules and keys in force, swapped as a whole.
package final class RegimeInForce: Sendable {
  private let value: Mutex<Regime>

  package init(_ regime: Regime) { value = Mutex(regime) }

  package var current: Regime { value.withLock { $0 } }

  package func swap(for regime: Regime) { value.withLock { $0 = regime } }
}
