import Foundation
import GuestWire
import SystemPackage

/// The fragments of a kernel's configuration, in the order in which they are
/// laid over one another.
struct ConfigFragments: Sendable {
  /// One text for KCONFIG_ALLCONFIG.
  let text: String
  /// What each option is wanted to be, and which fragment says so last.
  let wanted: [(option: String, value: KernelConfig.Value, fragment: String)]
  /// For make's command line: what Kconfig has no option for, of lines
  /// `# make: NAME=VALUE`.
  let makeVariables: [String]

  init(_ fragments: [(name: String, text: String)]) throws(KernelError) {
    text = fragments.map { "# from \($0.name)\n\($0.text)" }.joined(separator: "\n")
    var order: [String] = []
    var last: [String: (KernelConfig.Value, String)] = [:]
    for fragment in fragments {
      for (option, value) in try KernelConfig(parsing: fragment.text, name: fragment.name).options {
        if last.updateValue((value, fragment.name), forKey: option) == nil { order.append(option) }
      }
    }
    wanted = order.compactMap { option in last[option].map { (option, $0.0, $0.1) } }
    makeVariables = text.split(separator: "\n").compactMap { line in
      line.hasPrefix(Self.makePrefix) ? line.dropFirst(Self.makePrefix.count).trimmed : nil
    }
  }

  private static let makePrefix = "# make: "

  /// The compiler and the linker: gcc's and binutils' but where a fragment says otherwise. LLVM=
  /// is 1, or the tools' suffix ("-14"), or the folder that they are in ("/opt/llvm/bin/").
  var tools: (compiler: String, linker: String) {
    let variable = "LLVM="
    switch makeVariables.last(where: { $0.hasPrefix(variable) })?.dropFirst(variable.count) {
    case nil: return ("gcc", "ld")
    case "1": return ("clang", "ld.lld")
    case let folder? where folder.hasSuffix("/"): return ("\(folder)clang", "\(folder)ld.lld")
    case let suffix?: return ("clang\(suffix)", "ld.lld\(suffix)")
    }
  }

  /// `base`, `hooks` unless left out, then those asked for: a name of the
  /// checkout's, or the path of a file.
  static func load(
    _ names: [String], hooks: Bool, from checkout: Checkout
  ) throws(KernelError) -> ConfigFragments {
    var fragments: [(name: String, text: String)] = []
    for name in ["base"] + (hooks ? ["hooks"] : []) + names
    where !fragments.contains(where: { $0.name == name }) {
      let path =
        name.contains("/") ? FilePath(name) : checkout.kernelConfigs.appending("\(name).config")
      guard let data = FileManager.default.contents(atPath: path.string) else {
        throw KernelError(
          .usage, "use configuration fragment", name, "no file \(path)",
          advice: "There are: \(available(in: checkout).joined(separator: ", ")); or give a path.")
      }
      fragments.append((name, String(decoding: data, as: UTF8.self)))
    }
    return try ConfigFragments(fragments)
  }

  static func available(in checkout: Checkout) -> [String] {
    let names = try? FileManager.default.contentsOfDirectory(atPath: checkout.kernelConfigs.string)
    return (names ?? []).filter { $0.hasSuffix(".config") }.map { String($0.dropLast(7)) }.sorted()
  }

  /// Throws unless every line is in the final configuration: Kconfig drops,
  /// without a word, what it does not know or what lacks a dependency.
  func requireSurvival(in config: KernelConfig) throws(KernelError) {
    let lost = wanted.filter { config[$0.option] != $0.value }
    guard !lost.isEmpty else { return }
    throw KernelError(
      .config, "configure", "the kernel",
      "\(lost.count) option\(lost.count == 1 ? " is" : "s are") not as the fragments want",
      advice: "An option that the source does not know, or whose dependencies are off, is"
        + " dropped: add what it depends on, or leave the line out.",
      details: lost.map {
        "CONFIG_\($0.option): \($0.fragment) wants \($0.value), the kernel has "
          + (config.mentions($0.option) ? "\(config[$0.option])" : "no such line")
      })
  }
}
