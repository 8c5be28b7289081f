/// What a page of a trial holds: a function of the run's seed, the page's number
/// and its generation, so that stale data is told from foreign, lost and corrupt.
///
/// Never all zero, as zero pages do not reach zswap; compressible about eight
/// times, as an incompressible page does not either, unless that is what it is for.
struct PageStamp: Equatable {
  static let size = 4096
  private static let words = size / 8
  /// One word in so many differs from its neighbours.
  private var stride: Int {
    generation & (Self.incompressible | Self.barelyCompressible) == 0 ? 8 : 1
  }
  /// Up to here all words after the header are alike. At the beginning: LZO looks the
  /// less closely the longer it has found nothing.
  private var alike: Int {
    generation & Self.barelyCompressible == 0 ? 0 : Self.headerWords + Self.alikeWords
  }
  private static let headerWords = 4
  /// Added to a generation: zswap rejects such a page, and the disk gets it.
  static let incompressible: UInt64 = 1 << 63
  /// Added to a generation: the page compresses by so little that zbud, which has a
  /// header in each page of its own, has no room for it.
  static let barelyCompressible: UInt64 = 1 << 62
  private static let alikeWords = 18
  private static let magic: UInt64 = 0x7A73_7761_7053_7470

  let seed: UInt64
  let page: UInt64
  let generation: UInt64

  /// splitmix64's output function.
  private static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9E37_79B9_7F4A_7C15
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  private var key: UInt64 {
    Self.mix(Self.mix(Self.mix(seed) ^ page) ^ generation)
  }

  private func word(_ index: Int, key: UInt64) -> UInt64 {
    switch index {
    case 0: Self.magic
    case 1: page
    case 2: generation
    case 3: seed
    default: Self.mix(key &+ UInt64(index < alike ? 0 : index / stride * stride)) | 1
    }
  }

  func write(to memory: UnsafeMutableRawPointer) {
    let target = memory.bindMemory(to: UInt64.self, capacity: Self.words)
    let key = key
    let stride = stride
    var index = 0
    while index < Self.words {
      let value = word(max(index, Self.headerWords), key: key)
      for offset in index..<index + stride {
        target[offset] = offset < Self.headerWords ? word(offset, key: key) : value
      }
      index += stride
    }
  }

  enum Reading: Equatable {
    case intact
    /// This page, in an earlier generation.
    case stale(generation: UInt64)
    /// Another page of this seed.
    case foreign(page: UInt64, generation: UInt64)
    /// All zero.
    case lost
    case corrupt(word: Int)
  }

  /// What the memory holds, where this stamp is expected.
  func read(from memory: UnsafeRawPointer) -> Reading {
    let source = memory.bindMemory(to: UInt64.self, capacity: Self.words)
    guard let bad = firstMismatch(source) else { return .intact }
    if (0..<Self.words).allSatisfy({ source[$0] == 0 }) { return .lost }
    // A whole page of ours, of another time or place? Its header only is not
    // enough: half a page of each is corruption.
    let other = PageStamp(seed: seed, page: source[1], generation: source[2])
    guard source[0] == Self.magic, other.firstMismatch(source) == nil else {
      return .corrupt(word: bad)
    }
    return other.page == page
      ? .stale(generation: other.generation)
      : .foreign(page: other.page, generation: other.generation)
  }

  private func firstMismatch(_ source: UnsafePointer<UInt64>) -> Int? {
    let key = key
    let stride = stride
    var index = 0
    while index < Self.words {
      let value = word(max(index, Self.headerWords), key: key)
      for offset in index..<index + stride {
        let expected = offset < Self.headerWords ? word(offset, key: key) : value
        if source[offset] != expected { return offset }
      }
      index += stride
    }
    return nil
  }
}
