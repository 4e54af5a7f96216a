import Exchange
import Mailbox
import Yams

// Settings of other people's services.
extension SettingsReader {
  /// One of a few words.
  func word(_ key: String, among words: [String], default standard: String) -> String {
    guard let node = node(key, required: false) else { return standard }
    guard let text = node.string, words.contains(text) else {
      wrong(key, node, words.joined(separator: " or "))
      return standard
    }
    return text
  }

  func proxyURL(_ key: String) -> String? {
    guard let node = node(key, required: false) else { return nil }
    guard let text = node.string, (try? HTTPSProxy(url: text)) != nil else {
      wrong(key, node, "an address such as http://proxy.example.org:3128")
      return nil
    }
    return text
  }

  func identifiers<Value: Identifier>(
    _ key: String, of form: String, _ parse: (String) -> Value?
  ) -> [Value]? {
    guard let node = node(key, required: true) else { return nil }
    guard let items = node.sequence, !items.isEmpty else {
      wrong(key, node, "a list of \(form)")
      return nil
    }
    let values = items.compactMap { $0.string.flatMap(parse) }
    guard values.count == items.count else {
      wrong(key, node, "a list of \(form)")
      return nil
    }
    return values
  }
}
