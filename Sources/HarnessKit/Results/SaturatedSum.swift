extension FixedWidthInteger {
  /// The sum, or the most that there is: a guest's numbers are not to be trusted, and no sum of
  /// them is to end this process.
  func addingSaturated(_ other: Self) -> Self {
    let (sum, isOver) = addingReportingOverflow(other)
    return isOver ? .max : sum
  }
}
