package dev.tern.bench.engine;

import java.nio.file.Path;

/// How an engine is opened; each takes them as near as it can.
///
/// @param directory of the store, made if it is not there
/// @param cacheBytes of the block cache, indexes and filters included
/// @param memtableBytes after which a flush begins; up to [#MEMTABLES] of them
/// @param blockBytes of a data block before compression
/// @param threads flushes and compactions at once
record EngineOptions(
    Path directory, long cacheBytes, long memtableBytes, int blockBytes, int threads) {
  static final int MEMTABLES = 4;

  EngineOptions {
    if (cacheBytes < 1 || memtableBytes < 1 || blockBytes < 1 || threads < 1) {
      throw new IllegalArgumentException("sizes and threads are positive");
    }
  }
}
