import ArgumentParser
import Daemon
import Exchange
import Logging
import Store

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract:
      "Runs the daemon until SIGTERM; begins with the same check as `check`. Changes state.",
    discussion: """
      Examples:
        sallyport serve --config /etc/sallyport/sallyport.yaml
        sallyport serve --config /tmp/demo/config/sallyport.yaml --log-level debug

      Exit codes: 0 stopped in order, 69 the store or the port cannot be had, 70 the disk failed,
      78 the configuration is wrong.
      """)

  @OptionGroup var option: ConfigurationOption
  @Option(help: "trace, debug, info, notice, warning or error.") var logLevel = "info"

  func run() async throws {
    guard let level = Logger.Level(rawValue: logLevel) else {
      throw Say.failure(
        "no such log level", next: "sallyport serve --log-level info", exit: Exit.usage)
    }
    let installation = try option.installation()
    var log = Logger(label: "daemon") { JSONLogHandler(label: $0) }
    log.logLevel = level
    let listening = log
    do {
      let daemon = try SallyportDaemon(installation, version: Version.text, log: log)
      try await daemon.run { port in
        listening.notice("listening", metadata: ["port": "\(port)"])
      }
    } catch let error as StoreError {
      throw Say.failure(
        error.description, next: "sallyport check --config \(option.file)",
        exit: error.isFinal ? Exit.bug : Exit.unreachable)
    } catch let error as ExitCode {
      throw error
    } catch {
      throw Say.failure(
        "\(error)", next: "sallyport check --config \(option.file)", exit: Exit.unreachable)
    }
  }
}
