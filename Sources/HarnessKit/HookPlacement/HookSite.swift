import GuestWire

/// A row of ``HookSite/table``: a hook point in one design of the code around it.
struct HookSite: Sendable {
  /// As `writeback@unlocked`.
  let point: String
  let file: String
  /// Where the point is: `zswap_load`, or `SYSCALL_DEFINE1(swapoff`.
  let function: String
  /// Tokens that the function has in this design, where its name does not say it.
  let having: String?
  let insertions: [HookInsertion]
  /// Why there is no such point in this design.
  let absence: String?

  init(
    _ point: String, in function: String, having: String? = nil, file: String = "mm/zswap.c",
    _ insertions: [HookInsertion]
  ) {
    self.init(point, function, having, file, insertions, absence: nil)
  }

  init(_ point: String, in function: String, having: String? = nil, absent reason: String) {
    self.init(point, function, having, "mm/zswap.c", [], absence: reason)
  }

  private init(
    _ point: String, _ function: String, _ having: String?, _ file: String,
    _ insertions: [HookInsertion], absence: String?
  ) {
    precondition(HookPoint(rawValue: point) != nil, "no hook point “\(point)”")
    self.point = point
    self.function = function
    self.having = having
    self.file = file
    self.insertions = insertions
    self.absence = absence
  }

  /// `ZSWAP_HOOK_WRITEBACK_UNLOCKED`
  static func constant(of point: String) -> String {
    "ZSWAP_HOOK_"
      + point.uppercased().replacing("@", with: "_").replacing("-", with: "_")
  }
}

/// Lines that are put beside a statement.
struct HookInsertion: Sendable {
  enum Side: Sendable { case before, after }

  /// With a blank line on either side, or not.
  enum Spacing: Sendable { case apart, close }

  /// The statement's, as tokens: `spin_unlock(` finds any lock's.
  let anchor: String
  let side: Side
  /// The search begins behind the statement that has these tokens.
  let behind: String?
  /// Whether it goes beside each statement that has the anchor, and there may be none.
  let isRepeated: Bool
  let spacing: Spacing
  /// The call's arguments; without them, no call.
  let call: (slot: String, result: String)?
  var condition: String?
  var linesBefore: [String] = []
  var linesAfter: [String] = []

  static func before(
    _ anchor: String, behind: String? = nil, spacing: Spacing = .apart, slot: String,
    result: String = "0", condition: String? = nil, linesBefore: [String] = []
  ) -> HookInsertion {
    HookInsertion(
      anchor: anchor, side: .before, behind: behind, isRepeated: false, spacing: spacing,
      call: (slot, result), condition: condition, linesBefore: linesBefore)
  }

  static func after(
    _ anchor: String, behind: String? = nil, spacing: Spacing = .apart, slot: String,
    result: String = "0", condition: String? = nil, linesBefore: [String] = [],
    linesAfter: [String] = []
  ) -> HookInsertion {
    HookInsertion(
      anchor: anchor, side: .after, behind: behind, isRepeated: false, spacing: spacing,
      call: (slot, result), condition: condition, linesBefore: linesBefore,
      linesAfter: linesAfter)
  }

  /// What a later call of the same function needs.
  static func line(_ line: String, after anchor: String) -> HookInsertion {
    HookInsertion(
      anchor: anchor, side: .after, behind: nil, isRepeated: false, spacing: .close, call: nil,
      linesBefore: [line])
  }

  /// Before each `return` of these values that stands behind a statement.
  static func returns(
    behind: String, slot: String, _ results: KeyValuePairs<String, String>
  ) -> [HookInsertion] {
    results.map { value, result in
      HookInsertion(
        anchor: "return \(value);", side: .before, behind: behind, isRepeated: true,
        spacing: .close, call: (slot, result))
    }
  }
}
