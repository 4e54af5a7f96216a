import Exchange
import Foundation
import GRDB

/// Bytes on their way into a statement.
struct Blob: DatabaseValueConvertible {
  private let data: Data

  init(_ bytes: [UInt8]) { data = Data(bytes) }

  init?(_ bytes: [UInt8]?) {
    guard let bytes else { return nil }
    self.init(bytes)
  }

  var databaseValue: DatabaseValue { data.databaseValue }

  static func fromDatabaseValue(_ value: DatabaseValue) -> Blob? {
    Data.fromDatabaseValue(value).map { Blob(Array($0)) }
  }

  var bytes: [UInt8] { Array(data) }
}

extension Row {
  func bytes(_ column: String) -> [UInt8]? {
    let data: Data? = self[column]
    return data.map { Array($0) }
  }

  func number(_ column: String) -> Int64? { self[column] }

  func text(_ column: String) -> String? { self[column] }

  func instant(_ column: String) -> Instant? {
    number(column).map { Instant(milliseconds: $0) }
  }

  /// An identifier that the store itself wrote. Throws STOR-011 when it reads as none.
  func id<ID: Identifier>(_ column: String, in table: String, as type: ID.Type = ID.self) throws
    -> ID
  {
    guard let id = text(column).flatMap(ID.init) else {
      throw StoreError.damaged(table: table, number: number("number") ?? -1)
    }
    return id
  }
}

extension Database {
  func run(_ sql: String, _ arguments: StatementArguments = []) throws {
    try cachedStatement(sql: sql).execute(arguments: arguments)
  }

  func row(_ sql: String, _ arguments: StatementArguments = []) throws -> Row? {
    try Row.fetchOne(cachedStatement(sql: sql), arguments: arguments)
  }

  func rows(_ sql: String, _ arguments: StatementArguments = []) throws -> [Row] {
    try Row.fetchAll(cachedStatement(sql: sql), arguments: arguments)
  }

  func number(_ sql: String, _ arguments: StatementArguments = []) throws -> Int64? {
    try Int64.fetchOne(cachedStatement(sql: sql), arguments: arguments)
  }
}

extension OwnerKey {
  /// A sealed value of a row that must open. Throws STOR-011.
  func mustOpen(_ sealed: [UInt8], _ column: String, _ number: Int64) throws -> [UInt8] {
    guard let bytes = open(sealed, column) else {
      throw StoreError.damaged(table: column, number: number)
    }
    return bytes
  }

  func seal(_ value: some Encodable, as column: String) throws -> [UInt8] {
    try seal(OwnerKey.encoded(value), column)
  }

  static func encoded(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    return Array(try encoder.encode(value))
  }

  func mustOpen<Value: Decodable>(
    _ sealed: [UInt8], as column: String, _ number: Int64, _ type: Value.Type = Value.self
  ) throws -> Value {
    let bytes = try mustOpen(sealed, column, number)
    do {
      return try JSONDecoder().decode(type, from: Data(bytes))
    } catch { throw StoreError.damaged(table: column, number: number) }
  }

  func mustOpenJSON(_ sealed: [UInt8], _ column: String, _ number: Int64) throws -> JSONValue {
    let bytes = try mustOpen(sealed, column, number)
    do {
      // What we wrote ourselves may be longer than what we take from others.
      return try JSONValue.parse(bytes, limits: JSONLimits(bytes: 16 << 20, depth: 32))
    } catch { throw StoreError.damaged(table: column, number: number) }
  }
}
