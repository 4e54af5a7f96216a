import ArgumentParser

enum Version {
  static let text = "0.1.0"
}

struct VersionCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "version", abstract: "Prints the version. Reads only.",
    discussion: """
      Examples:
        sallyport version
        sallyport version --json

      Exit codes: 0 always.
      """)

  @Flag(help: "One JSON document.") var json = false

  func run() {
    Say.answer(
      json ? #"{"program":"sallyport","version":"\#(Version.text)"}"# : "sallyport \(Version.text)")
  }
}
