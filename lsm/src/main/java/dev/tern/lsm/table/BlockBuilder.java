package dev.tern.lsm.table;

import java.util.Arrays;

/// Puts entries into a block, which is:
///
/// ```
///   keys:     per entry: varint shared   varint unshared   varint value bytes
///                        varint sequence << 4 | kind   key without its shared bytes
///   values:   one after the other
///   restarts: per restart point: u32 where its entry begins   u32 where its value begins
///   u32 where the values begin   u32 restart points          (all big-endian)
/// ```
///
/// An entry shares leading bytes with the key before it, but at every so-many-th, a restart point,
/// with none: a search finds the last restart point before its key by bisection. Keys lie apart
/// from values so that a search touches few cache lines (as in PAX, Ailamaki et al., 2001).
final class BlockBuilder {
  static final int TAIL_BYTES = 8;
  static final int RESTART_BYTES = 8;

  /// Entries from one restart point to the next, at most.
  static final int MOST_INTERVAL = 32;

  private static final int KEPT_BYTES = 1 << 20;

  private final int restartInterval;
  private byte[] array = new byte[4 << 10];
  private int length;
  private byte[] values = new byte[16 << 10];
  private int valuesLength;

  /// Pairs: where the entry and where its value begin.
  private int[] restarts = new int[64];

  private int restartCount;
  private int entries;
  private byte[] lastKey = new byte[64];
  private int lastKeyLength;

  BlockBuilder(int restartInterval) {
    this.restartInterval = restartInterval;
  }

  boolean isEmpty() {
    return entries == 0;
  }

  /// What the block takes if it ends now.
  int bytes() {
    return length + valuesLength + RESTART_BYTES * restartCount + TAIL_BYTES;
  }

  /// About what it would take with another entry.
  int bytesWith(int keyLength, int valueLength) {
    return bytes() + keyLength + valueLength + 16 + RESTART_BYTES;
  }

  byte[] lastKey() {
    return lastKey;
  }

  int lastKeyLength() {
    return lastKeyLength;
  }

  /// Appends a key; the caller then fills `valueLength` bytes of [#values] from what this returns.
  int add(byte[] key, int offset, int keyLength, long sequence, int kind, int valueLength) {
    ensure(keyLength + 32);
    if (values.length - valuesLength < valueLength) {
      long wanted = Math.max(values.length * 2L, (long) valuesLength + valueLength);
      values = Arrays.copyOf(values, (int) wanted);
    }
    int shared = 0;
    if (entries % restartInterval == 0) {
      if (restartCount * 2 == restarts.length) {
        restarts = Arrays.copyOf(restarts, restarts.length * 2);
      }
      restarts[2 * restartCount] = length;
      restarts[2 * restartCount++ + 1] = valuesLength;
    } else {
      int limit = Math.min(lastKeyLength, keyLength);
      int mismatch = Arrays.mismatch(lastKey, 0, limit, key, offset, offset + limit);
      shared = mismatch < 0 ? limit : mismatch;
    }
    varint(shared);
    varint(keyLength - shared);
    varint(valueLength);
    varint(sequence << 4 | kind);
    System.arraycopy(key, offset + shared, array, length, keyLength - shared);
    length += keyLength - shared;
    if (lastKey.length < keyLength) {
      lastKey = Arrays.copyOf(lastKey, keyLength * 2);
    }
    System.arraycopy(key, offset + shared, lastKey, shared, keyLength - shared);
    lastKeyLength = keyLength;
    entries++;
    int at = valuesLength;
    valuesLength += valueLength;
    return at;
  }

  byte[] values() {
    return values;
  }

  /// After [#finish].
  byte[] array() {
    return array;
  }

  private void ensure(int more) {
    if (array.length - length < more) {
      array = Arrays.copyOf(array, (int) Math.max(array.length * 2L, (long) length + more));
    }
  }

  private void varint(long value) {
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      array[length++] = (byte) (rest | 0x80);
      rest >>>= 7;
    }
    array[length++] = (byte) rest;
  }

  /// Ends the block: its bytes are the first [#length] of [#array].
  void finish() {
    ensure(valuesLength + RESTART_BYTES * restartCount + TAIL_BYTES);
    int valuesAt = length;
    System.arraycopy(values, 0, array, length, valuesLength);
    length += valuesLength;
    for (int i = 0; i < restartCount; i++) {
      number(restarts[2 * i]);
      number(valuesAt + restarts[2 * i + 1]);
    }
    number(valuesAt);
    number(restartCount);
  }

  private void number(int value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      array[length++] = (byte) (value >>> shift);
    }
  }

  int length() {
    return length;
  }

  /// What its arrays take of the heap.
  long heldBytes() {
    return (long) array.length
        + values.length
        + lastKey.length
        + (long) Integer.BYTES * restarts.length;
  }

  void clear() {
    length = 0;
    valuesLength = 0;
    restartCount = 0;
    entries = 0;
    lastKeyLength = 0;
    if (array.length > KEPT_BYTES) {
      array = new byte[4 << 10];
      values = new byte[16 << 10];
    }
  }
}
