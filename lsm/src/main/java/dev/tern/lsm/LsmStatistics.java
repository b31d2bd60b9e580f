package dev.tern.lsm;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Figures of a store at a moment. Counts are since it was opened.
///
/// @param memory who holds what of the budget
/// @param openTables tables whose files are open
/// @param levels tables and bytes of each level, all column families together
/// @param immutableMemtables waiting to be flushed
/// @param flushes done
/// @param compactions done
/// @param logBytes appended to the log
/// @param logSyncs fsyncs of the log
/// @param flushBytes written to tables by flushes
/// @param compactionBytesRead read from tables by compactions
/// @param compactionBytesWritten written to tables by compactions
/// @param tablesDropped tables that went without being read: what they held was deleted or too old
/// @param ingests that made tables from outside readable
/// @param ingestBytes of the tables that they made readable
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
/// @param logsNotArchived logs whose files went without having been taken by [LogArchive]
/// @param archiveFailure why the archive does not take the logs that wait for it, null if none
///   waits
/// @param undeleted files that are not needed and could not be deleted; the next open tries again
public record LsmStatistics(
    Memory memory,
    int openTables,
    List<Level> levels,
    int immutableMemtables,
    long flushes,
    long compactions,
    long logBytes,
    long logSyncs,
    long flushBytes,
    long compactionBytesRead,
    long compactionBytesWritten,
    long tablesDropped,
    long ingests,
    long ingestBytes,
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
    long logsNotArchived,
    @Nullable String archiveFailure,
    long undeleted) {

  /// Who holds what, bytes. Of a store of an [LsmGroup]: the budget of the group, and what the
  /// store holds of it; the cache, buffers and what is kept for the next memtables are the group's.
  ///
  /// @param budget what the store was given
  /// @param memtables all of them, and what is kept for the next ones
  /// @param cache the block cache: its blocks, and what finds them
  /// @param filtersAndIndexes of the open tables; they shrink the cache
  /// @param buffers for blocks outside the cache
  /// @param tables the lists of tables and column families, and handles of open files
  /// @param jobs what flushes and compactions write through
  /// @param log what the log gathers
  public record Memory(
      long budget,
      long memtables,
      long cache,
      long filtersAndIndexes,
      long buffers,
      long tables,
      long jobs,
      long log) {
    /// By all of these.
    public long held() {
      return memtables + cache + filtersAndIndexes + buffers + tables + jobs + log;
    }
  }

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
