package import Exchange

extension SealError {
  /// Whose signature held before this was found: the one party that may be told the code. Nil before
  /// it held, and where no sender is concerned.
  package var signer: PartyID? {
    switch self {
    case .certificateExpired(let party), .certificateNotYetValid(let party),
      .certificateUsage(let party), .certificateExtendedUsage(let party),
      .certificateRevoked(let party), .chainBroken(let party), .authorityUnknown(let party),
      .revocationStale(let party), .revocationMissing(let party), .legacyNotAllowed(let party),
      .notNotification(_, let party), .sourceNotSigner(let party), .audienceNotUs(let party):
      party
    default: nil
    }
  }
}
