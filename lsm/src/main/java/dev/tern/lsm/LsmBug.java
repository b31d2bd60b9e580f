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
  TABLE_NOT_FORCED,
  /// A compaction lists the snapshots before it chooses its inputs: one taken in between is not in
  /// the list.
  SNAPSHOTS_BEFORE_INPUTS;

  /// Whether only the engine's own model can see it: a cluster takes no snapshots.
  public boolean isOfTheEngineAlone() {
    return this == SNAPSHOTS_BEFORE_INPUTS;
  }
}
