import Crypto
import Exchange

extension InboxCursor {
  /// A position as clients get it: opaque, 28 characters, only for this mailbox. Holds all it needs, so
  /// it survives a restart and the acknowledgement of what it points behind.
  ///
  /// The check part is there to tell a cursor from a slip of the pen, not to keep a secret: whoever
  /// makes one up only pages within their own inbox.
  static func text(position: Int64, mailbox: MailboxID) -> String {
    let number = hex(UInt64(bitPattern: position), digits: 16)
    return "c1_" + number + "_" + check(number, mailbox)
  }

  /// Reads a position of this mailbox or, as version 1 clients send, a message id. Nil for anything else.
  init?(_ text: String, mailbox: MailboxID) {
    if text.hasPrefix("c1_") {
      let parts = text.dropFirst(3).split(separator: "_", omittingEmptySubsequences: false)
      guard parts.count == 2, parts[0].utf8.count == 16,
        parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
        let bits = UInt64(parts[0], radix: 16), let position = Int64(exactly: bits),
        parts[1] == Self.check(String(parts[0]), mailbox)
      else { return nil }
      self = .position(position)
    } else if let id = CarrierMessageID(text) {
      self = .message(id)
    } else {
      return nil
    }
  }

  private static func check(_ number: String, _ mailbox: MailboxID) -> String {
    let digest = SHA256.hash(data: Array("\(mailbox):\(number)".utf8))
    return digest.prefix(4).map { hex(UInt64($0), digits: 2) }.joined()
  }
}

extension HostedBox {
  /// A position of a listing with metadata as clients get it; likewise opaque.
  func cursor(position: Int64, mailbox: MailboxID) -> String {
    InboxCursor.text(position: position, mailbox: mailbox).replacing("c1_", with: mark)
  }

  /// Nil for anything but a position of this side of this mailbox.
  func position(_ text: String, mailbox: MailboxID) -> Int64? {
    guard text.hasPrefix(mark),
      case .position(let position) = InboxCursor("c1_" + text.dropFirst(3), mailbox: mailbox)
    else { return nil }
    return position
  }

  private var mark: String { self == .inbox ? "i1_" : "o1_" }
}

/// Lower-case, with leading zeros.
func hex(_ number: UInt64, digits: Int) -> String {
  let text = String(number, radix: 16)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}
