import Testing

@testable import HarnessKit

/// On functions made for these tests.
@Suite struct AnchorPlacementTests {
  private func site(_ insertions: [HookInsertion], in function: String = "f") -> HookSite {
    HookSite("load@done", in: function, insertions)
  }

  private func place(
    _ rows: [HookSite], in text: String
  ) -> (outcome: AnchorPlacement.Outcome, text: String) {
    var placement = AnchorPlacement(Array(text.utf8))
    let outcome = placement.place(rows)
    return (outcome, String(decoding: placement.result, as: UTF8.self))
  }

  private let call = "zswap_hook(ZSWAP_HOOK_LOAD_DONE, s, 0);"

  @Test func `a call goes behind its statement, blank lines around it`() {
    let (outcome, text) = place(
      [site([.after("unlock(", slot: "s")])],
      in: "void f(swp s)\n{\n\tunlock(&l); /* now */\n\tg();\n}\n")
    #expect(outcome == .placed)
    #expect(text == "void f(swp s)\n{\n\tunlock(&l); /* now */\n\n\t\(call)\n\n\tg();\n}\n")
  }

  @Test func `a call goes before a statement and the comment that belongs to it`() {
    let (_, text) = place(
      [site([.before("g(", slot: "s")])],
      in: "void f(swp s)\n{\n\th();\n\n\t/*\n\t * Why.\n\t */\n\tg();\n}\n")
    #expect(
      text == "void f(swp s)\n{\n\th();\n\n\t\(call)\n\n\t/*\n\t * Why.\n\t */\n\tg();\n}\n")
  }

  @Test func `what stands in a comment, a string, a macro or a prototype is no anchor`() {
    let text = """
      #define g() f()
      void f(swp s);
      void f(swp s)
      {
      	/* g(); */
      	h("g();");
      }

      """
    let (outcome, result) = place([site([.after("g(", slot: "s")])], in: text)
    #expect(outcome == .unplaced("in f(): there is no “g(”"))
    #expect(result == text)
  }

  @Test func `an anchor of another function is none of this one`() {
    let (outcome, _) = place(
      [site([.after("g(", slot: "s")])],
      in: "void f(swp s)\n{\n\th();\n}\nvoid k(void)\n{\n\tg();\n}\n")
    #expect(outcome == .unplaced("in f(): there is no “g(”"))
  }

  @Test func `a call behind the head of a statement goes behind all of it`() {
    let (_, text) = place(
      [site([.after("old != swap(", slot: "s")])],
      in: "int f(swp s)\n{\n\tif (old != swap(a)) {\n\t\tif (x) {\n\t\t}\n\t\treturn 1;\n\t}\n}\n")
    #expect(text.hasSuffix("\t\treturn 1;\n\t}\n\n\t\(call)\n}\n"))
  }

  @Test func `a branch without braces gets them, once for two calls`() {
    let rows = [
      site([.before("free(e)", spacing: .close, slot: "s")]),
      HookSite("load@erased", in: "f", [.after("free(e)", spacing: .close, slot: "s")]),
    ]
    var placement = AnchorPlacement(
      Array("void f(swp s)\n{\n\tif (e &&\n\t    x)\n\t\tfree(e);\n\telse\n\t\tg();\n}\n".utf8))
    #expect(placement.place([rows[0]]) == .placed)
    #expect(placement.place([rows[1]]) == .placed)
    #expect(
      String(decoding: placement.result, as: UTF8.self) == """
        void f(swp s)
        {
        	if (e &&
        	    x) {
        		\(call)
        		free(e);
        		zswap_hook(ZSWAP_HOOK_LOAD_ERASED, s, 0);
        	}
        	else
        		g();
        }

        """)
  }

  @Test func `each return behind a statement has its result`() {
    let (outcome, text) = place(
      [site(HookInsertion.returns(behind: "begin(", slot: "s", ["true": "1", "false": "0"]))],
      in: """
        bool f(swp s)
        {
        	if (off)
        		return false;
        	begin();
        	if (bad)
        		return false;
        	return true;
        }

        """)
    #expect(outcome == .placed)
    #expect(
      text == """
        bool f(swp s)
        {
        	if (off)
        		return false;
        	begin();
        	if (bad) {
        		zswap_hook(ZSWAP_HOOK_LOAD_DONE, s, 0);
        		return false;
        	}
        	zswap_hook(ZSWAP_HOOK_LOAD_DONE, s, 1);
        	return true;
        }

        """)
  }

  @Test func `a way out with a value that nobody knows is a misfit, and nothing is placed`() {
    let text = "bool f(swp s)\n{\n\tbegin();\n\tif (bad)\n\t\treturn false;\n\treturn g(s);\n}\n"
    let (outcome, result) = place(
      [site(HookInsertion.returns(behind: "begin(", slot: "s", ["true": "1", "false": "0"]))],
      in: text)
    #expect(
      outcome
        == .unplaced("in f(): a value is returned behind “begin(” that is not known"))
    #expect(result == text)
    // Before the path begins, it may return what it likes.
    let early = text.replacing("begin();", with: "if (off)\n\t\treturn g(s);\n\tbegin();")
      .replacing("return g(s);\n}", with: "return true;\n}")
    #expect(
      place(
        [site(HookInsertion.returns(behind: "begin(", slot: "s", ["true": "1", "false": "0"]))],
        in: early
      ).outcome == .placed)
  }

  @Test func `a function that is there for two configurations is hooked in both`() {
    let body = "void f(swp s)\n{\n\tg();\n}\n"
    let (_, text) = place(
      [site([.before("g(", spacing: .close, slot: "s")])],
      in: "#ifdef A\n\(body)#else\n\(body)#endif\n")
    #expect(text.split(separator: call).count == 3)
  }

  @Test func `an empty twin of another configuration is passed over`() {
    let (outcome, text) = place(
      [site([.before("g(", spacing: .close, slot: "s")])],
      in: "#ifdef A\nvoid f(swp s)\n{\n\tg();\n}\n#else\nvoid f(swp s)\n{\n}\n#endif\n")
    #expect(outcome == .placed)
    #expect(text.split(separator: call).count == 2)
  }

  @Test func `of several rows the first that fits is taken`() {
    let rows = [
      site([.after("g(", slot: "s")], in: "gone"),
      HookSite("load@done", in: "f", having: "rb_search(", [.after("g(", slot: "tree")]),
      site([.after("k(", slot: "s")]),
      site([.after("g(", slot: "s")]),
    ]
    let (outcome, text) = place(rows, in: "void f(swp s)\n{\n\tg();\n}\n")
    #expect(outcome == .placed)
    #expect(text.contains(call))
  }

  @Test func `a point that a design has not is absent, with its reason`() {
    let rows = [
      site([.after("k(", slot: "s")]),
      HookSite("load@done", in: "f", having: "g(", absent: "it is done elsewhere"),
    ]
    let text = "void f(swp s)\n{\n\tg();\n}\n"
    #expect(place(rows, in: text) == (.absent("it is done elsewhere"), text))
    #expect(
      place(rows, in: "void f(swp s)\n{\n}\n").outcome
        == .unplaced("in f(): there is no “k(”"))
  }

  @Test func `a row that fits in half leaves nothing behind`() {
    let text = "void f(swp s)\n{\n\tint a;\n\n\tif (x)\n\t\tg();\n}\n"
    let (outcome, result) = place(
      [
        site([.line("int b;", after: "int a;"), .before("g(", slot: "s"), .after("k(", slot: "s")])
      ],
      in: text)
    #expect(outcome == .unplaced("in f(): there is no “k(”"))
    #expect(result == text)
  }

  @Test(arguments: ["if (x) g();", "case 1: g();", "g(); h();"])
  func `where a call would not get a line of its own there is no place`(line: String) {
    let text = "void f(swp s)\n{\n\t\(line)\n}\n"
    let side = line.hasPrefix("g") ? HookInsertion.after("g(", slot: "s") : .before("g(", slot: "s")
    let (outcome, result) = place([site([side])], in: text)
    #expect(outcome != .placed)
    #expect(result == text)
  }

  /// Such as one that knows its slot by other names: with the call it would not build.
  @Test func `a function that lacks a name of the call has no place for it`() {
    let text = "void f(int type, pgoff_t offset)\n{\n\tg();\n}\n"
    let (outcome, result) = place([site([.after("g(", slot: "s")])], in: text)
    #expect(outcome == .unplaced("in f(): there is no “s”, which the call would name"))
    #expect(result == text)
    let of = HookSite("load@done", in: "f", [.after("g(", slot: "swp_entry(type, offset)")])
    #expect(place([of], in: text).outcome == .placed)
  }

  @Test func `a call that is too long goes over two lines`() {
    let (_, text) = place(
      [site([.after("g(", slot: "a_slot_with_a_long_name", result: "a_result_with_a_name_too")])],
      in: "void f(swp a_slot_with_a_long_name, int a_result_with_a_name_too)\n{\n\tg();\n\n}\n")
    #expect(
      text.contains(
        "\tzswap_hook(ZSWAP_HOOK_LOAD_DONE, a_slot_with_a_long_name,\n"
          + "\t\t   a_result_with_a_name_too);\n"))
  }
}
