package dev.tern.lsm;

/// The few choices of a store. Compaction style and compression are those of a column family.
///
/// @param memoryBytes for everything: memtables, block cache, filters and indexes, buffers
/// @param threads flushes and compactions that may run at once; at least 1
/// @param durability of [Lsm#write(WriteBatch)]
/// @param tuning what follows from the memory, unless a test wants it otherwise
public record LsmOptions(long memoryBytes, int threads, Durability durability, Tuning tuning) {
  /// 256 MiB, two threads, synced.
  public static final LsmOptions DEFAULT = ofMemory(256L << 20);

  /// Sizes that are derived from the memory.
  ///
  /// @param memtableBytes a flush begins when the memtables of all families hold this much
  /// @param cacheBytes bound of the block cache, filters and indexes included
  /// @param blockBytes data block size before compression
  /// @param tableBytes a compaction begins a new table beyond it
  /// @param planted a mistake for tests to find; [LsmBug#NONE] otherwise
  public record Tuning(
      long memtableBytes, long cacheBytes, int blockBytes, long tableBytes, LsmBug planted) {
    public Tuning {
      if (memtableBytes < 1024 || blockBytes < 128 || tableBytes < 512 || cacheBytes < 0) {
        throw new IllegalArgumentException(
            "a memtable needs 1 KiB, a table 512 bytes, a block 128; a cache is not negative");
      }
    }
  }

  public LsmOptions {
    java.util.Objects.requireNonNull(durability);
    java.util.Objects.requireNonNull(tuning);
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
    return new LsmOptions(memoryBytes, 2, Durability.SYNC, tuning);
  }

  public LsmOptions withThreads(int count) {
    return new LsmOptions(memoryBytes, count, durability, tuning);
  }

  public LsmOptions withDurability(Durability chosen) {
    return new LsmOptions(memoryBytes, threads, chosen, tuning);
  }

  /// For tests and benchmarks; the memory is then what the sizes add up to.
  public LsmOptions withTuning(Tuning chosen) {
    return new LsmOptions(
        4 * chosen.memtableBytes() + chosen.cacheBytes(), threads, durability, chosen);
  }
}
