/// The parameters of RSAES-OAEP and RSASSA-PSS (RFC 8017 A.2.1, A.2.3): both begin with a hash and a
/// mask generation function, and both mean SHA-1 where they say nothing.
enum RSAParameters {
  /// Whether hash and mask generation are of SHA-2, each said aloud.
  ///
  /// - Parameter algorithm: inside the AlgorithmIdentifier.
  static func areStrong(_ algorithm: BERReader) -> Bool {
    var algorithm = algorithm
    guard algorithm.next(0x06) != nil, let sequence = algorithm.next(0x30), algorithm.isAtEnd else {
      return false
    }
    var parameters = algorithm.inside(sequence)
    guard let hash = parameters.next(0xa0), let mask = parameters.next(0xa1) else { return false }
    var hashes = parameters.inside(hash)
    var masks = parameters.inside(mask)
    guard let digest = hashes.next(0x30).flatMap(hashes.identifier), OID.digests.contains(digest),
      let generation = masks.next(0x30)
    else { return false }
    var parts = masks.inside(generation)
    guard let function = parts.next(0x06), parts.octets(function) == OID.maskGeneration1,
      let inner = parts.next(0x30).flatMap(parts.identifier)
    else { return false }
    return OID.digests.contains(inner)
  }
}
