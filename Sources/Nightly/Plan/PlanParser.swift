import Foundation
import GuestWire
import HarnessKit

extension Plan {
  /// Reads a plan.
  ///
  /// - Parameters:
  ///   - file: as errors name it.
  ///   - folder: what relative paths in it start from.
  public init(parsing text: String, file: String, folder: String) throws(PlanError) {
    let root = try YAMLValue.document(text, file: file)
    let fields = try root.fields([
      "name", "kernels", "scenarios", "machines", "exclude", "repeats", "reruns", "budget",
      "deadline", "estimate", "regression", "known", "history", "out", "engine", "slurm",
    ])
    func path(_ value: YAMLValue) throws(PlanError) -> String {
      Plan.absolute(try value.string(), in: folder)
    }
    name = try fields.required("name").name()
    kernels = []
    for value in try fields.required("kernels").list() {
      kernels.append(try PlanKernel(value, folder: folder))
    }
    scenarios = []
    for value in try fields.required("scenarios").list() {
      scenarios += try PlanScenario.parts(value)
    }
    machines = []
    for value in try fields["machines"]?.list() ?? [] { machines.append(try PlanMachine(value)) }
    if machines.isEmpty { machines = [PlanMachine(name: "default")] }
    out = try fields.optional("out", path) ?? Plan.absolute("nights", in: folder)
    history = try fields.optional("history", path) ?? "\(out)/history.sqlite"
    known = try fields.optional("known", path)
    func read<Value>(
      _ key: String, into field: inout Value, _ body: (YAMLValue) throws(PlanError) -> Value
    ) throws(PlanError) {
      if let value = fields[key] { field = try body(value) }
    }
    try read("repeats", into: &repeats) { value throws(PlanError) in try value.integer(1...100) }
    try read("reruns", into: &reruns) { value throws(PlanError) in try value.integer(0...20) }
    budget = try fields.optional("budget") { value throws(PlanError) in try value.time() }
    deadline = try fields.optional("deadline") { value throws(PlanError) in try value.time() }
    try read("estimate", into: &estimate) { value throws(PlanError) in try value.time() }
    if let value = fields["regression"] { regression = try RegressionRule(value) }
    if let value = fields["engine"] {
      let word = try value.choice(EngineName.allCases.map(\.rawValue))
      engine = EngineName(rawValue: word) ?? .local
    }
    if let value = fields["slurm"] { slurm = try SlurmOptions(value) }
    try Plan.requireUnique(fields.required("kernels"), kernels.map(\.name))
    try Plan.requireUnique(
      fields.required("scenarios"),
      scenarios.filter { $0.part.map { $0.number == 1 } ?? true }.map(\.name))
    if let value = fields["machines"] { try Plan.requireUnique(value, machines.map(\.name)) }
    exclude = []
    for value in try fields["exclude"]?.list() ?? [] {
      let parts = try value.fields(["kernel", "scenario", "machine"])
      func one(_ key: String, of names: [String]) throws(PlanError) -> String? {
        guard let value = parts[key] else { return nil }
        return try value.choice(names)
      }
      exclude.append(
        Exclusion(
          kernel: try one("kernel", of: kernels.map(\.name)),
          scenario: try one("scenario", of: scenarios.map(\.name)),
          machine: try one("machine", of: machines.map(\.name))))
    }
    guard !cells.isEmpty else { throw root.error("there is no cell that is not excluded") }
  }

  /// Reads a plan's file.
  public init(file: String) throws(PlanError) {
    let url = URL(filePath: file)
    guard let text = try? String(contentsOf: url, encoding: .utf8) else {
      throw PlanError(file: file, line: 0, column: 0, message: "it cannot be read")
    }
    try self.init(
      parsing: text, file: file, folder: url.deletingLastPathComponent().path)
  }

  static func absolute(_ path: String, in folder: String) -> String {
    if path.hasPrefix("~/") {
      return FileManager.default.homeDirectoryForCurrentUser.path + path.dropFirst()
    }
    return path.hasPrefix("/") ? path : URL(filePath: folder).appending(path: path).path
  }

  private static func requireUnique(_ value: YAMLValue, _ names: [String]) throws(PlanError) {
    guard !names.isEmpty else { throw value.error("there is none") }
    let items = try value.list()
    for (index, name) in names.enumerated() where names[..<index].contains(name) {
      throw items[index].error("“\(name)” is the name of another one already")
    }
  }
}

extension PlanKernel {
  init(_ value: YAMLValue, folder: String) throws(PlanError) {
    let fields = try value.fields([
      "name", "image", "tree", "branch", "preset", "with", "mutant", "patch",
    ])
    name = try fields.required("name").name()
    switch (fields["image"], fields["tree"], fields["preset"]) {
    case (let image?, nil, nil):
      let text = try image.string()
      let isNamed = text.hasPrefix("debian:")
      do {
        _ = try KernelReference(parsing: text)
      } catch {
        throw image.error("\(error)")
      }
      source = .image(isNamed ? text : Plan.absolute(text, in: folder))
      for key in ["branch", "with", "mutant", "patch"] {
        if let field = fields[key] { throw field.error("an image is taken as it is") }
      }
    case (nil, let tree?, nil):
      let branch = try fields.optional("branch") { value throws(PlanError) in try value.string() }
      if branch?.hasPrefix("-") == true {
        throw (fields["branch"] ?? value).error("a branch does not begin with a dash")
      }
      source = .tree(Plan.absolute(try tree.string(), in: folder), branch: branch)
    case (nil, nil, let preset?):
      source = .preset
      if let field = fields["branch"] { throw field.error("only a tree has branches") }
      fragments = try preset.strings().filter { $0 != "plain" }
    default: throw value.error("give one of image, tree and preset")
    }
    if let with = fields["with"] { fragments += try with.strings() }
    if let mutant = fields["mutant"] { mutants = try mutant.strings() }
    if let patch = fields["patch"] {
      patches = try patch.strings().map { Plan.absolute($0, in: folder) }
    }
  }
}

