import Testing

@testable import HarnessKit

@Suite struct ConsoleLineTests {
  @Test func `printk's prefixes are taken off and kept`() {
    let line = ConsoleLine("[   12.345678][   T61] Call Trace:\r")
    #expect(line.text == "Call Trace:")
    #expect(line.seconds == 12.345678)
    #expect(line.caller == .task(61))
    #expect(ConsoleLine("<4>[    0.000000] x").text == "x")
    #expect(ConsoleLine("[    5.5] [    C1] NMI").caller == nil)
    #expect(ConsoleLine("[    5.5][    C1] NMI").caller == .cpu(1))
  }

  @Test func `indentation after the prefix stays, as call traces need it`() {
    #expect(ConsoleLine("[    1.000000]  xas_start+0x1/0x2").text == " xas_start+0x1/0x2")
  }

  @Test func `brackets of the message are not taken for a prefix`() {
    #expect(ConsoleLine("[ BUG: Invalid wait context ]").text == "[ BUG: Invalid wait context ]")
    #expect(ConsoleLine("[Firmware Bug]: TSC").text == "[Firmware Bug]: TSC")
    #expect(ConsoleLine("[drm.o] x").seconds == nil)
    #expect(ConsoleLine("[-1.0] x").seconds == nil)
    #expect(ConsoleLine("[").text == "[")
  }

  @Test func `escape sequences and control characters vanish, even unfinished`() {
    #expect(ConsoleLine("\u{1B}[1;31mred\u{1B}[0m\u{7}!").text == "red!")
    #expect(ConsoleLine("a\u{1B}").text == "a")
    #expect(ConsoleLine("a\u{1B}[99999").text == "a")
  }

  @Test func `a line without end is looked at up to the limit`() {
    #expect(ConsoleLine(String(repeating: "x", count: 1 << 20)).text.count == ConsoleLine.limit)
  }

  @Test func `a line is cut where the kernel breaks into it, and nowhere else`() {
    #expect(
      ConsoleLine.torn("agent: p[   12.345678] BUG: x\r") == ["agent: p", "[   12.345678] BUG: x"])
    #expect(ConsoleLine.torn("[    1.000000] at [<ffffffff8365b5d7>] x").count == 1)
    #expect(ConsoleLine.torn("[    1.000000] [mem 0x1.5] [1.5] [").count == 1)
    #expect(ConsoleLine.torn("") == [""])
  }
}
