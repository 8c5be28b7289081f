import FoundationEssentials

/// The two forms that the harness writes JSON in: one for files that people read and compare,
/// one for lines.
public enum JSONText {
  /// Indented, keys sorted, times in ISO 8601, with a newline at the end.
  ///
  /// - Throws: `EncodingError`, for a number that JSON does not have.
  public static func document(_ value: some Encodable) throws -> Data {
    try encoded(value, .prettyPrinted) + Data("\n".utf8)
  }

  /// On one line, keys sorted, times in ISO 8601, with a newline at the end.
  ///
  /// - Throws: `EncodingError`, for a number that JSON does not have.
  public static func line(_ value: some Encodable) throws -> Data {
    try encoded(value, []) + Data("\n".utf8)
  }

  private static func encoded(
    _ value: some Encodable, _ format: JSONEncoder.OutputFormatting
  ) throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = format.union([.sortedKeys, .withoutEscapingSlashes])
    encoder.dateEncodingStrategy = .iso8601
    return try encoder.encode(value)
  }
}
