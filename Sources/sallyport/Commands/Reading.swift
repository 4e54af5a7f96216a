import ArgumentParser
import Daemon
import Exchange
import Glibc
import Store

/// What a command reads from: the store beside a running daemon, or without one.
struct Reading {
  let configuration: Configuration
  let store: Store
  let daemonIsRunning: Bool

  init(_ option: ConfigurationOption) async throws {
    (configuration, store) = try option.opened()
    let client = ControlClient(
      socketFile: configuration.control.socketFile, patience: .seconds(2))
    daemonIsRunning = await client.isRunning()
  }

  /// As documents say it.
  var daemon: String { daemonIsRunning ? "running" : "not running" }

  /// Says beside the answer that it may be old.
  func noteDaemon() {
    if !daemonIsRunning { Say.talk("daemon: not running; this is what the store holds") }
  }

  /// Asks the store; what it cannot answer ends the command.
  func ask<Value>(_ work: () async throws(StoreError) -> Value) async throws -> Value {
    do throws(StoreError) {
      return try await work()
    } catch {
      throw Say.failure(error.description, next: "sallyport check", exit: Exit.data)
    }
  }
}

/// How many lines at most.
struct LimitOption: ParsableArguments {
  @Option(help: "How many of each at most, 1 to 1000.") var limit = 100

  func check() throws {
    guard (1...1000).contains(limit) else {
      throw Say.failure("--limit is to be 1 to 1000", next: "--limit 100", exit: Exit.usage)
    }
  }
}

extension Instant {
  /// For people: `Fri 27 Nov 2026 17:00:05 GMT`, in the zone of whoever asks.
  var local: String { formatted("%a %d %b %Y %H:%M:%S %Z") }

  /// `17:00:05`.
  var localTime: String { formatted("%H:%M:%S") }

  private func formatted(_ format: String) -> String {
    var seconds = time_t(milliseconds / 1000)
    var parts = tm()
    guard localtime_r(&seconds, &parts) != nil else { return description }
    var text = [CChar](repeating: 0, count: 64)
    let length = strftime(&text, text.count, format, &parts)
    return String(decoding: text.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

extension Duration {
  /// In one unit: `40 s`, `6 min`, `5 h`, `4 days`.
  var words: String {
    let seconds = Int(self / .seconds(1))
    return switch seconds {
    case ..<120: "\(seconds) s"
    case ..<7200: "\(seconds / 60) min"
    case ..<172_800: "\(seconds / 3600) h"
    default: "\(seconds / 86_400) days"
    }
  }
}
