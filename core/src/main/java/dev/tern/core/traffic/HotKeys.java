package dev.tern.core.traffic;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Which keys are read much more than others: a count-min sketch (Cormode and Muthukrishnan, "An
/// Improved Data Stream Summary", 2005, section 3) with conservative update (Estan and Varghese,
/// "New Directions in Traffic Measurement and Accounting", 2002, section 3.1.2), all of whose
/// counters are halved every second.
///
/// An estimate is never below the truth; it is above it by more than e / [#COLUMNS] (0.27 %) of all
/// reads with a chance of e^-[#ROWS] (1.8 %) at most. A key that is read at a steady rate has one
/// to two seconds' worth of reads in its counters.
///
/// A key that is hot by mistake costs little: it gets a place in the [ReadCache]. So a hash that an
/// enemy can make collide is good enough.
///
/// Threads: one shard's loop. Nothing is allocated.
public final class HotKeys {
  /// Counters are halved so often, nanoseconds.
  static final long WINDOW_NANOS = 1_000_000_000;

  /// Of the reads counted, a key must have more than one in so many to be hot.
  static final int SHARE = 100;

  static final int ROWS = 4;
  static final int COLUMNS = 1024;

  private static final int BITS_OF_ROW = 16;
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  /// Row after row.
  private final int[] counts = new int[ROWS * COLUMNS];

  private final int hotReads;
  private long total;
  private long halvedNanos;

  /// @param hotReads that a key must have in its counters to be hot
  public HotKeys(int hotReads, long nowNanos) {
    this.hotReads = hotReads;
    this.halvedNanos = nowNanos;
  }

  /// Counts a read; whether its key is hot.
  public boolean read(int keyspace, byte[] key, long nowNanos) {
    if (nowNanos - halvedNanos >= WINDOW_NANOS) {
      halve(nowNanos);
    }
    long hash = hash(keyspace, key);
    int estimate = estimate(hash) + 1;
    for (int row = 0; row < ROWS; row++) {
      int index = index(hash, row);
      // The truth is at most what the smallest says: the others need not grow.
      if (counts[index] < estimate) {
        counts[index] = estimate;
      }
    }
    total++;
    return estimate >= hotReads && (long) estimate * SHARE > total;
  }

  /// Reads of a key that its counters say.
  int estimate(int keyspace, byte[] key) {
    return estimate(hash(keyspace, key));
  }

  private int estimate(long hash) {
    int least = Integer.MAX_VALUE;
    for (int row = 0; row < ROWS; row++) {
      least = Math.min(least, counts[index(hash, row)]);
    }
    return least;
  }

  private static int index(long hash, int row) {
    return row * COLUMNS + (int) (hash >>> row * BITS_OF_ROW & COLUMNS - 1);
  }

  private void halve(long nowNanos) {
    long windows = (nowNanos - halvedNanos) / WINDOW_NANOS;
    halvedNanos += windows * WINDOW_NANOS;
    if (windows >= Integer.SIZE - 1) {
      Arrays.fill(counts, 0);
      total = 0;
      return;
    }
    for (int i = 0; i < counts.length; i++) {
      counts[i] >>= (int) windows;
    }
    total >>= (int) windows;
  }

  /// Eight bytes at a time; mixed as by SplitMix64 (Steele, Lea and Flood, 2014).
  private static long hash(int keyspace, byte[] key) {
    long hash = GOLDEN * (keyspace + 1L) + key.length;
    int at = 0;
    for (; at + Long.BYTES <= key.length; at += Long.BYTES) {
      hash = (hash ^ (long) LONG.get(key, at)) * GOLDEN;
      hash ^= hash >>> 29;
    }
    long rest = 0;
    for (; at < key.length; at++) {
      rest = rest << 8 | key[at] & 0xff;
    }
    hash = (hash ^ rest) * GOLDEN;
    hash = (hash ^ hash >>> 30) * 0xbf58476d1ce4e5b9L;
    hash = (hash ^ hash >>> 27) * 0x94d049bb133111ebL;
    return hash ^ hash >>> 31;
  }
}
