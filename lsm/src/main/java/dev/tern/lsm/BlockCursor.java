package dev.tern.lsm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;

/// Walks a block, and searches one without walking it: see [BlockBuilder] for what lies where. One
/// thread. Bytes are trusted, as their checksum was verified when the block was read; whatever they
/// are, nothing outside the cache's memory is touched.
final class BlockCursor {
  private static final ValueLayout.OfInt INT_AT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private MemorySegment memory = MemorySegment.NULL;
  private long base;
  private int restarts;
  private int entriesEnd;

  /// Where the entry begins, and where it ends.
  private int entryAt;

  private int nextAt;

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

  /// Walking backward, the entries from a restart point to the one it stands on, where each begins
  /// and where its key ends in `trailKeys`: so a step back decodes no more than one entry.
  private int[] trailEntries = new int[16];

  private int[] trailKeyEnds = new int[16];
  private byte[] trailKeys = new byte[256];
  private int trail;

  void open(Block block) {
    memory = block.memory;
    base = block.base;
    restarts = memory.get(INT_AT, base + block.length - 4);
    entriesEnd = block.length - 4 - 4 * restarts;
    valid = false;
  }

  void close() {
    memory = MemorySegment.NULL;
    valid = false;
  }

  private static long varint(MemorySegment memory, long at) {
    long value = 0;
    for (int shift = 0; ; shift += 7) {
      byte b = memory.get(ValueLayout.JAVA_BYTE, at++);
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0 || shift >= 63) {
        return value;
      }
    }
  }

  private static int bytesOf(long value) {
    return (70 - Long.numberOfLeadingZeros(value | 1)) / 7;
  }

  /// The first entry whose key is at or after a key: `offset << 1`, plus 1 if it is that key; -1 if
  /// there is none. No key is put together: an entry that shares more with its predecessor than
  /// that one does with the target lies before the target as well.
  static long find(Block block, byte[] target) {
    MemorySegment memory = block.memory;
    long base = block.base;
    int restarts = memory.get(INT_AT, base + block.length - 4);
    int end = block.length - 4 - 4 * restarts;
    int at = start(memory, base, end, restarts, target, target.length);
    int matched = 0;
    while (at < end) {
      long header = base + at;
      long shared = varint(memory, header);
      header += bytesOf(shared);
      long unshared = varint(memory, header);
      header += bytesOf(unshared);
      long valueBytes = varint(memory, header);
      header += bytesOf(valueBytes);
      header += bytesOf(varint(memory, header));
      if (shared == 0) {
        matched = 0;
      }
      if (shared < matched) {
        return (long) at << 1;
      }
      if (shared == matched) {
        int limit = (int) Math.min(unshared, target.length - matched);
        int common = Keys.common(memory, header, target, matched, limit);
        if (common < limit) {
          int here = memory.get(ValueLayout.JAVA_BYTE, header + common) & 0xff;
          if (here > (target[matched + common] & 0xff)) {
            return (long) at << 1;
          }
        } else if (matched + unshared >= target.length) {
          return (long) at << 1 | (matched + unshared == target.length ? 1 : 0);
        }
        matched += common;
      }
      at = (int) (header - base + unshared + valueBytes);
    }
    return -1;
  }

  /// The last restart point whose key is before the target, or the first one.
  private static int start(
      MemorySegment memory, long base, int end, int restarts, byte[] target, int length) {
    int low = 0;
    int high = restarts - 1;
    while (low < high) {
      int middle = (low + high + 1) >>> 1;
      if (isBefore(memory, base + restartAt(memory, base, end, middle), target, length)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    return restarts == 0 ? end : restartAt(memory, base, end, low);
  }

  private static int restartAt(MemorySegment memory, long base, int end, int restart) {
    return memory.get(INT_AT, base + end + 4L * restart);
  }

  private static boolean isBefore(MemorySegment memory, long entry, byte[] target, int length) {
    long at = entry + 1;
    long unshared = varint(memory, at);
    at += bytesOf(unshared);
    at += bytesOf(varint(memory, at));
    at += bytesOf(varint(memory, at));
    int limit = (int) Math.min(unshared, length);
    int common = Keys.common(memory, at, target, 0, limit);
    return common < limit
        ? (memory.get(ValueLayout.JAVA_BYTE, at + common) & 0xff) < (target[common] & 0xff)
        : unshared < length;
  }

  /// Puts the entry at `offset`, whose key is `key`, into a lookup if it or an older version behind
  /// it is visible; false if none is.
  static boolean take(Block block, int offset, byte[] key, Lookup lookup) {
    MemorySegment memory = block.memory;
    long base = block.base;
    int restarts = memory.get(INT_AT, base + block.length - 4);
    int end = block.length - 4 - 4 * restarts;
    int at = offset;
    boolean first = true;
    while (at < end) {
      long header = base + at;
      long shared = varint(memory, header);
      header += bytesOf(shared);
      long unshared = varint(memory, header);
      header += bytesOf(unshared);
      long valueBytes = varint(memory, header);
      header += bytesOf(valueBytes);
      long packed = varint(memory, header);
      header += bytesOf(packed);
      boolean same =
          first
              || shared + unshared == key.length
                  && Keys.common(memory, header, key, (int) shared, (int) unshared) == unshared;
      if (!same) {
        return false;
      }
      if (packed >>> 4 <= lookup.maxSequence) {
        lookup.kind = (int) packed & 15;
        lookup.sequence = packed >>> 4;
        lookup.block = block;
        lookup.memory = memory;
        lookup.array = null;
        lookup.valueAt = header + unshared;
        lookup.valueLength = (int) valueBytes;
        return true;
      }
      at = (int) (header - base + unshared + valueBytes);
      first = false;
    }
    return false;
  }

  /// The two varints of the value of the entry at `offset` of an index block: where a block lies.
  static void handle(Block block, int offset, Handle into) {
    MemorySegment memory = block.memory;
    long at = block.base + offset;
    at += bytesOf(varint(memory, at));
    long unshared = varint(memory, at);
    at += bytesOf(unshared);
    at += bytesOf(varint(memory, at));
    at += bytesOf(varint(memory, at));
    into.read(memory, at + unshared);
  }

  /// Where a block lies in its file.
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
    keyLength = 0;
    next();
  }

  /// To the last entry.
  void last() {
    walkBefore(entriesEnd);
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
      if (restartAt(memory, base, entriesEnd, middle) < end) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    nextAt = restarts == 0 ? end : restartAt(memory, base, entriesEnd, low);
    keyLength = 0;
    int steps = 0;
    while (nextAt < end) {
      next();
      note(steps++);
    }
    trail = steps;
  }

  private void note(int step) {
    if (step == trailEntries.length) {
      trailEntries = Arrays.copyOf(trailEntries, step * 2);
      trailKeyEnds = Arrays.copyOf(trailKeyEnds, step * 2);
    }
    int from = step == 0 ? 0 : trailKeyEnds[step - 1];
    if (trailKeys.length < from + keyLength) {
      trailKeys = Arrays.copyOf(trailKeys, (from + keyLength) * 2);
    }
    System.arraycopy(key, 0, trailKeys, from, keyLength);
    trailEntries[step] = entryAt;
    trailKeyEnds[step] = from + keyLength;
  }

  /// To the first entry at or after a key.
  void seek(byte[] target) {
    nextAt = start(memory, base, entriesEnd, restarts, target, target.length);
    keyLength = 0;
    next();
    while (valid && compareKey(target) < 0) {
      next();
    }
  }

  int compareKey(byte[] target) {
    return Arrays.compareUnsigned(key, 0, keyLength, target, 0, target.length);
  }

  void next() {
    trail = 0;
    if (nextAt >= entriesEnd) {
      valid = false;
      return;
    }
    decode(nextAt);
    MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, suffixAt, key, shared, keyLength - shared);
    valid = true;
  }

  /// Takes everything but the key from the entry at `offset`.
  private void decode(int offset) {
    entryAt = offset;
    long at = base + offset;
    shared = memory.get(ValueLayout.JAVA_BYTE, at++);
    if (shared < 0) {
      shared = (int) varint(memory, at - 1);
      at += bytesOf(shared) - 1;
    }
    int unshared = memory.get(ValueLayout.JAVA_BYTE, at++);
    if (unshared < 0) {
      unshared = (int) varint(memory, at - 1);
      at += bytesOf(unshared) - 1;
    }
    valueLength = memory.get(ValueLayout.JAVA_BYTE, at++);
    if (valueLength < 0) {
      valueLength = (int) varint(memory, at - 1);
      at += bytesOf(valueLength) - 1;
    }
    long packed = varint(memory, at);
    suffixAt = at + bytesOf(packed);
    sequence = packed >>> 4;
    kind = (int) packed & 15;
    keyLength = shared + unshared;
    if (key.length < keyLength) {
      key = Arrays.copyOf(key, keyLength * 2);
    }
    valueAt = suffixAt + unshared;
    nextAt = (int) (valueAt - base) + valueLength;
  }

  void prev() {
    if (trail < 2) {
      walkBefore(entryAt);
      return;
    }
    trail--;
    decode(trailEntries[trail - 1]);
    int from = trail == 1 ? 0 : trailKeyEnds[trail - 2];
    System.arraycopy(trailKeys, from, key, 0, keyLength);
  }

  void copyValue(byte[] target, int at) {
    MemorySegment.copy(memory, ValueLayout.JAVA_BYTE, valueAt, target, at, valueLength);
  }

  long valueHead() {
    return memory.get(Keys.LONG_AT, valueAt);
  }
}
