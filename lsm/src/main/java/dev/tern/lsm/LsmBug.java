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
  SNAPSHOTS_BEFORE_INPUTS,
  /// A table that makes a compaction fail is chosen again at once.
  NO_TABLE_SET_ASIDE;

  /// Whether only the engine's own tests can see it: a cluster takes no snapshots, say.
  public boolean isOfTheEngineAlone() {
    return ordinal() >= SNAPSHOTS_BEFORE_INPUTS.ordinal();
  }
}
