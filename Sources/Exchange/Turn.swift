/// Whose turn it is when something cannot go on.
package enum Turn: String, Sendable, Codable, CaseIterable {
  /// Whoever sent us the bytes.
  case sender
  /// Whoever runs Sallyport: settings, keys, files, people to be asked.
  case `operator`
  /// Nobody's: it passes, and is tried again by itself.
  case network
  /// A fault of this program.
  case us
}
