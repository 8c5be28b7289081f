import Foundation
import Subprocess
import SystemPackage

/// A program of the host, and how it is called.
public struct Tool: Sendable {
  /// As PATH or an sbin directory has it, or an absolute path.
  public let name: String
  /// Where it runs; nil for this process's own.
  public var directory: FilePath?
  /// Set over the inherited environment; nil unsets.
  public var environment: [String: String?]

  /// - Parameter environment: `LC_ALL` is C unless it says otherwise.
  public init(
    _ name: String, in directory: FilePath? = nil, environment: [String: String?] = [:]
  ) {
    self.name = name
    self.directory = directory
    // Messages of tools are matched and shown: in one language.
    self.environment = environment.merging(["LC_ALL": "C"]) { given, _ in given }
  }

  /// git in a repository, whatever repository the caller's environment is about. It asks nobody,
  /// and takes no lock that it can do without.
  public static func git(in repository: FilePath, environment: [String: String?] = [:]) -> Tool {
    let own: [String: String?] = [
      "GIT_DIR": nil, "GIT_WORK_TREE": nil, "GIT_INDEX_FILE": nil, "GIT_OBJECT_DIRECTORY": nil,
      "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0",
    ]
    return Tool("git", in: repository, environment: own.merging(environment) { $1 })
  }

  /// What a finished program left.
  public struct Result: Sendable {
    /// The exit status; not 0 only where the caller accepts that.
    public let status: Int32
    /// All of standard output, whatever its length.
    public let output: [UInt8]
    /// Standard error, of up to 16 MiB.
    public let errors: String

    /// The output as UTF-8, repaired where it is none.
    public var text: String { String(decoding: output, as: UTF8.self) }
    /// Of the output, without the empty ones.
    public var lines: [String] { text.split(separator: "\n").map(String.init) }
  }

  /// Runs to the end and keeps what it wrote.
  ///
  /// - Parameter accepting: which exit statuses are no error.
  @discardableResult
  public func run(
    _ arguments: [String], input: FilePath? = nil,
    accepting: @Sendable (Int32) -> Bool = { $0 == 0 }
  ) async throws(ToolError) -> Result {
    let configuration = try configuration(arguments)
    let status: TerminationStatus
    let output: [UInt8]
    let errors: String
    do {
      let file = try FileDescriptor.open(input ?? "/dev/null", .readOnly, options: .closeOnExec)
      let result = try await Subprocess.run(
        configuration,
        input: .fileDescriptor(file, closeAfterSpawningProcess: true),
        output: .sequence, error: .string(limit: 1 << 24)
      ) { execution in
        // Not .bytes(limit:), which maps all of its limit at once: where many tools run,
        // a fork() is then refused its memory.
        var bytes: [UInt8] = []
        for try await part in execution.standardOutput {
          part.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        return bytes
      }
      status = result.terminationStatus
      output = result.closureResult
      errors = result.standardError
    } catch {
      throw notRun(arguments, error)
    }
    let code = try exitStatus(status, arguments, errors.split(separator: "\n").map(String.init))
    guard accepting(code) else {
      throw ToolError(
        command: commandLine(arguments), reason: .exited(code),
        lastLines: errors.split(separator: "\n").suffix(8).map(String.init))
    }
    return Result(status: code, output: output, errors: errors)
  }

  /// Runs to the end and hands on each line, of output and errors alike, as it
  /// comes. Returns the exit status.
  public func stream(
    _ arguments: [String], line: (String) throws -> Void
  ) async throws(ToolError) -> Int32 {
    let configuration = try configuration(arguments)
    let status: TerminationStatus
    do {
      let result = try await Subprocess.run(
        configuration, input: .none, output: .sequence, error: .combinedWithOutput
      ) { execution in
        for try await text in execution.standardOutput.strings() {
          try line(text.last?.isNewline == true ? String(text.dropLast()) : text)
        }
      }
      status = result.terminationStatus
    } catch {
      throw notRun(arguments, error)
    }
    return try exitStatus(status, arguments, [])
  }

  /// Where the program is. Looks into the sbin directories too, which a plain
  /// user's PATH lacks on Debian.
  public static func locate(_ name: String) -> FilePath? {
    if name.hasPrefix("/") { return FilePath(name) }
    return searchPath.map { FilePath($0).appending(name) }
      .first { FileManager.default.isExecutableFile(atPath: $0.string) }
  }

  /// The Debian package that has the program, where it is not named alike.
  static func package(of name: String) -> String {
    switch name {
    case "depmod", "modinfo": "kmod"
    case "xz", "lzma": "xz-utils"
    case "mke2fs": "e2fsprogs"
    case "addr2line", "nm", "ld", "strip": "binutils"
    case "sha256sum", "cp", "touch": "coreutils"
    case "flock": "util-linux"
    case "apt-get", "apt-cache": "apt"
    case "dpkg-deb", "dpkg-query": "dpkg"
    case "qemu-system-x86_64": "qemu-system-x86"
    case _ where name.hasPrefix("ld."): String(name.dropFirst("ld.".count))
    default: name
    }
  }

  private static var searchPath: [String] {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let own = path.split(separator: ":").map(String.init)
    return own + ["/usr/sbin", "/sbin"].filter { !own.contains($0) }
  }

  private func configuration(_ arguments: [String]) throws(ToolError) -> Configuration {
    guard let path = Tool.locate(name) else {
      throw ToolError(
        command: name, reason: .missing(package: Tool.package(of: name)), lastLines: [])
    }
    var updates: [Environment.Key: String?] = ["PATH": Tool.searchPath.joined(separator: ":")]
    for (key, value) in environment {
      guard let key = Environment.Key(rawValue: key) else { continue }
      updates.updateValue(value, forKey: key)
    }
    return Configuration(
      executable: .path(path), arguments: Arguments(arguments),
      environment: .inherit.updating(updates), workingDirectory: directory)
  }

  private func notRun(_ arguments: [String], _ error: any Error) -> ToolError {
    ToolError(
      command: commandLine(arguments), reason: .notRun(String(describing: error)), lastLines: [])
  }

  private func exitStatus(
    _ status: TerminationStatus, _ arguments: [String], _ lastLines: [String]
  ) throws(ToolError) -> Int32 {
    switch status {
    case .exited(let code): return code
    case .signaled(let signal):
      throw ToolError(
        command: commandLine(arguments), reason: .killed(signal: signal),
        lastLines: lastLines.suffix(8))
    }
  }

  private func commandLine(_ arguments: [String]) -> String {
    ([name] + arguments).map(\.asShellWord).joined(separator: " ")
  }
}
