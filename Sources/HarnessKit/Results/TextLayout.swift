extension String {
  /// With spaces behind it, where it is shorter.
  package func padded(to width: Int) -> String {
    self + String(repeating: " ", count: max(0, width - count))
  }

  /// With spaces before it, where it is shorter.
  package func leftPadded(to width: Int) -> String {
    String(repeating: " ", count: max(0, width - count)) + self
  }

  /// One word of a shell's, whatever is in it.
  package var quotedForShell: String { "'" + replacing("'", with: #"'\''"#) + "'" }

  /// The same, with quotes only where it needs them: for people to read and to paste.
  package var asShellWord: String {
    let isPlain = allSatisfy { character in
      character.isASCII && (character.isLetter || character.isNumber)
        || "-_=+./:,@%".contains(character)
    }
    return isPlain && !isEmpty ? self : quotedForShell
  }
}
