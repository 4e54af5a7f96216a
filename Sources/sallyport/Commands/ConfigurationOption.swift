import ArgumentParser
import Daemon
import Exchange
import Store

/// `--config`, the same for every command that reads the installation.
struct ConfigurationOption: ParsableArguments {
  @Option(name: .customLong("config"), help: "The configuration file.")
  var file = "/etc/sallyport/sallyport.yaml"

  func installation() throws -> Installation {
    do {
      return try Installation.load(configurationFile: file)
    } catch {
      throw refused(error)
    }
  }

  /// What it takes to reach the daemon: neither keys nor store.
  func configuration() throws -> Configuration {
    do {
      return try Installation.configuration(file: file)
    } catch {
      throw refused(error)
    }
  }

  /// The store for reading, beside a running daemon or without one.
  func opened() throws -> (configuration: Configuration, store: Store) {
    do {
      let (configuration, ring) = try Installation.keys(configurationFile: file)
      return (
        configuration,
        try Store.open(
          directory: configuration.stateDirectory, keys: ring.storeKeys(), mode: .reader)
      )
    } catch let problems as ConfigurationProblems {
      throw refused(problems)
    } catch let error as StoreError {
      throw Say.failure(
        error.description, next: "sallyport check --config \(file)", exit: Exit.unreachable)
    }
  }

  private func refused(_ problems: ConfigurationProblems) -> ExitCode {
    for problem in problems.list { Say.talk("✗ \(problem.description)") }
    return Say.failure(
      "\(problems.list.count) problem(s) in the configuration",
      next: "sallyport check --config \(file)", exit: Exit.configuration)
  }
}

/// Exchanges are named by their id or the beginning of it.
struct ExchangeArgument: ParsableArguments {
  @Argument(help: "The exchange's id, or at least its first four characters.") var id: String

  init() {}

  init(_ id: String) { self.id = id }

  /// Of a repeat, the exchange that came first.
  func first(of view: ExchangeView, in store: Store) async throws(StoreError) -> ExchangeView? {
    guard let first = view.first else { return nil }
    return try await store.exchange(first.text)
  }

  func check() throws {
    guard id.count >= 4 else {
      throw Say.failure(
        "\(id) is too short: other ids begin so too", next: "give at least four characters",
        exit: Exit.badAnswer)
    }
  }

  func view(in store: Store) async throws -> ExchangeView {
    try check()
    do {
      return try await store.exchange(id)
    } catch {
      throw Say.failure(error.description, next: "sallyport status", exit: Exit.badAnswer)
    }
  }
}
