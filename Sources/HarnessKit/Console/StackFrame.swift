import GuestWire

/// One function of a call trace.
public struct StackFrame: Hashable, Sendable, Codable, CustomStringConvertible {
  /// Without offset and size, and without the compiler's suffixes
  /// (`.isra.0`, `.constprop.0`, `.cold`), which change from build to build.
  public var function: String
  /// The module it belongs to, nil for the kernel proper.
  public var module: String?
  /// Where it is in the source, what was inlined there first; nil where nothing tells.
  public var places: [Place]?

  /// A line of the source.
  public struct Place: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The one that the line is in; in a frame's last place, the frame's own.
    public var function: String
    /// From the source tree's top, where that is known.
    public var file: String
    /// From 1; what debug information gives as 0 is left out.
    public var line: Int

    public var description: String { "\(function) at \(file):\(line)" }
  }

  /// As reports show it: a line for each function that was inlined, the frame's own last.
  public var lines: [String] {
    guard let places, !places.isEmpty else { return [description] }
    return places.enumerated().map { index, place in
      index == places.count - 1
        ? "\(description) at \(place.file):\(place.line)" : "\(place) (inlined)"
    }
  }

  public init(function: String, module: String? = nil) {
    self.function = function
    self.module = module
  }

  public var description: String { module.map { "\(function) [\($0)]" } ?? function }

  /// Reads ` func+0x1c/0x40 [module]` as a call trace has it, or nil. An
  /// unreliable frame (`? func`) is a leftover on the stack, not a caller: nil.
  init?(traceLine text: String) {
    guard text.hasPrefix(" ") || text.hasPrefix("\t") else { return nil }
    self.init(symbol: text.trimmed)
  }

  /// Reads `func+0x1c/0x40 [module buildid]`.
  init?(symbol text: some StringProtocol) {
    let words = text.split(separator: " ")
    guard let place = words.first, words.count <= 3 else { return nil }
    let sides = place.split(separator: "+", maxSplits: 1)
    guard sides.count == 2, sides[1].hasPrefix("0x"), sides[1].contains("/0x"),
      let name = sides[0].split(separator: ".").first,
      name.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }),
      name.utf8.count <= 128
    else { return nil }
    function = String(name)
    module = nil
    if words.count > 1 {
      guard words[1].hasPrefix("["), words.last?.hasSuffix("]") == true else { return nil }
      module = String(words[1].dropFirst().prefix { $0 != "]" })
    }
  }

  /// Ours: the module, or the call that leads to it in a kernel with the patch
  /// series. A wrapper between two kernel functions is on the way, not at fault.
  public var isHarness: Bool {
    module == "zswap_hooks" || function.hasPrefix("zh_") || function == "__zswap_hook"
      || function.hasPrefix("zswap_hooks_")
  }

  /// A function that everybody calls: says how, and not where, it went wrong.
  public var isGeneric: Bool {
    if isHarness || function.contains("list_lru") { return false }
    if StackFrame.genericNames.contains(function) { return true }
    return StackFrame.genericPrefixes.contains { function.hasPrefix($0) }
  }

  private static let genericNames: Set<String> = [
    "die", "die_addr", "panic", "vpanic", "schedule", "valid_state", "oops_end", "report_bug",
    "handle_bug", "bad_page", "bad_area_nosemaphore", "page_fault_oops", "free_page_is_bad_report",
    "do_user_addr_fault", "kernelmode_fixup_or_oops", "object_err", "check_noncircular",
    "validate_chain", "do_trap", "do_error_trap",
  ]

  private static let genericPrefixes = [
    // The reporters.
    "kasan", "__kasan", "__asan", "asan_", "check_region_inline", "kcsan", "__tsan", "__ubsan",
    "ubsan", "kfence", "__kfence", "kmsan", "__msan", "dump_stack", "print_", "__warn",
    "warn_slowpath", "__die", "asm_exc_", "exc_", "asm_sysvec", "sysvec_", "asm_common_interrupt",
    "nmi_", "__might_", "refcount_warn", "debug_", "check_bytes", "check_slab", "check_object",
    "slab_", "__slab", "___slab", "validate_slab", "watchdog_",
    // lockdep.
    "lockdep", "lock_acquire", "lock_release", "__lock_acquire", "__lock_release", "check_prev",
    "mark_lock", "check_wait_context", "register_lock_class", "assign_lock_key",
    // Locks and sleeping.
    "_raw_spin_", "__raw_spin", "do_raw_spin", "queued_spin", "native_queued", "spin_bug",
    "mutex_", "__mutex_", "down_", "__down_", "up_", "__up_", "rwsem_", "__schedule",
    "schedule_", "io_schedule", "preempt_schedule", "__cond_resched", "wait_for_completion",
    "__wait_for_common", "wait_for_common", "folio_wait_bit", "__folio_lock", "__rcu_read_",
    "rcu_read_", "dequeue_task", "finish_task_switch",
    // Containers, memory and strings.
    "xas_", "xa_", "__xas_", "__xa_", "__list_", "list_", "rb_", "__rb_", "memcpy", "memset",
    "memmove", "memcmp", "__memcpy", "__memset", "__memmove", "strlen", "kfree", "kvfree",
    "kmem_cache_", "kmalloc", "__kmalloc", "__kmem_cache", "__call_rcu", "call_rcu",
  ]
}
