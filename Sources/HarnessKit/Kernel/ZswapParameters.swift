/// What zswap is told on the kernel's command line.
///
/// A kernel that does not have what is named takes its own default, and says so in its log
/// only: a run with another compressor than the one that was asked for would go by unseen.
/// So what is named has to be built in; a module is not there yet when zswap starts.
struct ZswapParameters {
  var compressor: String?
  var zpool: String?

  func kernelWords(for config: KernelConfig) throws(HarnessFailure) -> [String] {
    var words: [String] = []
    if let compressor {
      let option = "CRYPTO_" + compressor.uppercased().replacing("-RLE", with: "")
      try require(option, for: "compressor \(compressor)", in: config)
      words.append("zswap.compressor=\(compressor)")
    }
    if let zpool {
      try require(zpool.uppercased(), for: "zpool \(zpool)", in: config)
      words.append("zswap.zpool=\(zpool)")
    }
    return words
  }

  private func require(
    _ option: String, for what: String, in config: KernelConfig
  ) throws(HarnessFailure) {
    guard config[option] == .yes else {
      throw HarnessFailure(
        .kernelUnusable, "this kernel has no \(what) built in: CONFIG_\(option)=y")
    }
  }
}
