package dev.tern.lsm;

/// How blocks of a column family's tables are compressed; a block that does not shrink is stored as
/// it is. The ordinal is written to files: add at the end only.
public enum Compression {
  NONE,
  /// LZ4: fast both ways; the default.
  LZ4,
  /// Zstandard, level 1: smaller and slower.
  ZSTD
}
