package dev.tern.lsm;

/// Figures of a store at a moment.
///
/// @param memtableBytes held by the memtable being written
/// @param immutableMemtables waiting to be flushed
/// @param tables in all column families
/// @param tableBytes on disk
/// @param cacheBytes held by the block cache
/// @param flushes done since the store was opened
/// @param compactions done since the store was opened
/// @param logBytes appended to the log since the store was opened
/// @param logSyncs log fsyncs since the store was opened
/// @param cacheHits block reads served by the cache
/// @param cacheMisses block reads that went to a file
/// @param backgroundFailures flushes and compactions that failed and will be tried again
public record LsmStatistics(
    long memtableBytes,
    int immutableMemtables,
    int tables,
    long tableBytes,
    long cacheBytes,
    long flushes,
    long compactions,
    long logBytes,
    long logSyncs,
    long cacheHits,
    long cacheMisses,
    long backgroundFailures) {}
