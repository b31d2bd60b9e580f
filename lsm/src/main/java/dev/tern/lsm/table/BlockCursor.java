package dev.tern.lsm.table;

import dev.tern.env.DecodeException;
import dev.tern.lsm.cache.Block;
import dev.tern.lsm.entry.Keys;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Walks a block, and searches one without walking it: see [BlockBuilder] for what lies where. One
/// thread. The checksum was verified when the block was read. Bytes that are no block all the same
/// give entries that were never written, or a [DecodeException] or [IndexOutOfBoundsException];
/// they touch nothing outside the cache's memory and allocate no more than a key takes.
final class BlockCursor {
  private static final ValueLayout.OfInt INT_AT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  /// The first bytes of an entry: three lengths, mostly of a byte each, and what is packed. A
  /// block's tail makes eight bytes readable wherever an entry begins.
  private static final ValueLayout.OfLong HEAD_AT =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /// Set where one of the three lengths has another byte, and, inverted, where the packed varint
  /// ends.
  private static final long THREE_MORE = 0x808080L;

  private static final long PACKED_ENDS = 0x8080808080000000L;

  /// A key, or a separator of keys in an index, is never longer.
  private static final int MOST_KEY_BYTES = Keys.MAX_BYTES + 1;

  /// Below it a loop copies faster than a call.
  private static final int SHORT_COPY = 12;

  private MemorySegment memory = MemorySegment.NULL;
  private long base;
  private int restarts;

  /// Where the keys end and the values begin, and where the restart points begin.
  private int keysEnd;

  private int restartsAt;

  /// Where the entry begins, and where it ends.
  private int entryAt;

  private int nextAt;
  private int nextValueAt;

  /// What the entry's key shares with the key before it, and where the rest lies.
  private int shared;

  private long suffixAt;

  boolean valid;
  byte[] key = new byte[64];
  int keyLength;
  long sequence;
  int kind;
  int valueLength;

  /// Relative to the memory.
  long valueAt;

  /// Walking backward, the entries from a restart point to the one it stands on: where each begins,
  /// where its value begins, and where its key ends in `trailKeys`: so a step back decodes no more
  /// than one entry.
  private int[] trailEntries = new int[16];

  private int[] trailValues = new int[16];
  private int[] trailKeyEnds = new int[16];
  private byte[] trailKeys = new byte[256];
  private int trail;

  private @Nullable Block block;
  private final Place found = new Place();

  void open(Block opened) {
    block = opened;
    memory = opened.memory;
    base = opened.base;
    restarts = restarts(memory, base, opened.length);
    keysEnd = memory.get(INT_AT, base + opened.length - 8);
    restartsAt = opened.length - BlockBuilder.TAIL_BYTES - BlockBuilder.RESTART_BYTES * restarts;
    valid = false;
  }

  void close() {
    block = null;
    memory = MemorySegment.NULL;
    valid = false;
  }

  /// Looks at the tail of a block, once when it is read.
  ///
  /// @throws DecodeException if it cannot be one
  static void check(MemorySegment memory, long base, int length) {
    long restarts = length < BlockBuilder.TAIL_BYTES ? -1 : restarts(memory, base, length);
    long table = length - BlockBuilder.TAIL_BYTES - BlockBuilder.RESTART_BYTES * restarts;
    long keys = restarts < 0 ? -1 : memory.get(INT_AT, base + length - 8);
    if (restarts < 0 || keys < 0 || keys > table) {
      throw new DecodeException(
          "a block of %d bytes with %d restart points".formatted(length, restarts));
    }
  }

  private static int restarts(MemorySegment memory, long base, int length) {
    return memory.get(INT_AT, base + length - 4);
  }

