extension Schema {
  /// The documents of exchanges that may have to be sealed again, each sealed under its exchange's key. The
  /// original holds them too, but only for as long as the key that opened it is in the ring: what waits
  /// must not be lost to a rotation. `place` counts them in the order of their digests.
  static let attachments = """
    CREATE TABLE attachment (
      exchange INTEGER NOT NULL REFERENCES exchange,
      place INTEGER NOT NULL,
      sealed BLOB NOT NULL,
      PRIMARY KEY (exchange, place)
    ) STRICT;
    """
}
