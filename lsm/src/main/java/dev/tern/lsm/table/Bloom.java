package dev.tern.lsm.table;

import dev.tern.env.DecodeException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/// A Bloom filter (1970) whose probes for a key lie within one 64-byte block, so that a look costs
/// one cache line (Putze, Sanders, Singler, "Cache-, hash- and space-efficient bloom filters",
/// 2007).
///
/// ```
///   64-byte blocks   u8 probes a key
/// ```
public final class Bloom {
  public static final int BITS_PER_KEY = 10;

  /// Of the last level, where most keys that are asked for are found.
  public static final int LAST_LEVEL_BITS_PER_KEY = 8;

  private static final int BLOCK_BYTES = 64;
  private static final int GOLDEN = 0x9e3779b9;
  private static final ValueLayout.OfLong LONG_AT =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Bloom() {}

  private static long blockOf(long hash, long blocks) {
    return ((hash >>> 32) * blocks) >>> 32;
  }

  /// Hashes gathered for a filter, in pieces: one array that grows by copying would leave megabytes
  /// of garbage behind each table, born where only whole collections look.
  static final class Hashes {
    private static final int PIECE_BITS = 14;
    private static final int PIECE = 1 << PIECE_BITS;

    private final List<long[]> pieces = new ArrayList<>();
    private int count;

    void add(long hash) {
      if (count >>> PIECE_BITS == pieces.size()) {
        pieces.add(new long[PIECE]);
      }
      pieces.get(count >>> PIECE_BITS)[count & (PIECE - 1)] = hash;
      count++;
    }

    int count() {
      return count;
    }

    /// Arrays that are held.
    int pieces() {
      return pieces.size();
    }

    /// What they take of the heap.
    long heldBytes() {
      return (long) Long.BYTES * PIECE * pieces.size();
    }

    /// Begins anew, in the same memory.
    void clear() {
      count = 0;
    }

    private long get(int i) {
      return pieces.get(i >>> PIECE_BITS)[i & (PIECE - 1)];
    }
  }

  static byte[] build(Hashes hashes, int bitsPerKey) {
    int count = hashes.count;
    long blocks = Math.max(1, ((long) count * bitsPerKey / 8 + BLOCK_BYTES - 1) / BLOCK_BYTES);
    blocks = Math.min(blocks, (Integer.MAX_VALUE - 64) / BLOCK_BYTES);
    int probes = Math.max(1, bitsPerKey * 6 / 10);
    byte[] filter = new byte[(int) blocks * BLOCK_BYTES + 1];
    for (int i = 0; i < count; i++) {
      long hash = hashes.get(i);
      int base = (int) blockOf(hash, blocks) * BLOCK_BYTES;
      int probe = (int) hash;
      for (int p = 0; p < probes; p++) {
        filter[base + (probe >>> 26)] |= (byte) (1 << (probe >>> 23 & 7));
        probe *= GOLDEN;
      }
    }
    filter[filter.length - 1] = (byte) probes;
    return filter;
  }

  /// How many bits [#mayContain] looks at.
  ///
  /// @throws DecodeException if the bytes are no filter
  static int probes(MemorySegment filter) {
    int probes = filter.get(ValueLayout.JAVA_BYTE, filter.byteSize() - 1);
    if (filter.byteSize() <= BLOCK_BYTES || filter.byteSize() % BLOCK_BYTES != 1 || probes < 1) {
      throw new DecodeException(
          "a filter of %d bytes and %d probes".formatted(filter.byteSize(), probes));
    }
    return probes;
  }

  /// Whether a key with that hash may have been added.
  ///
  /// @param filter what [#build] made
  static boolean mayContain(MemorySegment filter, long filterBytes, int probes, long hash) {
    long base = blockOf(hash, (filterBytes - 1) / BLOCK_BYTES) * BLOCK_BYTES;
    int probe = (int) hash;
    for (int p = 0; p < probes; p++) {
      long word = filter.get(LONG_AT, base + (probe >>> 29) * 8L);
      if ((word >>> (probe >>> 23 & 63) & 1) == 0) {
        return false;
      }
      probe *= GOLDEN;
    }
    return true;
  }
}
