import HarnessKit
import Mustache

/// All reports of a night, as its folder has them.
public enum NightReports {
  /// The page's name in the folder.
  public static let page = "index.html"

  /// Writes all of them, the page last, each whole. Throws at the first that cannot be made or
  /// written; those before it are there then.
  public static func write(_ report: NightReport, to folder: NightFolder) throws {
    try folder.write(mail(of: report), to: "mail.txt")
    try folder.write(ktap(of: report), to: "ktap.txt")
    try folder.write(junit(of: report), to: "junit.xml")
    try folder.write(KCIDBReport(report).json(), to: "kcidb.json")
    try folder.write(page(of: report), to: page)
  }

  /// One page, for which no server is needed, and which runs no script.
  public static func page(of report: NightReport) throws -> String {
    try render(
      PackageResources.night_mustache,
      NightPage(report, styleSheet: HTMLReport.styleSheet + text(PackageResources.night_css)))
  }

  /// Its first line is fit for a mail's subject.
  public static func mail(of report: NightReport) throws -> String {
    try render(PackageResources.mail_mustache, NightPage(report, styleSheet: ""))
  }

  /// A test for each kernel, in it one for each cell; a cell without a verdict is `not ok`.
  public static func ktap(of report: NightReport) throws -> String {
    try render(PackageResources.ktap_mustache, NightSuites(report))
  }

  /// A suite for each kernel, in it a case for each cell.
  public static func junit(of report: NightReport) throws -> String {
    try render(PackageResources.junit_mustache, NightSuites(report))
  }

  private static func render(_ template: [UInt8], _ values: Any) throws -> String {
    ContentTypes.register()
    return try MustacheTemplate(string: text(template)).render(values)
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
}
