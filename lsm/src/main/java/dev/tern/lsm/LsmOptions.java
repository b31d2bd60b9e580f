package dev.tern.lsm;

import org.jspecify.annotations.Nullable;

/// The few choices of a store. Compaction style and compression are those of a column family.
///
/// @param memoryBytes for everything: memtables, block cache, filters and indexes, buffers, what
///   flushes and compactions write through; see docs/lsm.md for what it bounds
/// @param threads flushes and compactions that may run at once; at least 1
/// @param durability of [Lsm#write(WriteBatch)]
/// @param tuning what follows from the memory, unless a test wants it otherwise
/// @param flushesAtClose whether [Lsm#close] writes the memtables to tables, so that the next
///   opening replays nothing and no log is left
/// @param hasLog whether what is written goes to a write-ahead log; see [#withoutLog]
/// @param archive gets each log before its file goes
/// @param group what the store shares with others, null for nothing; see [LsmGroup#options]
public record LsmOptions(
    long memoryBytes,
    int threads,
    Durability durability,
    Tuning tuning,
    boolean flushesAtClose,
    boolean hasLog,
    LogArchive archive,
    @Nullable LsmGroup group) {
  /// 256 MiB, two threads, synced.
  public static final LsmOptions DEFAULT = ofMemory(256L << 20);

  /// Sizes that are derived from the memory.
  ///
  /// @param memtableBytes a flush begins when the memtables of all families hold this much
  /// @param cacheBytes bound of the block cache, filters and indexes included
  /// @param blockBytes data block size before compression
  /// @param tableBytes a compaction begins a new table beyond it
  /// @param planted a mistake for tests to find; [LsmBug#NONE] otherwise
  /// @param openTables whose files are open at once, but for those that iterators stand in
  public record Tuning(
      long memtableBytes,
      long cacheBytes,
      int blockBytes,
      long tableBytes,
      LsmBug planted,
      int openTables) {
    /// Memory for each table that may be open: a store that has less keeps fewer files open.
    private static final long BYTES_OF_OPEN_TABLE = 512 << 10;

    private static final int LEAST_FILTER_BYTES = 1 << 10;
    private static final int MOST_FILTER_BYTES = 256 << 10;
    private static final int LEAST_OPEN_TABLES = 16;
    private static final int MOST_OPEN_TABLES = 4096;

    public Tuning {
      if (memtableBytes < 1024 || blockBytes < 128 || tableBytes < 512 || cacheBytes < 0) {
        throw new IllegalArgumentException(
            "a memtable needs 1 KiB, a table 512 bytes, a block 128; a cache is not negative");
      }
      if (openTables < 1) {
        throw new IllegalArgumentException("a table must be open to be read");
      }
    }

    /// As many open tables as the memory is half megabytes: 16 to 4,096.
    public Tuning(
        long memtableBytes, long cacheBytes, int blockBytes, long tableBytes, LsmBug planted) {
      this(
          memtableBytes,
          cacheBytes,
          blockBytes,
          tableBytes,
          planted,
          Math.clamp(
              (4 * memtableBytes + cacheBytes) / BYTES_OF_OPEN_TABLE,
              LEAST_OPEN_TABLES,
              MOST_OPEN_TABLES));
    }

    /// Of a part of a table's filter: small beside the cache, which parts come to and go from.
    int filterBytes() {
      return Math.clamp(cacheBytes / 64, LEAST_FILTER_BYTES, MOST_FILTER_BYTES);
    }

    /// With another bound of open tables.
    public Tuning withOpenTables(int most) {
      return new Tuning(memtableBytes, cacheBytes, blockBytes, tableBytes, planted, most);
    }
  }

  public LsmOptions {
    java.util.Objects.requireNonNull(durability);
    java.util.Objects.requireNonNull(tuning);
    java.util.Objects.requireNonNull(archive);
    if (!hasLog && durability != Durability.NONE) {
      throw new IllegalArgumentException("without a log nothing is durable before its flush");
    }
    if (!hasLog && !flushesAtClose) {
      throw new IllegalArgumentException("a store without a log is flushed when it is closed");
    }
    if (memoryBytes < 1) {
      throw new IllegalArgumentException("a store needs memory, not " + memoryBytes + " bytes");
    }
    if (threads < 1 || threads > 64) {
      throw new IllegalArgumentException("threads must be 1 to 64, not " + threads);
    }
  }

  /// Two threads, synced; sizes as follows from the memory: an eighth for a memtable (at most 64
  /// MiB, and up to four of them), the rest for the cache.
  ///
  /// @throws IllegalArgumentException if it is less than 4 MiB
  public static LsmOptions ofMemory(long memoryBytes) {
    if (memoryBytes < 4 << 20) {
      throw new IllegalArgumentException(
          "a store needs 4 MiB of memory, not " + memoryBytes + " bytes");
    }
    long memtable = Math.min(64L << 20, memoryBytes / 8);
    long tableBytes = Math.max(2L << 20, memtable);
    Tuning tuning =
        new Tuning(memtable, memoryBytes - 4 * memtable, 8 << 10, tableBytes, LsmBug.NONE);
    return new LsmOptions(
        memoryBytes, 2, Durability.SYNC, tuning, true, true, LogArchive.NONE, null);
  }

  public LsmOptions withThreads(int count) {
    return new LsmOptions(
        memoryBytes, count, durability, tuning, flushesAtClose, hasLog, archive, group);
  }

  public LsmOptions withDurability(Durability chosen) {
    return new LsmOptions(
        memoryBytes, threads, chosen, tuning, flushesAtClose, hasLog, archive, group);
  }

  /// Beside chosen sizes, what is neither memtable nor cache may take so much before it counts
  /// against these.
  private static final long BESIDE_BYTES = 4 << 20;

  /// For tests and benchmarks; the memory is then what the sizes add up to, and 4 MiB for what is
  /// neither memtable nor cache.
  public LsmOptions withTuning(Tuning chosen) {
    return new LsmOptions(
        4 * chosen.memtableBytes() + chosen.cacheBytes() + BESIDE_BYTES,
        threads,
        durability,
        chosen,
        flushesAtClose,
        hasLog,
        archive,
        group);
  }

  /// [Lsm#close] waits for nothing but an fsync, and keeps the log, cut to what was written to it.
  /// The next opening replays that.
  ///
  /// @throws IllegalArgumentException if no log is kept
  public LsmOptions withLogKeptAtClose() {
    return new LsmOptions(memoryBytes, threads, durability, tuning, false, hasLog, archive, group);
  }

  /// A store that keeps no log, for what another log brings back, as that of a Raft group does for
  /// its state machine. After a crash it has exactly what was written up to [Lsm#flushedSequence],
  /// of all column families alike. [Lsm#write] takes [Durability#NONE] alone; [Lsm#flush] and
  /// [Lsm#requestFlush] make durable, and [Lsm#afterFlush] tells what is. [Lsm#close] flushes, and
  /// throws if it cannot.
  ///
  /// @throws IllegalArgumentException after [#withLogKeptAtClose]
  public LsmOptions withoutLog() {
    return new LsmOptions(
        memoryBytes, threads, Durability.NONE, tuning, flushesAtClose, false, archive, group);
  }

  /// Each log is given to an archive before its file goes.
  public LsmOptions withArchive(LogArchive chosen) {
    return new LsmOptions(
        memoryBytes, threads, durability, tuning, flushesAtClose, hasLog, chosen, group);
  }

  LsmOptions in(LsmGroup shared) {
    return new LsmOptions(
        memoryBytes, threads, durability, tuning, flushesAtClose, hasLog, archive, shared);
  }
}
