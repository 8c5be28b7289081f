extension StringProtocol {
  /// The text with whatever differs from one run to the next replaced by `N`:
  /// numbers, addresses, and `+0x1c/0x40` after a symbol. A digit inside a name
  /// (`ext4`, `folio2`) stays.
  public var stable: String {
    var result = ""
    var word = ""
    func flush() {
      result += isVariable(word) ? "N" : word
      word = ""
    }
    for character in self {
      if character.isASCII && (character.isLetter || character.isNumber || character == "_") {
        word.append(character)
      } else {
        flush()
        result.append(character)
      }
    }
    flush()
    return result.replacingNumberOffsets
  }

  /// `N/N` offsets left behind by `func+0x1c/0x40`.
  private var replacingNumberOffsets: String {
    var text = String(self)
    while let start = text.firstRange(of: "+N/N") { text.removeSubrange(start) }
    return text
  }
}

/// A decimal number (with a unit or not, `33s`), `0x…`, or eight and more hex
/// digits with a decimal one among them.
private func isVariable(_ word: String) -> Bool {
  guard let first = word.first else { return false }
  if word.hasPrefix("0x") { return word.dropFirst(2).allSatisfy(\.isHexDigit) }
  if first.isNumber {
    return word.drop { $0.isNumber }.count <= 2 || word.allSatisfy(\.isHexDigit)
  }
  return word.count >= 8 && word.allSatisfy(\.isHexDigit) && word.contains(where: \.isNumber)
}
