package dev.tern.lsm.budget;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/// A bound of memory, how much of it is held, and how much of the rest each part may take.
///
/// What must be held is held: a block that is read, the entry that a compaction carries over, the
/// lists of tables. The other parts give way to it, in this order:
///
/// ```
///   |<------------------------- bytes ------------------------------->|
///   | memtables: 4 x memtableBytes | cacheBytes: cache and indexes    |
///                                  | [cache][indexes][ what must be ] |
///                          3. flush       2.   1. shrink
///                             earlier  <-------------------
/// ```
///
/// - the cache shrinks, down to a quarter of its bytes;
/// - filters and indexes are forgotten, down to another quarter;
/// - memtables are flushed earlier, down to a quarter of their size, and one compaction runs at a
///   time.
///
/// Any thread.
public class MemoryBudget {
  /// Memtables of full size for which there is room; see [#memtableLimit].
  private static final int MEMTABLES = 4;

  /// The part of the cache's bytes that blocks keep, and that indexes keep, whatever others hold.
  private static final int LEAST_SHARE = 4;

  private static final MemoryPart[] PARTS = MemoryPart.values();

  private final long bytes;
  private final long memtableBytes;
  private final long cacheBytes;
  private final AtomicLongArray held = new AtomicLongArray(PARTS.length);

  /// Of the parts that neither give way nor have room of their own.
  private final AtomicLong fixed = new AtomicLong();

  /// @param bytes the bound
  /// @param memtableBytes of one memtable, of which there may be four
  /// @param cacheBytes the most that cached blocks, filters and indexes take
  public MemoryBudget(long bytes, long memtableBytes, long cacheBytes) {
    this.bytes = bytes;
    this.memtableBytes = memtableBytes;
    this.cacheBytes = cacheBytes;
  }

  /// Bounds cache and indexes alone.
  public static MemoryBudget ofCache(long cacheBytes) {
    return new MemoryBudget(Long.MAX_VALUE / 2, 0, cacheBytes);
  }

  void add(MemoryPart part, long more) {
    long now = held.addAndGet(part.ordinal(), more);
    assert now >= 0 : part + " gave back more than it held";
    switch (part) {
      case MEMTABLES, CACHE, INDEXES -> {}
      case TABLES, FILES, BUFFERS, JOBS, LOG -> fixed.addAndGet(more);
    }
  }

  /// The bound, bytes.
  public long bytes() {
    return bytes;
  }

  /// Bytes that a part holds, of all accounts.
  public long held(MemoryPart part) {
    return held.get(part.ordinal());
  }

  /// Bytes that all parts hold.
  public long held() {
    long sum = 0;
    for (int i = 0; i < PARTS.length; i++) {
      sum += held.get(i);
    }
    return sum;
  }

  private long memtableRoom() {
    return Math.max(MEMTABLES * memtableBytes, held(MemoryPart.MEMTABLES));
  }

  /// Bytes that cached blocks may take now.
  ///
  /// @param beside what the cache takes beside them
  public long cacheLimit(long beside) {
    long indexes = held(MemoryPart.INDEXES);
    long left = bytes - memtableRoom() - fixed.get() - indexes - beside;
    return Math.max(cacheBytes / LEAST_SHARE, Math.min(cacheBytes - indexes, left));
  }

  /// Bytes that filters and top indexes may take now.
  public long indexLimit() {
    long least = cacheBytes / LEAST_SHARE;
    return Math.max(
        least, Math.min(cacheBytes - least, bytes - memtableRoom() - fixed.get() - least));
  }

  /// Bytes of memtables at which a store flushes them now.
  ///
  /// @param own bytes that its memtables hold
  public long memtableLimit(long own) {
    long others = held(MemoryPart.MEMTABLES) - own;
    long left = bytes - cacheBytes / LEAST_SHARE - fixed.get() - others;
    return Math.clamp(left / MEMTABLES, memtableBytes / LEAST_SHARE, memtableBytes);
  }

  /// Whether memtables hold more than the room of their own, as those of many small stores may
  /// though each of them is small.
  public boolean isBeyondRoom() {
    return held(MemoryPart.MEMTABLES) > MEMTABLES * memtableBytes;
  }

  /// Whether more is held than the bound.
  public boolean isOver() {
    return held() > bytes;
  }

  /// Whether so much must be held that memtables have less than their room.
  public boolean isCrowded() {
    return fixed.get() + memtableRoom() > bytes - cacheBytes / LEAST_SHARE;
  }
}
