import Foundation

/// A kind of virtual machine: data, one file of `qemu/machines/` each.
public struct Machine: Hashable, Sendable, Codable {
  /// The CPU model under each accelerator.
  public struct CPUModel: Hashable, Sendable, Codable {
    /// What `-cpu` is given under TCG.
    public var tcg: String
    /// What `-cpu` is given under KVM.
    public var kvm: String

    public init(tcg: String, kvm: String) {
      self.tcg = tcg
      self.kvm = kvm
    }
  }

  /// The bus that virtio devices sit on.
  public enum Transport: String, Hashable, Sendable, Codable {
    /// virtio-blk-pci and virtio-serial-pci.
    case pci
    /// virtio-blk-device and virtio-serial-device, as microvm has them.
    case mmio
  }

  /// The file's, without `.json`; what `--machine` takes.
  public var name: String
  /// Why the odder values are as they are.
  public var notes: [String]
  /// QEMU's `-M`.
  public var machine: String
  /// The run's accelerator decides which of the two is taken.
  public var cpu: CPUModel
  /// The guest's, above 0, where `--cpus` says nothing.
  public var cpus: Int
  /// The guest's, above 0, where `--memory` says nothing; a kernel with a sanitizer gets more.
  public var memoryMiB: Int
  /// Which variants of the virtio devices QEMU is given.
  public var transport: Transport
  /// Further QEMU arguments.
  public var arguments: [String]
  /// Words for the kernel's command line. `{tscKHz}` stands for the host's TSC
  /// frequency; a word with it is left out where that is unknown.
  public var kernelWords: [String]
  /// More of them, for emulated CPUs only.
  public var emulatedKernelWords: [String]

  public init(
    name: String, notes: [String] = [], machine: String, cpu: CPUModel, cpus: Int, memoryMiB: Int,
    transport: Transport = .pci, arguments: [String] = [], kernelWords: [String] = [],
    emulatedKernelWords: [String] = []
  ) {
    self.name = name
    self.notes = notes
    self.machine = machine
    self.cpu = cpu
    self.cpus = cpus
    self.memoryMiB = memoryMiB
    self.transport = transport
    self.arguments = arguments
    self.kernelWords = kernelWords
    self.emulatedKernelWords = emulatedKernelWords
  }

  /// Why a machine cannot be read.
  public enum LoadError: FaultError, Equatable, CustomStringConvertible {
    /// There is no file of that name; `known` are the names that there are.
    case unknown(name: String, known: [String], folder: String)
    /// The file is no machine, is named otherwise, or has no CPU or no memory.
    case invalid(path: String, why: String)

    public var description: String {
      switch self {
      case .unknown(let name, let known, let folder):
        "there is no machine “\(name)” in \(folder); there are "
          + (known.isEmpty ? "none" : known.joined(separator: ", "))
      case .invalid(let path, let why): "read machine \(path): \(why)"
      }
    }

    /// A wrong name is the caller's fault, a wrong file the checkout's.
    public var fault: HarnessFailure.Kind {
      switch self {
      case .unknown: .usage
      case .invalid: .harness
      }
    }
  }

  /// Reads `NAME.json` in a folder (`qemu/machines`).
  public static func named(_ name: String, in folder: URL) throws(LoadError) -> Machine {
    let file = folder.appending(path: "\(name).json")
    guard !name.contains("/"), let data = FileManager.default.contents(atPath: file.path) else {
      let known = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
      throw .unknown(
        name: name,
        known: known.filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }.sorted(),
        folder: folder.path)
    }
    let machine: Machine
    do {
      machine = try JSONDecoder().decode(Machine.self, from: data)
    } catch {
      throw .invalid(path: file.path, why: String(describing: error))
    }
    guard machine.name == name, machine.cpus > 0, machine.memoryMiB > 0 else {
      throw .invalid(
        path: file.path, why: "name must be the file's, and cpus and memoryMiB above zero")
    }
    return machine
  }
}
