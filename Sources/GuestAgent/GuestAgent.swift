import Glibc

/// The agent's entry point.
public enum GuestAgent {
  /// Exit status where the agent refuses to act (EX_USAGE).
  public static let refused: Int32 = 64

  /// Supervises as PID 1, works as its child, and refuses everywhere else.
  public static func main() -> Never {
    guard let identity = GuestIdentity.current() else {
      let refusal = """
        guest-agent: this is not a guest of the zswap harness; doing nothing.
        It is started by the harness as PID 1 of a virtual machine, never by hand.

        """
      _ = refusal.withCString { write(STDERR_FILENO, $0, strlen($0)) }
      exit(refused)
    }
    if getpid() == 1 {
      Supervisor(identity: identity).run()
    }
    Worker.run(identity: identity)
  }
}
