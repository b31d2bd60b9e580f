package dev.tern.lsm;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Figures of a store at a moment. Counts are since it was opened.
///
/// @param memory who holds what of the budget
/// @param levels tables and bytes of each level, all column families together
/// @param immutableMemtables waiting to be flushed
/// @param flushes done
/// @param compactions done
/// @param logBytes appended to the log
/// @param logSyncs fsyncs of the log
/// @param flushBytes written to tables by flushes
/// @param compactionBytesRead read from tables by compactions
/// @param compactionBytesWritten written to tables by compactions
/// @param cacheHits block reads served by the cache
/// @param cacheMisses block reads that went to a file
/// @param cacheRefused blocks read that were not worth their room in the cache
/// @param delayedNanos that writers were held up
/// @param pacedNanos that compactions held back
/// @param backgroundFailures flushes and compactions that failed and will be tried again
/// @param snapshots open
/// @param oldestSnapshotMillis age of the oldest open snapshot, 0 for none
/// @param iterators open
/// @param oldestIteratorMillis age of the oldest open iterator, 0 for none
/// @param unreclaimed read states and blocks that wait for readers to leave
/// @param lastFailure what the last of them said, which names the file; null if none failed
/// @param tablesSetAside tables that made compactions fail and that none takes for a while
/// @param logBytesDropped behind the ends of logs when the store was opened; see [Lsm#recovery]
/// @param undeleted files that are not needed and could not be deleted; the next open tries again
public record LsmStatistics(
    Memory memory,
    List<Level> levels,
    int immutableMemtables,
    long flushes,
    long compactions,
    long logBytes,
    long logSyncs,
    long flushBytes,
    long compactionBytesRead,
    long compactionBytesWritten,
    long cacheHits,
    long cacheMisses,
    long cacheRefused,
    long delayedNanos,
    long pacedNanos,
    long backgroundFailures,
    @Nullable String lastFailure,
    int tablesSetAside,
    int snapshots,
    long oldestSnapshotMillis,
    int iterators,
    long oldestIteratorMillis,
    int unreclaimed,
    long logBytesDropped,
    long undeleted) {

  /// Who holds what, bytes.
  ///
  /// @param budget what the store was given
  /// @param memtables all of them, and what is kept for the next ones
  /// @param cache the block cache's slabs
  /// @param filtersAndIndexes of the open tables; they shrink the cache
  /// @param buffers for blocks outside the cache
  public record Memory(
      long budget, long memtables, long cache, long filtersAndIndexes, long buffers) {}

  /// Tables of one level.
  public record Level(int tables, long bytes) {}

  /// Held by all memtables.
  public long memtableBytes() {
    return memory.memtables();
  }

  /// In all column families.
  public int tables() {
    return levels.stream().mapToInt(Level::tables).sum();
  }

  /// On disk.
  public long tableBytes() {
    return levels.stream().mapToLong(Level::bytes).sum();
  }

  /// Held by the block cache.
  public long cacheBytes() {
    return memory.cache();
  }
}
