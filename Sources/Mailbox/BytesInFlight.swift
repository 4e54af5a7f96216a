import Synchronization

/// Bounds the bytes of messages that are in hand at one time, over all inboxes and workers together.
///
/// Whoever is about to fetch or open a message takes a share first, and waits in line while there is none:
/// nothing is dropped, and a backlog stays where it is safe, in inboxes and in the store. A share goes back
/// with the last reference to it. One message takes one share and never a second: two that did could wait
/// for each other for ever.
package final class BytesInFlight: Sendable {
  private struct Waiting {
    let number: UInt64
    let count: Int
    let continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var used = 0
    var most = 0
    var number: UInt64 = 0
    var line: [Waiting] = []

    /// Those at the head of the line for whom there is room now.
    mutating func admit(_ capacity: Int) -> [CheckedContinuation<Bool, Never>] {
      var admitted: [CheckedContinuation<Bool, Never>] = []
      while let first = line.first, used + first.count <= capacity {
        take(first.count)
        admitted.append(line.removeFirst().continuation)
      }
      return admitted
    }

    mutating func take(_ count: Int) {
      used += count
      most = max(most, used)
    }
  }

  package let capacity: Int
  private let state = Mutex(State())

  /// - Parameter capacity: in bytes, at least 1; that of the largest message or more.
  package init(capacity: Int) { self.capacity = max(1, capacity) }

  /// Taken now.
  package var used: Int { state.withLock { $0.used } }
  /// The most that was ever taken at one time.
  package var most: Int { state.withLock { $0.most } }
  /// How many wait in line.
  package var waiting: Int { state.withLock { $0.line.count } }

  /// Waits, in the order of asking, until so many bytes are free. More than the capacity counts as all of
  /// it.
  ///
  /// - Throws: `CancellationError` when the task is cancelled while it waits.
  package func share(of count: Int) async throws(CancellationError) -> BytesShare {
    let count = min(max(0, count), capacity)
    let number = state.withLock { state in
      state.number += 1
      return state.number
    }
    let isAdmitted = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let now = state.withLock { state in
          state.line.append(Waiting(number: number, count: count, continuation: continuation))
          return state.admit(capacity)
        }
        for each in now { each.resume(returning: true) }
        // A cancellation before the line above found nobody to send away.
        if Task.isCancelled { leave(number) }
      }
    } onCancel: {
      leave(number)
    }
    guard isAdmitted else { throw CancellationError() }
    return BytesShare(self, count)
  }

  private func leave(_ number: UInt64) {
    let (left, now) = state.withLock { state in
      guard let place = state.line.firstIndex(where: { $0.number == number }) else {
        return (CheckedContinuation<Bool, Never>?.none, [CheckedContinuation<Bool, Never>]())
      }
      let left = state.line.remove(at: place).continuation
      // Behind one who wanted much there may be some who want little.
      return (left, state.admit(capacity))
    }
    left?.resume(returning: false)
    for each in now { each.resume(returning: true) }
  }

  fileprivate func give(_ count: Int) {
    let now = state.withLock { state in
      state.used -= count
      return state.admit(capacity)
    }
    for each in now { each.resume(returning: true) }
  }
}

/// Bytes taken from ``BytesInFlight``, given back when the last reference goes.
package final class BytesShare: Sendable {
  private let flight: BytesInFlight
  private let held: Mutex<Int>

  fileprivate init(_ flight: BytesInFlight, _ count: Int) {
    self.flight = flight
    held = Mutex(count)
  }

  /// Gives back what turned out not to be needed; never takes more.
  package func shrink(to count: Int) {
    let spare = held.withLock { held in
      let spare = max(0, held - max(0, count))
      held -= spare
      return spare
    }
    if spare > 0 { flight.give(spare) }
  }

  deinit { flight.give(held.withLock { $0 }) }
}
