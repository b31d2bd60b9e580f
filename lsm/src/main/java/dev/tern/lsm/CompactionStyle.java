package dev.tern.lsm;

/// How a column family's tables are merged.
public enum CompactionStyle {
  /// Tables of similar size, next to each other in age, are merged into one (Cassandra, Bigtable).
  SIZE_TIERED
}
