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
  NO_TABLE_SET_ASIDE,
  /// An opening deletes every file whose name ends as those of a store do.
  FOREIGN_FILES_DELETED,
  /// A log that is shorter than the manifest knows is read as far as it goes.
  LOG_ENDS_NOT_CHECKED,
  /// A flush forgets the deleted ranges.
  FLUSH_LOSES_DELETED_RANGES,
  /// A checkpoint has tables only.
  CHECKPOINT_WITHOUT_LOG,
  /// What was gathered is not handed over when the store is closed.
  CLOSED_BEFORE_HANDOVER,
  /// Writing goes on behind a batch that is in the log and half in the memtables.
  HALF_BATCH_GOES_ON,
  /// A flush is told of before its tables are named.
  FLUSH_TOLD_EARLY,
  /// An opening deletes the logs that it has replayed before an archive has them.
  REPLAYED_LOGS_NOT_ARCHIVED,
  /// A store whose replay could not be written to tables is written to.
  WRITES_BEFORE_REPLAY_IS_SAFE,
  /// A table that a deleted range covers is dropped though a snapshot sees what it holds.
  DROP_IGNORES_SNAPSHOTS,
  /// The tables of an ingest get a sequence below an earlier deletion of their range.
  INGEST_BELOW_DELETION,
  /// Staged tables are not named in the manifest.
  STAGED_LOST_BY_CRASH,
  /// Staged tables are readable at once.
  STAGED_READABLE_EARLY,
  /// A compaction may drop a deletion that is written while an ingest is under way.
  INGEST_WITHOUT_GUARD,
  /// Of several files that are staged for one family, an ingest takes the first and forgets the
  /// others.
  INGEST_TAKES_ONE_FILE,
  /// What was ingested into a size-tiered or FIFO family lies behind older tables.
  INGEST_BEHIND_OLDER,
  /// A flush that fails leaves one more memtable each time that it is called.
  FAILED_FLUSH_ADDS_MEMTABLE,
  /// A value that has expired hides nothing any more once its table is written anew.
  EXPIRED_HIDES_NOTHING;

  /// Whether only the engine's own tests can see it: a cluster takes no snapshots, say.
  public boolean isOfTheEngineAlone() {
    return ordinal() >= SNAPSHOTS_BEFORE_INPUTS.ordinal();
  }
}
