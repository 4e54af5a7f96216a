import CCurl

/// The transport's thread: starts requests lane by lane, lets libcurl work, hands out the answers.
///
/// Made, run and dropped on that thread; no other touches it.
final class TransferLoop {
  private struct Lane {
    var waiting: [TransferJob] = []
    var running = 0
    /// Whether the lane stands in `ready`.
    var isReady = false
  }

  private let core: TransportCore
  private let multi: UnsafeMutableRawPointer
  private let settings: HTTPSTransport.Settings
  private let budget: ByteBudget
  private var lanes: [String: Lane] = [:]
  /// Lanes that may start a request, in turn.
  private var ready: [String] = []
  private var running: [UnsafeMutableRawPointer: Transfer] = [:]
  /// Easy handles to use again; their connections belong to the multi handle.
  private var idle: [UnsafeMutableRawPointer] = []

  init(core: TransportCore, multi: UnsafeMutableRawPointer, settings: HTTPSTransport.Settings) {
    (self.core, self.multi, self.settings) = (core, multi, settings)
    budget = ByteBudget(limit: settings.bufferedBytes)
  }

  func run() {
    while true {
      let news = core.take()
      if news.stopping {
        for job in news.jobs { core.finish(job, .failure(TransportError(.shutDown))) }
        break
      }
      for job in news.jobs { enqueue(job) }
      for (number, lane) in news.cancelled { cancel(number, lane: lane) }
      start()
      var unfinished: Int32 = 0
      // Fails only on misuse or when memory is out: then nothing here can be trusted any more.
      guard curl_multi_perform(multi, &unfinished) == CURLM_OK else { break }
      if collect() == 0 {
        // libcurl shortens the wait to its own next timeout; news ends it at once.
        guard curl_multi_poll(multi, nil, 0, 10_000, nil) == CURLM_OK else { break }
      }
    }
    end()
  }

  private func enqueue(_ job: TransferJob) {
    lanes[job.request.lane, default: Lane()].waiting.append(job)
    offer(job.request.lane)
  }

  /// Puts the lane in line if it has something to start and may.
  private func offer(_ name: String) {
    guard var lane = lanes[name] else { return }
    if lane.waiting.isEmpty && lane.running == 0 {
      lanes[name] = nil
      return
    }
    guard !lane.isReady, !lane.waiting.isEmpty, lane.running < settings.perLane else { return }
    lane.isReady = true
    lanes[name] = lane
    ready.append(name)
  }

  private func start() {
    while running.count < settings.inFlight, !ready.isEmpty {
      let name = ready.removeFirst()
      lanes[name]?.isReady = false
      guard lanes[name]?.waiting.isEmpty == false, let job = lanes[name]?.waiting.removeFirst()
      else {
        offer(name)
        continue
      }
      start(job)
      offer(name)
    }
  }

  private func start(_ job: TransferJob) {
    guard let easy = idle.popLast() ?? curl_easy_init() else {
      core.finish(job, .failure(TransportError(.overloaded)))
      return
    }
    let transfer = Transfer(job: job, easy: easy, budget: budget)
    guard transfer.prepare() else {
      recycle(easy)
      transfer.close()
      core.finish(job, .failure(TransportError(.invalidRequest, detail: "libcurl refused it")))
      return
    }
    guard curl_multi_add_handle(multi, easy) == CURLM_OK else {
      recycle(easy)
      transfer.close()
      core.finish(job, .failure(TransportError(.overloaded)))
      return
    }
    running[easy] = transfer
    lanes[job.request.lane]?.running += 1
  }

  /// Hands out what has finished; how many that were.
  private func collect() -> Int {
    var finished = 0
    var left: Int32 = 0
    while let message = curl_multi_info_read(multi, &left) {
      // Copied first: the message dies with the handle's place in the multi handle.
      let code = ccurl_message_result(message)
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
        let transfer = running[easy]
      else { continue }
      finish(transfer, transfer.result(of: code))
      finished += 1
    }
    return finished
  }

  private func finish(_ transfer: Transfer, _ result: Result<HTTPSResponse, TransportError>) {
    running[transfer.easy] = nil
    _ = curl_multi_remove_handle(multi, transfer.easy)
    recycle(transfer.easy)
    // Only now: until the reset above the handle points into the transfer's and the identity's memory.
    transfer.close()
    let lane = transfer.job.request.lane
    lanes[lane]?.running -= 1
    offer(lane)
    core.finish(transfer.job, result)
  }

  private func cancel(_ number: UInt64, lane name: String) {
    if let transfer = running.values.first(where: { $0.job.number == number }) {
      let sent = transfer.isRequestSent
      finish(transfer, .failure(TransportError(.cancelled, mayHaveArrived: sent)))
    } else if let place = lanes[name]?.waiting.firstIndex(where: { $0.number == number }),
      let job = lanes[name]?.waiting.remove(at: place)
    {
      offer(name)
      core.finish(job, .failure(TransportError(.cancelled)))
    }
  }

  private func recycle(_ easy: UnsafeMutableRawPointer) {
    curl_easy_reset(easy)
    idle.append(easy)
  }

  private func end() {
    let late = core.close()
    for transfer in Array(running.values) {
      let sent = transfer.isRequestSent
      finish(transfer, .failure(TransportError(.shutDown, mayHaveArrived: sent)))
    }
    for job in lanes.values.flatMap(\.waiting) + late {
      core.finish(job, .failure(TransportError(.shutDown)))
    }
    for easy in idle { curl_easy_cleanup(easy) }
    _ = curl_multi_cleanup(multi)
    core.ended()
  }
}

/// How many bytes of unfinished answers the loop holds.
final class ByteBudget {
  private let limit: Int
  private(set) var held = 0

  init(limit: Int) { self.limit = limit }

  func take(_ count: Int) -> Bool {
    guard held + count <= limit else { return false }
    held += count
    return true
  }

  func give(_ count: Int) { held -= count }
}
