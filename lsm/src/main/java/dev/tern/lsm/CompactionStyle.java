package dev.tern.lsm;

/// How a column family's tables are merged. The ordinal is written to files: add at the end only.
public enum CompactionStyle {
  /// Runs of similar size are merged into one: the least is written, reads look into more runs, and
  /// a merge needs as much room again.
  SIZE_TIERED,
  /// Levels of disjoint tables, each ten times the one above, sized from the last one up (Dong et
  /// al., "Optimizing Space Amplification in RocksDB", 2017): the default. Reads look into one
  /// table a level.
  LEVELED,
  /// Nothing is merged; the oldest tables are dropped when the family grows past its bound or they
  /// are older than its time to live. For caches.
  FIFO
}
