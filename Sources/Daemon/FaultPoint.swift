package import Exchange

#if DEBUG
  import Glibc
  import Synchronization
#endif

/// Named places between two durable or external steps (docs/architecture.md lists them).
///
/// In debug builds the environment variable `SALLYPORT_FAULT` names one, and the process ends itself there
/// with SIGKILL, as a power cut would; `NAME:3` lets the first two passes go by, and `NAME@ID` all but
/// those of the message that the carrier calls so. Release builds hold nothing of this.
package enum FaultPoint: String, CaseIterable, Sendable {
  case afterList = "after-list"
  case afterDownload = "after-download"
  case afterAttempt = "after-attempt"
  case afterOpen = "after-open"
  case afterDecide = "after-decide"
  case afterSeal = "after-seal"
  case beforeCommit = "before-commit"
  case afterCommit = "after-commit"
  case beforeAcknowledge = "before-acknowledge"
  case beforeRawCommit = "before-raw-commit"
  case afterRawCommit = "after-raw-commit"
  case beforeHandOver = "before-hand-over"
  case beforeCollected = "before-collected"
  case afterCollected = "after-collected"
  case beforeSend = "before-send"
  case afterSend = "after-send"
  case beforeReconsider = "before-reconsider"
  case afterReconsider = "after-reconsider"
  case beforePublish = "before-publish"
  case afterPublish = "after-publish"
  case beforeRingRename = "before-ring-rename"
  case afterRingRename = "after-ring-rename"
  case duringRewrap = "during-rewrap"

  /// Those that are passed only while keys are changed.
  package static let ofKeys: [FaultPoint] = [.beforeRingRename, .afterRingRename, .duringRewrap]
  case beforeReceipt = "before-receipt"
  case afterReceipt = "after-receipt"

  #if DEBUG
    private static let chosen: (name: String, pass: Int, message: String?)? = {
      guard let value = getenv("SALLYPORT_FAULT") else { return nil }
      let words = String(cString: value).split(separator: "@", maxSplits: 1)
      let parts = words.first?.split(separator: ":") ?? []
      let pass = parts.dropFirst().first.flatMap { Int($0) } ?? 1
      return parts.first.map { (String($0), pass, words.dropFirst().first.map(String.init)) }
    }()
    private static let passes = Mutex(0)
  #endif

  /// Ends the process here if this is the point that the environment names.
  ///
  /// - Parameter message: the message at hand, where there is one.
  package func reached(with message: CarrierMessageID? = nil) {
    #if DEBUG
      guard let chosen = FaultPoint.chosen, chosen.name == rawValue,
        chosen.message == nil || chosen.message == message?.text
      else { return }
      let pass = FaultPoint.passes.withLock { passes in
        passes += 1
        return passes
      }
      if pass == chosen.pass { kill(getpid(), SIGKILL) }
    #endif
  }
}
