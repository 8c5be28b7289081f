import ArgumentParser
import HarnessKit

/// Turns whatever a command throws into a message and an exit code: 3 where the
/// kernel cannot be built or used, 64 for what was asked for wrongly, 2 for
/// everything else. Left to itself, an error would exit 1, which says that the
/// kernel has a fault.
func reportingFailures(_ body: () async throws -> Void) async throws {
  do {
    try await body()
  } catch let code as ExitCode {
    throw code
  } catch let usage as ValidationError {
    throw usage
  } catch is CancellationError {
    Progress.note("harness: interrupted")
    throw ExitCode(HarnessFailure.Kind.harness.exitCode)
  } catch {
    Progress.note("harness: \(error)")
    throw ExitCode(HarnessFailure(error).kind.exitCode)
  }
}
