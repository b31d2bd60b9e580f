package dev.tern.lsm;

/// Mistakes that tests switch on to measure whether the simulator finds them.
public enum LsmBug {
  NONE,
  /// The log is said to be on disk when only the operating system has it.
  SKIP_FSYNC,
  /// A flush loses the newest version of a key that has several.
  FLUSH_KEEPS_OLDER,
  /// A compaction prefers the older table.
  COMPACTION_KEEPS_OLDER,
  /// A flush does not wait for the log, and the log is deleted before the table is forced.
  TABLE_NOT_FORCED
}
