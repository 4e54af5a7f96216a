import CCurl
import Foundation
import Synchronization

/// HTTPS over libcurl: mutual TLS, HTTP/1.1 connections kept alive, no redirects, no system proxies or
/// authorities, every answer bounded.
///
/// One thread of its own owns every libcurl handle; callers put requests into its inbox and wait. At most
/// `Settings.inFlight` requests are under way, `perLane` of each lane; others wait their turn, lane by
/// lane.
package final class HTTPSTransport: Sendable {
  package struct Settings: Sendable {
    /// Requests under way at once.
    package var inFlight = 256
    /// Of these, of one lane.
    package var perLane = 8
    /// Under way and waiting; above it a request fails with `overloaded`.
    package var outstanding = 4096
    /// Bytes of unfinished answers held at once; above it the answer that grows fails with `overloaded`.
    package var bufferedBytes = 256 * 1_048_576

    package init() {}
  }

  private let core: TransportCore

  /// Starts the thread.
  /// - Throws: `shutDown` when libcurl cannot start.
  package init(_ settings: Settings = Settings()) throws(TransportError) {
    guard curlIsReady, let multi = curl_multi_init() else {
      throw TransportError(.shutDown, detail: "libcurl did not start")
    }
    _ = ccurl_multi_set_long(multi, CURLMOPT_MAXCONNECTS, settings.inFlight)
    _ = ccurl_multi_set_long(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 0)
    let handle = MultiHandle(raw: multi)
    let core = TransportCore(multi: handle, outstandingLimit: settings.outstanding)
    self.core = core
    let thread = Thread {
      TransferLoop(core: core, multi: handle.raw, settings: settings).run()
    }
    thread.name = "mesh-https"
    thread.start()
  }

  deinit { core.stop(nil) }

  /// Sends a request once and waits for the whole answer. A request is never sent a second time by the
  /// transport itself, not even when a kept connection turns out to be closed.
  package func perform(_ request: HTTPSRequest) async throws(TransportError) -> HTTPSResponse {
    try request.check()
    let number = core.nextNumber()
    let result = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        core.submit(TransferJob(number: number, request: request, continuation: continuation))
        // A cancellation before the line above found nothing to cancel.
        if Task.isCancelled { core.cancel(number, lane: request.lane) }
      }
    } onCancel: {
      core.cancel(number, lane: request.lane)
    }
    return try result.get()
  }

  /// Fails everything that is under way or waiting, and returns when the thread has let go of libcurl.
  package func shutdown() async {
    await withCheckedContinuation { core.stop($0) }
  }
}

/// libcurl wants one call before all others; a global is initialised once, by one thread.
private let curlIsReady = curl_global_init(Int(CURL_GLOBAL_ALL)) == CURLE_OK

/// Unchecked because a raw pointer is not Sendable: everything but `curl_multi_wakeup` is called on the
/// loop's thread, and `curl_multi_wakeup`, which libcurl allows from any thread, only under the lock of
/// `TransportCore` and before the loop has taken the handle out of it.
struct MultiHandle: @unchecked Sendable {
  let raw: UnsafeMutableRawPointer
}

struct TransferJob: Sendable {
  let number: UInt64
  let request: HTTPSRequest
  let continuation: CheckedContinuation<Result<HTTPSResponse, TransportError>, Never>
}

/// What callers and the loop share.
final class TransportCore: Sendable {
  struct News: Sendable {
    var jobs: [TransferJob] = []
    var cancelled: [(number: UInt64, lane: String)] = []
    var stopping = false
  }

  private struct State {
    var news = News()
    var number: UInt64 = 0
    var outstanding = 0
    /// Nil once the loop has ended.
    var multi: MultiHandle?
    var waitingForEnd: [CheckedContinuation<Void, Never>] = []

    func wake() {
      if let multi { _ = curl_multi_wakeup(multi.raw) }
    }
  }

  private let state: Mutex<State>
  private let outstandingLimit: Int

  init(multi: MultiHandle, outstandingLimit: Int) {
    var state = State()
    state.multi = multi
    self.state = Mutex(state)
    self.outstandingLimit = outstandingLimit
  }

  func nextNumber() -> UInt64 {
    state.withLock {
      $0.number += 1
      return $0.number
    }
  }

  func submit(_ job: TransferJob) {
    let refusal: TransportError.Kind? = state.withLock { state in
      guard state.multi != nil, !state.news.stopping else { return .shutDown }
      guard state.outstanding < outstandingLimit else { return .overloaded }
      state.outstanding += 1
      state.news.jobs.append(job)
      if state.news.jobs.count == 1 { state.wake() }
      return nil
    }
    if let refusal { job.continuation.resume(returning: .failure(TransportError(refusal))) }
  }

  func cancel(_ number: UInt64, lane: String) {
    state.withLock { state in
      guard state.multi != nil else { return }
      state.news.cancelled.append((number, lane))
      if state.news.cancelled.count == 1 { state.wake() }
    }
  }

  func stop(_ continuation: CheckedContinuation<Void, Never>?) {
    let ended = state.withLock { state in
      guard state.multi != nil else { return true }
      state.news.stopping = true
      if let continuation { state.waitingForEnd.append(continuation) }
      state.wake()
      return false
    }
    if ended { continuation?.resume() }
  }

  // MARK: Called by the loop

  func take() -> News {
    state.withLock { state in
      let news = state.news
      state.news = News(stopping: news.stopping)
      return news
    }
  }

  func finish(_ job: TransferJob, _ result: Result<HTTPSResponse, TransportError>) {
    state.withLock { $0.outstanding -= 1 }
    job.continuation.resume(returning: result)
  }

  /// Takes the handle away from callers; the jobs that came in meanwhile are the loop's to fail.
  func close() -> [TransferJob] {
    state.withLock { state in
      state.multi = nil
      let jobs = state.news.jobs
      state.news = News(stopping: true)
      return jobs
    }
  }

  func ended() {
    let waiting = state.withLock { state in
      defer { state.waitingForEnd = [] }
      return state.waitingForEnd
    }
    for continuation in waiting { continuation.resume() }
  }
}
