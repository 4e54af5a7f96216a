import Exchange

extension Policy {
  /// Decides one notification. Every known field of every recipient gets an outcome with rule,
  /// source and plain words; unknown fields are only counted.
  package func decide(_ request: DecisionRequest) -> Decision {
    let notification = request.notification
    guard let table = tables[notification.type] else {
      return refused(request, by: BuiltInRule.unknownType, rule: nil)
    }
    guard let sender = party(notification.source) else {
      return refused(request, by: BuiltInRule.senderUnknown, rule: table.rule)
    }
    var hearing = Hearing(policy: self, table: table, request: request, sender: sender)
    return hearing.decision()
  }

  private func refused(
    _ request: DecisionRequest, by reason: Reason, rule: NotificationRule?
  ) -> Decision {
    let notification = request.notification
    let unknown = notification.data.keys.count { name in
      rule?.fields.contains { $0.name == name } != true
    }
    return Decision(
      outcome: .refused, type: notification.type, sender: notification.source, reasons: [reason],
      purpose: rule?.purpose ?? "", basis: notification.basis ?? rule?.bases.first?.code ?? "",
      recipients: [], factChanges: [], registersCase: false, answersDeadline: false,
      unknownFields: unknown, urgent: rule?.urgent ?? false, rulebookDigest: rulebook.digest,
      agreementDigest: agreement.digest)
  }
}
