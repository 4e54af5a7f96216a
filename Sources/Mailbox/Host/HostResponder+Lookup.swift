import Exchange
import Hummingbird

// The calls that need no token. They show the service's own mailbox and nothing else: who else has one
// here is nobody's business.
extension HostResponder {
  func lookUp(_ route: HostRoute, _ version: MeshVersion) -> Response {
    switch route {
    case .endpointLookup(let odsCode, let workflow):
      let isOurs = ownMailbox.map { $0.odsCode.uppercased() == odsCode.uppercased() } ?? false
      let found = isOurs ? ownMailbox(for: workflow) : nil
      guard version == .one else { return results(found) }
      return .json([
        "query_id": "",
        "results": .array(
          found.map { own in
            [
              [
                "address": .string(own.mailbox.text), "description": .string(own.name),
                "endpoint_type": "MESH",
              ]
            ]
          } ?? []),
      ])
    case .workflowSearch(let workflow): return results(ownMailbox(for: workflow))
    default:
      return .json([
        "env": .string(environment), "build_label": "sallyport", "status": "running",
        "outcome": "Yes",
      ])
    }
  }

  private func ownMailbox(for workflow: String) -> HostConfiguration.OwnMailbox? {
    ownMailbox.flatMap { $0.workflows.contains(workflow) ? $0 : nil }
  }

  private func results(_ own: HostConfiguration.OwnMailbox?) -> Response {
    .json([
      "results": .array(
        own.map { own in
          [["mailbox_id": .string(own.mailbox.text), "mailbox_name": .string(own.name)]]
        } ?? [])
    ])
  }
}
