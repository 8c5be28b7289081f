import GuestWire

/// A report of KCSAN's, taken apart: kernel/kcsan/report.c prints what each side did, and
/// its stack.
struct DataRace {
  /// Innermost first; two of them, or one where the other is not known.
  private(set) var sides: [[StackFrame]] = []

  init(excerpt: String) {
    var isInStack = false
    for raw in excerpt.split(separator: "\n") {
      let text = ConsoleLine(raw).text
      if text.contains(" bytes by "), text.hasSuffix(":") {
        sides.append([])
        isInStack = true
      } else if text.isEmpty {
        isInStack = false
      } else if isInStack, let frame = StackFrame(traceLine: text) {
        sides[sides.count - 1].append(frame)
      }
    }
  }

  /// Whether neither side has anything to do with memory management: the kernel's own race,
  /// and no word about zswap.
  var isElsewhere: Bool { sides.count == 2 && sides.allSatisfy(Self.isElsewhere) }

  /// Callers that are looked at: what a helper touches is its caller's.
  private static let depth = 4

  /// Told by the innermost functions, up to where our module has called the kernel or an
  /// interrupt has come: what lies beyond did not ask for it.
  private static func isElsewhere(_ side: [StackFrame]) -> Bool {
    var isTold = false
    for frame in side.prefix(depth) {
      if isTold, frame.isHarness || isInterrupt(frame) { return true }
      if frame.isHarness || memoryWords.contains(where: { frame.function.contains($0) }) {
        return false
      }
      if !frame.isGeneric { isTold = true }
    }
    return isTold
  }

  private static func isInterrupt(_ frame: StackFrame) -> Bool {
    ["asm_sysvec_", "asm_common_interrupt", "asm_exc_"].contains {
      frame.function.hasPrefix($0)
    }
  }

  /// What the functions of mm/, and what they call for their own, have in their names.
  /// Rather too many: a race that one of these hits is a finding.
  private static let memoryWords = [
    "swap", "shrink", "reclaim", "lru", "memcg", "mem_cgroup", "objcg", "obj_cgroup", "zs_",
    "zpool", "zbud", "z3fold", "folio", "page", "pte", "pmd", "slab", "kmem", "alloc", "free",
    "mm_", "_mm", "vma", "mmap", "madvise", "fault", "writeback", "cgroup", "scan", "compact",
    "rmap", "crypto", "acomp", "lzo", "zstd",
  ]
}

extension Splat {
  /// See `DataRace.isElsewhere`.
  var isRaceElsewhere: Bool {
    kind == .kcsan && !inHarnessModule && DataRace(excerpt: excerpt).isElsewhere
  }
}
