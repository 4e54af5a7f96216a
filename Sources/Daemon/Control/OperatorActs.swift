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
  let version: String
  /// A held exchange is to be decided again.
  let onConfirmed: @Sendable () -> Void
  /// A message waits to be opened again.
  let onRequeued: @Sendable () -> Void
  /// Keys and reload; nil where there is nothing but a store.
  var installation: InstallationInForce?

  /// - Parameter officer: who asks, as it is recorded.
  func perform(_ request: ControlRequest, by officer: String) async -> ControlAnswer {
    do {
      switch request {
      case .poll(let inbox): return await poll(inbox)
      case .hello: return .running(version: version)
      case .look(let what): return .standing(.init(try await store.standing(of: what)))
      case .keys(let act):
        guard let installation else { throw ControlProblem.malformed("do") }
        return .keys(by: officer, try await installation.perform(act, by: officer).json)
      case .reload:
        guard let installation else { throw ControlProblem.malformed("do") }
        return OperatorActs.answer(to: try await installation.reload())
      case .confirm, .requeue, .withdraw, .hold, .endHold, .discard:
        return .done(try await act(request, by: officer))
      }
    } catch let problem as ControlProblem {
      return refused(ControlAnswer.Refusal(code: problem.code, text: problem.text))
    } catch let error as StoreError {
      return refused(ControlAnswer.Refusal(code: error.code, text: error.text))
    } catch let problem as KeyRingProblem {
      return refused(ControlAnswer.Refusal(code: problem.code, text: problem.text))
    } catch let problems as ConfigurationProblems {
      return OperatorActs.answer(to: .refused(problems))
    } catch {
      return refused(
        ControlAnswer.Refusal(code: ControlProblem.busy.code, text: ControlProblem.busy.text))
    }
  }

  /// As many problems as an answer has room for.
  private static func answer(to outcome: ReloadOutcome) -> ControlAnswer {
    let lines: [String]
    switch outcome {
    case .done(let changes): lines = changes
    case .refused(let problems): lines = problems.list.map(\.description)
    }
    var (kept, room) = ([String](), ControlSocket.maximumLine - 1024)
    for line in lines {
      // In JSON a character may take up to six.
      room -= line.utf8.count * 2 + 16
      guard room > 0 else { break }
      kept.append(line)
    }
    if kept.count < lines.count { kept.append("and \(lines.count - kept.count) more") }
    guard case .refused(let problems) = outcome else { return .reloaded(kept) }
    return .refused(
      ControlAnswer.Refusal(
        code: problems.list.first?.code ?? "CONF-010",
        text: "nothing was changed: \(lines.count) problem(s)", problems: kept))
  }

  private func refused(_ refusal: ControlAnswer.Refusal) -> ControlAnswer {
    log.notice("operator's act refused", metadata: ["code": "\(refusal.code)"])
    return .refused(refusal)
  }

  private func act(
    _ request: ControlRequest, by officer: String
  ) async throws -> ControlAnswer.Done {
    switch request {
    // Answered before: they change nothing.
    case .hello, .look, .poll, .keys, .reload: throw ControlProblem.malformed("do")
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
      return ControlAnswer.Done(by: officer, entry: entry)
    case .requeue(let exchange, let reason):
      let entry = try await store.requeue(exchange, by: officer, reason: reason, at: now())
      log.notice("requeued by operator", metadata: ["exchange": "\(exchange)"])
      onRequeued()
      return ControlAnswer.Done(by: officer, entry: entry)
    case .withdraw(let delivery, let reason):
      let action = try await store.withdraw(delivery, reason: reason, by: officer, at: now())
      guard action != .none else { throw ControlProblem.deliveryOver }
      log.notice(
        "delivery withdrawn by operator",
        metadata: ["delivery": "\(delivery)", "code": "\(reason)"])
      return ControlAnswer.Done(
        by: officer, entry: nil, recipientHasIt: action == .removeAndTellRecipient)
    case .hold(let exchange, let reason):
      let change = try await store.hold(exchange, by: officer, reason: reason, at: now())
      log.notice("put on hold by operator", metadata: ["exchange": "\(exchange)"])
      return ControlAnswer.Done(
        by: officer, entry: change.entry, copies: change.deliveries.count)
    case .endHold(let exchange, let reason):
      let change = try await store.endHold(exchange, by: officer, reason: reason, at: now())
      log.notice("released by operator", metadata: ["exchange": "\(exchange)"])
      onConfirmed()
      onRequeued()
      return ControlAnswer.Done(
        by: officer, entry: change.entry, copies: change.deliveries.count)
    case .discard(let exchange, let reason):
      let policy = regime.current.policy
      let entry = try await store.discard(exchange, by: officer, reason: reason, at: now()) {
        policy.receipt(.setAside, codes: [$0], to: $1)
      }
      log.notice("discarded by operator", metadata: ["exchange": "\(exchange)"])
      return ControlAnswer.Done(by: officer, entry: entry)
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
