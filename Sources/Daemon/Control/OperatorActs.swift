import Exchange
import Logging
import Rules
import Store

/// Does what an operator asked for, if rules and state allow it, and wakes who goes on from there.
struct OperatorActs: Sendable {
  let store: Store
  let regime: RegimeInForce
  let board: InboxBoard
  let now: @Sendable () -> Instant
  let log: Logger
  /// A held exchange is to be decided again.
  let onConfirmed: @Sendable () -> Void
  /// A message waits to be opened again.
  let onRequeued: @Sendable () -> Void

  /// - Parameter officer: who asks, as it is recorded.
  func perform(_ request: ControlRequest, by officer: String) async -> ControlAnswer {
    if case .poll(let inbox) = request { return await poll(inbox) }
    do {
      return .done(try await act(request, by: officer))
    } catch let problem as ControlProblem {
      return refused(ControlAnswer.Refusal(code: problem.code, text: problem.text))
    } catch let error as StoreError {
      return refused(ControlAnswer.Refusal(code: error.code, text: error.text))
    } catch {
      return refused(
        ControlAnswer.Refusal(code: ControlProblem.busy.code, text: ControlProblem.busy.text))
    }
  }

  private func refused(_ refusal: ControlAnswer.Refusal) -> ControlAnswer {
    log.notice("operator's act refused", metadata: ["code": "\(refusal.code)"])
    return .refused(refusal)
  }

  private func act(
    _ request: ControlRequest, by officer: String
  ) async throws -> ControlAnswer.Done {
    switch request {
    // Answered before: it changes nothing here.
    case .poll: throw ControlProblem.malformed("do")
    case .confirm(let exchange, let rule, let reason):
      let held = try await store.heldExchange(exchange)
      // Nobody answers for something else than they were shown.
      guard held.code == rule else { throw ControlProblem.waitsFor(code: held.code) }
      guard mayConfirm(rule, of: held.notification.type) else {
        throw ControlProblem.notConfirmable(rule: rule)
      }
      let entry = try await store.confirm(
        exchange, rule: rule, by: officer, reason: reason, at: now())
      log.notice(
        "hold confirmed by operator", metadata: ["exchange": "\(exchange)", "code": "\(rule)"])
      onConfirmed()
      return ControlAnswer.Done(by: officer, entry: entry, recipientHasIt: false)
    case .requeue(let exchange, let reason):
      let entry = try await store.requeue(exchange, by: officer, reason: reason, at: now())
      log.notice("requeued by operator", metadata: ["exchange": "\(exchange)"])
      onRequeued()
      return ControlAnswer.Done(by: officer, entry: entry, recipientHasIt: false)
    case .withdraw(let delivery, let reason):
      let action = try await store.withdraw(delivery, reason: reason, by: officer, at: now())
      guard action != .none else { throw ControlProblem.deliveryOver }
      log.notice(
        "delivery withdrawn by operator",
        metadata: ["delivery": "\(delivery)", "code": "\(reason)"])
      return ControlAnswer.Done(
        by: officer, entry: nil, recipientHasIt: action == .removeAndTellRecipient)
    }
  }

  /// Others wait meanwhile: not longer than they are ready to.
  private static let pollPatience = Duration.seconds(10)

  private func poll(_ inbox: String) async -> ControlAnswer {
    log.notice("poll asked for by operator", metadata: ["inbox": "\(inbox)"])
    switch await board.poll(inbox, patience: OperatorActs.pollPatience) {
    case .unknown: return .refused(ControlProblem.noSuchInbox)
    case .underWay: return .refused(ControlProblem.pollUnderWay)
    case .answered(let answer):
      return PollAnswer(inbox, answer).map { .polled($0) } ?? .refused(ControlProblem.busy)
    }
  }

  /// Whether a signature of long ago still holds, or one whose certificate was revoked since, is for a
  /// person to find out; of the rules, they say so.
  private func mayConfirm(_ rule: String, of type: NotificationType) -> Bool {
    [IntakeReason.signedLongAgo, .signerWithdrawn].contains { $0.rawValue == rule }
      || regime.current.policy.canConfirm(rule, of: type)
  }
}
