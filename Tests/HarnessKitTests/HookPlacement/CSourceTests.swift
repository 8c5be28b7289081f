import Testing

@testable import HarnessKit

@Suite struct CSourceTests {
  private func names(_ text: String) -> [String] {
    CSource(Array(text.utf8)).functions.map(\.name)
  }

  @Test func `a definition is a function, a prototype and a call are none`() {
    #expect(
      names(
        """
        static int proto(int a);
        int (*pointer)(int) = proto;
        static const struct ops ops = {
        	.call = proto,
        };
        static int proto(int a)
        {
        	return other(a);
        }
        """) == ["proto"])
  }

  @Test func `a system call goes by its macro and name`() {
    #expect(
      names("SYSCALL_DEFINE1(stop, const char __user *, file)\n{\n\treturn 0;\n}\n")
        == ["SYSCALL_DEFINE1(stop"])
  }

  @Test func `attributes behind the arguments are not the name`() {
    #expect(names("static void f(struct s *s) __releases(&s->lock) __cold\n{\n}\n") == ["f"])
  }

  @Test func `braces in strings, characters, comments and macros do not count`() {
    #expect(
      names(
        """
        #define OPEN {
        #define LONG(a) do { \\
        	if (a) { \\
        } while (0)
        void f(void)
        {
        	puts("}"); /* } */
        	putc('}'); // }
        	puts("\\"}");
        }
        void g(void) {}
        """) == ["f", "g"])
  }

  @Test func `of branches that each open a brace, one counts`() {
    #expect(
      names(
        """
        void f(int a)
        {
        #ifdef A
        	if (a) {
        #else
        	if (!a) {
        #endif
        		g();
        	}
        }
        void h(void)
        {
        }
        """) == ["f", "h"])
  }

  @Test func `a function of each branch is there, and none of if 0`() {
    #expect(
      names(
        """
        #ifdef A
        void f(void) { a(); }
        #else
        void f(void) { }
        #endif
        #if 0
        void g(void) { }
        #endif
        """) == ["f", "f"])
  }

  @Test(arguments: [
    ("a", "a(1);"),
    ("x", "if (x) { b(); } else if (y) c(); else d();"),
    ("c", "c();"),
    ("y", "if (y) c(); else d();"),
    ("loop", "for_each(loop, list) { e(); }"),
    ("e", "e();"),
    ("w", "do { w(); } while (z);"),
    ("v", "v = (struct t){ .n = 1 };"),
  ]) func `a token's statement is the innermost`(token: String, statement: String) throws {
    let source = CSource(
      Array(
        """
        int f(void)
        {
        	a(1);
        	if (x) {
        		b();
        	} else if (y)
        		c();
        	else
        		d();
        	for_each(loop, list) {
        		e();
        	}
        	do {
        		w();
        	} while (z);
        	v = (struct t){ .n = 1 };
        out:
        	return 0;
        }
        """.utf8))
    let function = try #require(source.functions.first)
    let index = try #require(
      source.matches([token], in: function.open..<function.close).first)
    let found = try #require(
      source.statement(with: index, in: source.statements(of: function)))
    let expected =
      token == "w"
      ? CSource.tokens(of: "w();") : CSource.tokens(of: statement)
    #expect(source.tokens[found.first...found.last].map(\.text) == expected)
  }
}
