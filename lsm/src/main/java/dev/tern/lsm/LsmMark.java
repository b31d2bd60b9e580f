package dev.tern.lsm;

/// Rare states of a store that some seed of the engine's model must reach, see
/// [dev.tern.env.CoverageMarks].
public enum LsmMark {
  /// A log ends in bytes that are not whole, which are dropped.
  TORN_TAIL_DROPPED,
  /// A whole log is dropped, as one before it ends too early.
  LOG_BEHIND_HOLE_DROPPED,
  /// A memtable with deleted ranges becomes tables.
  DELETED_RANGES_FLUSHED,
  /// A flush fails, and what it has written goes.
  FLUSH_FAILED,
  /// A table that makes a compaction fail is left alone for a while.
  TABLE_SET_ASIDE,
  /// A manifest that grew too long is begun anew.
  MANIFEST_BEGUN_ANEW,
  /// An iterator goes to other memtables or tables than it stood on.
  REFRESHED_OVER_CHANGE,
  /// A checkpoint is made while a flush or a compaction is under way or due.
  CHECKPOINT_BESIDE_JOB,
  /// A write waits, as compactions are behind.
  WRITE_DELAYED
}
