package dev.tern.lsm.cache;

/// How often keys were asked for lately, roughly and in few bits: a count-min sketch of four-bit
/// counters that are halved after a number of increments (Einziger, Friedman, Manes, "TinyLFU: A
/// Highly Efficient Cache Admission Policy", 2017, sections 3.2 and 3.3).
///
/// Any thread; races lose counts and nothing else.
final class FrequencySketch {
  private static final int ROWS = 4;
  private static final int MAX = 15;

  private final long[] counters;
  private final int sampleSize;
  private int increments;

  /// For about so many keys.
  FrequencySketch(long keys) {
    int longs = Integer.highestOneBit((int) Math.min(1 << 24, Math.max(64, keys))) * 2;
    counters = new long[longs];
    sampleSize = longs * 8;
  }

  /// What it takes of the heap.
  long heapBytes() {
    return (long) Long.BYTES * counters.length;
  }

  static long hash(long table, long offset) {
    long mixed = (table * 0x9e3779b97f4a7c15L + offset) * 0xff51afd7ed558ccdL;
    return mixed ^ (mixed >>> 32);
  }

  private int place(long hash, int row) {
    long mixed = hash * (0x9e3779b97f4a7c15L + 2L * row);
    return (int) (mixed >>> 40) & (counters.length - 1);
  }

  private static int shift(long hash, int row) {
    return (int) (hash >>> (row * 4) & 15) << 2;
  }

  void increment(long hash) {
    for (int row = 0; row < ROWS; row++) {
      int at = place(hash, row);
      int shift = shift(hash, row);
      long word = counters[at];
      if ((word >>> shift & MAX) < MAX) {
        counters[at] = word + (1L << shift);
      }
    }
    if (++increments >= sampleSize) {
      age();
    }
  }

  private void age() {
    increments /= 2;
    for (int i = 0; i < counters.length; i++) {
      counters[i] = counters[i] >>> 1 & 0x7777777777777777L;
    }
  }

  int estimate(long hash) {
    int least = MAX;
    for (int row = 0; row < ROWS; row++) {
      least = Math.min(least, (int) (counters[place(hash, row)] >>> shift(hash, row)) & MAX);
    }
    return least;
  }
}
