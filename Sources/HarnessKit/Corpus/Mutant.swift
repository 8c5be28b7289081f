import Foundation
import SystemPackage

/// A kernel broken on purpose: a file of `qemu/kernel/mutants`, and what its header
/// says of it.
public struct Mutant: Hashable, Sendable {
  /// How sure the bug is to show; zswap-history.md's classes.
  public enum Kind: String, Hashable, Sendable, CaseIterable {
    /// No race: it shows each time that its code is reached.
    case deterministic = "D"
    /// A race that plain stress meets in seconds to minutes.
    case wide = "W"
    /// A race that plain stress seldom meets, if ever.
    case narrow = "N"
    /// Only with a hold in its window.
    case injected = "I"
    /// As good as the original: has to stay green.
    case equivalent = "E"

    var title: String {
      switch self {
      case .deterministic: "deterministic"
      case .wide: "wide race"
      case .narrow: "narrow race"
      case .injected: "needs a hold"
      case .equivalent: "control"
      }
    }

    /// What the letters are, for tables.
    public static let legend =
      "Classes: " + allCases.map { "\($0.rawValue) \($0.title)" }.joined(separator: ", ") + "."
  }

  /// Its file's name.
  public var id: String
  /// What it does, of the subject.
  public var title: String
  /// By the first letter of the header's `Class` line.
  public var kind: Kind
  /// Parts of titles, any of which is the finding that it is to be found by.
  public var expected: [String]
  /// As its header has it: claims, or why there is none.
  public var claims: String

  /// A header that lacks something, or says what nobody understands.
  public struct HeaderError: Error, Hashable, CustomStringConvertible {
    /// Of the mutant: its file's name without `.patch`.
    public var id: String
    /// The line that is missing or not understood: `Subject`, `Class`, `Claim` or `Expect`.
    public var field: String
    public var description: String {
      "mutant \(id): its header has no usable “\(field):” line"
    }
  }

  /// - Parameter text: the patch, header and all.
  public init(id: String, parsing text: String) throws(HeaderError) {
    let fields = Self.fields(of: text)
    func field(_ name: String) throws(HeaderError) -> String {
      guard let value = fields.first(where: { $0.name == name })?.value, !value.isEmpty else {
        throw HeaderError(id: id, field: name)
      }
      return value
    }
    self.id = id
    let subject = try field("Subject")
    title =
      subject.components(separatedBy: "\(id): ").dropFirst().first.map { String($0) } ?? subject
    guard let kind = Kind(rawValue: String(try field("Class").prefix(1))) else {
      throw HeaderError(id: id, field: "Class")
    }
    self.kind = kind
    expected = fields.filter { $0.name == "Expect" }.map(\.value)
    claims = try field("Claim")
    guard kind == .equivalent || !expected.isEmpty else {
      throw HeaderError(id: id, field: "Expect")
    }
  }

  /// The `Name: value` lines above the first line of three dashes, with those that
  /// continue them.
  private static func fields(of text: String) -> [(name: String, value: String)] {
    var fields: [(name: String, value: String)] = []
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line == "---" { break }
      if line.first == " ", !fields.isEmpty {
        fields[fields.count - 1].value += " " + line.trimmingCharacters(in: .whitespaces)
      } else if let colon = line.firstIndex(of: ":"),
        line[..<colon].allSatisfy({ $0.isLetter || $0 == "-" })
      {
        let value = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        fields.append((String(line[..<colon]), value))
      } else {
        // A paragraph is no continuation.
        fields.append(("", ""))
      }
    }
    return fields
  }

  /// All of a checkout, by their names.
  public static func all(of checkout: Checkout) throws -> [Mutant] {
    try FileManager.default.contentsOfDirectory(atPath: checkout.mutants.string)
      .filter { $0.hasSuffix(".patch") }.map { String($0.dropLast(".patch".count)) }
      .sorted { $0.compare($1, options: .numeric) == .orderedAscending }
      .map { id in try Mutant(id: id, parsing: KernelPatch.mutant(id, of: checkout).text) }
  }
}