extension PlanScenario {
  /// What a plan says of a scenario: as many as it has parts.
  static func parts(_ value: YAMLValue) throws(PlanError) -> [PlanScenario] {
    let fields = try value.fields([
      "name", "scenario", "schedules", "trials", "parts", "provider", "seed", "stress", "budget",
    ])
    let whole = try PlanScenario(fields, value)
    guard let count = try fields["parts"]?.integer(2...RunPart.limit) else { return [whole] }
    return (1...count).map { number in
      var one = whole
      one.part = RunPart(number: number, of: count)
      return one
    }
  }

  private init(_ fields: YAMLFields, _ value: YAMLValue) throws(PlanError) {
    name = try fields.required("name").name()
    if let listed = fields["schedules"] {
      if let other = fields["scenario"] { throw other.error("give scenario or schedules") }
      for item in try listed.list() {
        let text = try item.string()
        do {
          schedules.append("\(try Schedule(parsing: text))")
        } catch {
          throw item.error("\(error)")
        }
      }
      guard !schedules.isEmpty else { throw listed.error("there is none") }
    } else if let given = fields["scenario"] {
      for word in try given.strings() {
        guard Scenario.ids.contains(word) else {
          throw given.error(
            "there is no scenario “\(word)”; there are \(Scenario.ids.joined(separator: ", "))")
        }
        scenarios.append(word)
      }
    } else {
      guard Scenario.ids.contains(name) else {
        throw value.error(
          "“\(name)” is no scenario of the harness: say which by scenario: or "
            + "schedules:; there are \(Scenario.ids.joined(separator: ", "))")
      }
      scenarios = [name]
    }
    trials = try fields.optional("trials") { value throws(PlanError) in
      let number = try value.integer(1...100_000)
      guard scenarios.contains(Scenario.randomID) else {
        throw value.error("only the scenario “\(Scenario.randomID)” has a number of trials")
      }
      return number
    }
    provider = try fields.optional("provider") { value throws(PlanError) in
      try value.choice(Provider.allCases.map(\.rawValue))
    }
    seed = try fields.optional("seed") { value throws(PlanError) in try value.seed() }
    stressSeconds = try fields.optional("stress") { value throws(PlanError) in
      Int(try value.time().seconds.rounded(.up))
    }
    budget = try fields.optional("budget") { value throws(PlanError) in try value.time() }
  }
}

extension PlanMachine {
  init(_ value: YAMLValue) throws(PlanError) {
    let fields = try value.fields([
      "name", "machine", "cpus", "memory", "guests", "swap", "compressor", "zpool", "accelerator",
    ])
    name = try fields.required("name").name()
    if let field = fields["machine"] { machine = try field.name() }
    cpus = try fields.optional("cpus") { value throws(PlanError) in try value.integer(1...255) }
    memoryMiB = try fields.optional("memory") { value throws(PlanError) in
      try value.integer(128...1_048_576)
    }
    if let field = fields["guests"] { guests = try field.integer(1...256) }
    swap = try fields.optional("swap") { value throws(PlanError) in
      try value.choice(TrialSetup.Swap.allCases.map(\.rawValue))
    }
    compressor = try fields.optional("compressor") { value throws(PlanError) in try value.name() }
    zpool = try fields.optional("zpool") { value throws(PlanError) in try value.name() }
    accelerator = try fields.optional("accelerator") { value throws(PlanError) in
      try value.choice(AcceleratorChoice.allCases.map(\.rawValue))
    }
  }
}

extension RegressionRule {
  init(_ value: YAMLValue) throws(PlanError) {
    let fields = try value.fields(["confidence", "slower", "runs"])
    if let field = fields["confidence"] { confidence = try field.number(0.5...0.999999) }
    if let field = fields["slower"] { slower = try field.number(1.1...100) }
    if let field = fields["runs"] { runs = try field.integer(3...1000) }
  }
}

extension SlurmOptions {
  init(_ value: YAMLValue) throws(PlanError) {
    let fields = try value.fields([
      "partition", "account", "block", "limit", "throttle", "notice", "options",
    ])
    partition = try fields.optional("partition") { value throws(PlanError) in try value.name() }
    account = try fields.optional("account") { value throws(PlanError) in try value.name() }
    if let field = fields["block"] { block = try field.time() }
    if let field = fields["limit"] { cellLimit = try field.time() }
    throttle = try fields.optional("throttle") { value throws(PlanError) in
      try value.integer(1...100_000)
    }
    if let field = fields["notice"] { notice = try field.time() }
    if let field = fields["options"] { options = try field.strings() }
  }
}