  private static long varint(MemorySegment memory, long from) {
    long value = 0;
    long at = from;
    for (int shift = 0; ; shift += 7) {
      byte b = memory.get(BYTE, at++);
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0 || shift >= 63) {
        return value;
      }
    }
  }

  /// A varint of more than a byte that is a length.
  private static int length(MemorySegment memory, long from, int most) {
    long value = varint(memory, from);
    if (value < 0 || value > most) {
      throw new DecodeException("a length of %d in a block, beyond %d".formatted(value, most));
    }
    return (int) value;
  }

  private static int bytesOf(long value) {
    return (70 - Long.numberOfLeadingZeros(value | 1)) / 7;
  }

  /// What a search in a block found; reused.
  static final class Place {
    /// An entry's offset, where its value begins (relative to the memory), its value's length, and
    /// its sequence and kind.
    int entry;

    long valueAt;
    int valueLength;
    long packed;

    /// Whether its key is the one looked for.
    boolean exact;
  }

  /// Finds the first entry whose key is at or after a key. No key is put together: an entry that
  /// shares more with its predecessor than that one does with the target lies before the target as
  /// well.
  ///
  /// @return false if there is none
  static boolean find(Block block, byte[] target, Place into) {
    MemorySegment memory = block.memory;
    long base = block.base;
    int restarts = restarts(memory, base, block.length);
    long end = base + memory.get(INT_AT, base + block.length - 8);
    long table =
        base
            + block.length
            - BlockBuilder.TAIL_BYTES
            - BlockBuilder.RESTART_BYTES * (long) restarts;
    int start = start(memory, base, table, restarts, target);
    if (start < 0) {
      return false;
    }
    long at = base + memory.get(INT_AT, table + 8L * start);
    long valueAt = base + memory.get(INT_AT, table + 8L * start + 4);
    int matched = 0;
    while (at < end) {
      long entry = at;
      int shared;
      int unshared;
      int valueBytes;
      long packedAt;
      long head = memory.get(HEAD_AT, at);
      long packedEnds = ~head & PACKED_ENDS;
      if ((head & THREE_MORE) == 0 && packedEnds != 0) {
        shared = (int) head & 0x7f;
        unshared = (int) (head >>> 8) & 0x7f;
        valueBytes = (int) (head >>> 16) & 0x7f;
        packedAt = at + 3;
        at += (Long.numberOfTrailingZeros(packedEnds) >>> 3) + 1;
      } else {
        shared = length(memory, at, MOST_KEY_BYTES);
        at += bytesOf(shared);
        unshared = length(memory, at, MOST_KEY_BYTES);
        at += bytesOf(unshared);
        valueBytes = length(memory, at, block.length);
        packedAt = at + bytesOf(valueBytes);
        at = packedAt + bytesOf(varint(memory, packedAt));
      }
      matched = shared == 0 ? 0 : matched;
      boolean reached = shared < matched;
      boolean exact = false;
      if (shared == matched) {
        int limit = Math.min(unshared, target.length - matched);
        int common = Keys.common(memory, at, target, matched, limit);
        if (common < limit) {
          reached = (memory.get(BYTE, at + common) & 0xff) > (target[matched + common] & 0xff);
        } else {
          reached = matched + unshared >= target.length;
          exact = matched + unshared == target.length;
        }
        matched += common;
      }
      if (reached) {
        if (entry < base || valueAt < base || valueAt + valueBytes > table) {
          throw new DecodeException("an entry outside its block");
        }
        into.entry = (int) (entry - base);
        into.valueAt = valueAt;
        into.valueLength = valueBytes;
        into.packed = varint(memory, packedAt);
        into.exact = exact;
        return true;
      }
      at += unshared;
      valueAt += valueBytes;
    }
    return false;
  }

  /// The last restart point whose key is before the target, or the first one; -1 if there is none.
  private static int start(
      MemorySegment memory, long base, long table, int restarts, byte[] target) {
    int low = 0;
    int high = restarts - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (isBefore(memory, base + memory.get(INT_AT, table + 8L * middle), target)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return restarts == 0 ? -1 : low;
  }

  private static boolean isBefore(MemorySegment memory, long entry, byte[] target) {
    long at = entry + 1;
    long unshared = varint(memory, at);
    at += bytesOf(unshared);
    at += bytesOf(varint(memory, at));
    at += bytesOf(varint(memory, at));
    int limit = (int) Math.min(unshared, target.length);
    int common = Keys.common(memory, at, target, 0, limit);
    return common < limit
        ? (memory.get(BYTE, at + common) & 0xff) < (target[common] & 0xff)
        : unshared < target.length;
  }

  /// Goes on from an entry whose key is `key` to the first version of it up to a sequence; false if
  /// there is none.
  static boolean settle(Block block, byte[] key, long maxSequence, Place place) {
    if (place.packed >>> 4 <= maxSequence) {
      return true;
    }
    BlockCursor cursor = new BlockCursor();
    cursor.open(block);
    cursor.seek(key);
    while (cursor.valid && cursor.compareKey(key) == 0) {
      if (cursor.sequence <= maxSequence) {
        place.valueAt = cursor.valueAt;
        place.valueLength = cursor.valueLength;
        place.packed = cursor.sequence << 4 | cursor.kind;
        return true;
      }
      cursor.next();
    }
    return false;
  }

  /// Where a block lies in its file: the two varints of an index entry's value.
  static final class Handle {
    long offset;
    int length;

    void read(MemorySegment memory, long at) {
      offset = varint(memory, at);
      length = (int) varint(memory, at + bytesOf(offset));
    }
  }

  void handle(Handle into) {
    into.read(memory, valueAt);
  }

  /// To the first entry.
  void first() {
    nextAt = 0;
    nextValueAt = keysEnd;
    keyLength = 0;
    next();
  }

  /// To the last entry.
  void last() {
    walkBefore(keysEnd);
  }

  private void toRestart(int restart) {
    nextAt = memory.get(INT_AT, base + restartsAt + 8L * restart);
    nextValueAt = memory.get(INT_AT, base + restartsAt + 8L * restart + 4);
    if (nextAt < 0 || nextValueAt < 0) {
      throw new DecodeException("a restart point outside its block");
    }
    keyLength = 0;
  }

  /// To the last entry that begins before `end`, if there is one, noting the way from its restart
  /// point.
  private void walkBefore(int end) {
    valid = false;
    trail = 0;
    int low = 0;
    int high = restarts - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (memory.get(INT_AT, base + restartsAt + 8L * middle) < end) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    if (restarts == 0) {
      return;
    }
    toRestart(low);
    int steps = 0;
    while (nextAt < end) {
      next();
      if (steps == BlockBuilder.MOST_INTERVAL) {
        throw new DecodeException("more entries from a restart point than there can be");
      }
      note(steps++);
    }
    trail = steps;
  }

  private void note(int step) {
    if (step == trailEntries.length) {
      trailEntries = Arrays.copyOf(trailEntries, step * 2);
      trailValues = Arrays.copyOf(trailValues, step * 2);
      trailKeyEnds = Arrays.copyOf(trailKeyEnds, step * 2);
    }
    int from = step == 0 ? 0 : trailKeyEnds[step - 1];
    if (trailKeys.length < from + keyLength) {
      trailKeys = Arrays.copyOf(trailKeys, (from + keyLength) * 2);
    }
    System.arraycopy(key, 0, trailKeys, from, keyLength);
    trailEntries[step] = entryAt;
    trailValues[step] = (int) (valueAt - base);
    trailKeyEnds[step] = from + keyLength;
  }

  /// To the first entry at or after a key. What that entry shares with its predecessor it shares
  /// with the target too (see [#find]), so its key is put together from there.
  void seek(byte[] target) {
    trail = 0;
    valid = find(java.util.Objects.requireNonNull(block), target, found);
    if (valid) {
      decode(found.entry, (int) (found.valueAt - base));
      System.arraycopy(target, 0, key, 0, shared);
      copySuffix();
    }
  }

  int compareKey(byte[] target) {
    return Keys.compare(key, 0, keyLength, target, 0, target.length);
  }

  void next() {
    trail = 0;
    if (nextAt >= keysEnd) {
      valid = false;
      return;
    }
    decode(nextAt, nextValueAt);
    copySuffix();
    valid = true;
  }

  private void copySuffix() {
    int unshared = keyLength - shared;
    if (unshared <= SHORT_COPY) {
      for (int i = 0; i < unshared; i++) {
        key[shared + i] = memory.get(BYTE, suffixAt + i);
      }
    } else {
      MemorySegment.copy(memory, BYTE, suffixAt, key, shared, unshared);
    }
  }

  /// Takes everything but the key from the entry at `offset`, whose value begins at `valueOffset`.
  private void decode(int offset, int valueOffset) {
    entryAt = offset;
    long at = base + offset;
    int common = memory.get(BYTE, at++);
    if (common < 0) {
      common = length(memory, at - 1, MOST_KEY_BYTES);
      at += bytesOf(common) - 1;
    }
    int unshared = memory.get(BYTE, at++);
    if (unshared < 0) {
      unshared = length(memory, at - 1, MOST_KEY_BYTES);
      at += bytesOf(unshared) - 1;
    }
    int bytes = memory.get(BYTE, at++);
    if (bytes < 0) {
      bytes = length(memory, at - 1, restartsAt);
      at += bytesOf(bytes) - 1;
    }
    long packed = memory.get(BYTE, at++);
    if (packed < 0) {
      packed = varint(memory, at - 1);
      at += bytesOf(packed) - 1;
    }
    shared = common;
    suffixAt = at;
    sequence = packed >>> 4;
    kind = (int) packed & 15;
    keyLength = common + unshared;
    if (key.length < keyLength) {
      key = Arrays.copyOf(key, keyLength * 2);
    }
    valueAt = base + valueOffset;
    valueLength = bytes;
    nextAt = (int) (at - base) + unshared;
    nextValueAt = valueOffset + bytes;
    if (nextAt > keysEnd || nextValueAt > restartsAt) {
      throw new DecodeException("an entry outside its block");
    }
  }

  void prev() {
    if (trail < 2) {
      walkBefore(entryAt);
      return;
    }
    trail--;
    decode(trailEntries[trail - 1], trailValues[trail - 1]);
    int from = trail == 1 ? 0 : trailKeyEnds[trail - 2];
    System.arraycopy(trailKeys, from, key, 0, keyLength);
  }

  void copyValue(byte[] target, int at) {
    MemorySegment.copy(memory, BYTE, valueAt, target, at, valueLength);
  }

  long valueHead() {
    return memory.get(Keys.LONG_AT, valueAt);
  }
}
