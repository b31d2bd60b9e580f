package dev.tern.bench.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The data of a store: what is written, and whether what is read is right.
///
/// Key `i` of `count` is 16 hex digits of `2 i`; odd numbers are keys that never exist. A value
/// holds its key's index and a generation, then random bytes from both and the seed up to its half;
/// the second half repeats the first, so LZ4 halves it.
///
/// Invariant: `generations[i]` is the last generation (from 1, 0 is none, modulo 256) of key `i`
/// that the engine has acknowledged. A key has one writing thread; any thread may check.
final class Records {
  static final int KEY_BYTES = 16;
  static final int LEAST_VALUE_BYTES = 24;

  private static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final VarHandle BYTE = MethodHandles.arrayElementVarHandle(byte[].class);
  private static final byte[] DIGITS = {
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'
  };
  private static final long GOLDEN = 0x9e3779b97f4a7c15L;

  private final int count;
  private final int valueBytes;
  private final long seed;
  private final byte[] generations;

  Records(int count, int valueBytes, long seed) {
    if (count < 1 || valueBytes < LEAST_VALUE_BYTES) {
      throw new IllegalArgumentException(
          "a key and values of " + LEAST_VALUE_BYTES + " bytes are the least");
    }
    this.count = count;
    this.valueBytes = valueBytes;
    this.seed = seed;
    this.generations = new byte[count];
  }

  int count() {
    return count;
  }

  int valueBytes() {
    return valueBytes;
  }

  long seed() {
    return seed;
  }

  int recordBytes() {
    return KEY_BYTES + valueBytes;
  }

  /// Of all keys that are there now.
  long liveBytes() {
    long live = 0;
    for (byte generation : generations) {
      live += generation == 0 ? 0 : 1;
    }
    return live * recordBytes();
  }

  void key(long index, byte[] key) {
    digits(2 * index, key);
  }

  /// A key between two others, never written.
  void missingKey(long index, byte[] key) {
    digits(2 * index + 1, key);
  }

  private static void digits(long number, byte[] key) {
    for (int i = KEY_BYTES - 1; i >= 0; i--) {
      key[i] = DIGITS[(int) number & 15];
      number >>>= 4;
    }
  }

  boolean isKey(long index, byte[] key) {
    long number = 2 * index;
    boolean same = key.length == KEY_BYTES;
    for (int i = KEY_BYTES - 1; same && i >= 0; i--) {
      same = key[i] == DIGITS[(int) number & 15];
      number >>>= 4;
    }
    return same;
  }

  /// The index of a key that [#key] made.
  static long index(byte[] key) {
    long number = 0;
    for (byte digit : key) {
      number = number << 4 | Character.digit(digit, 16);
    }
    return number / 2;
  }

  int generation(int index) {
    return (byte) BYTE.getAcquire(generations, index) & 0xff;
  }

  /// The one after the last, for the next value of this key.
  int nextGeneration(int index) {
    int next = generation(index) + 1;
    return next == 256 ? 1 : next;
  }

  void acknowledge(int index, int generation) {
    BYTE.setRelease(generations, index, (byte) generation);
  }

  void value(long index, int generation, byte[] value) {
    int half = value.length / 2;
    INT.set(value, 0, (int) index);
    INT.set(value, 4, generation);
    long state = seed ^ index * GOLDEN ^ (long) generation << 56;
    int at = 8;
    for (; at + 8 <= half; at += 8) {
      state += GOLDEN;
      LONG.set(value, at, mix(state));
    }
    for (; at < half; at++) {
      state += GOLDEN;
      value[at] = (byte) mix(state);
    }
    System.arraycopy(value, 0, value, half, half);
    if (half * 2 < value.length) {
      value[value.length - 1] = 0;
    }
  }

  private static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /// Whether a value has the right length and key: cheap enough for every answer.
  void glance(long index, byte @Nullable [] value) {
    if (value == null
        || value.length != valueBytes
        || (int) INT.get(value, 0) != (int) index
        || value[valueBytes / 2] != value[0]) {
      throw wrong(index, value == null ? "nothing" : "a value of another key or length");
    }
  }

  /// Whether every byte of a value is right, and its generation is one that the key had between two
  /// moments.
  ///
  /// @param before [#generation] before the read began
  /// @param scratch of the size of a value
  void check(int index, int before, byte @Nullable [] value, byte[] scratch) {
    glance(index, value);
    if (value == null) {
      return;
    }
    int found = (int) INT.get(value, 4);
    // Acknowledged by now, or on its way.
    int newest = distance(before, generation(index)) + 1;
    if (found < 1 || found > 255 || distance(before, found) > newest) {
      throw wrong(index, "generation " + found + " where " + before + " had been acknowledged");
    }
    value(index, found, scratch);
    if (!Arrays.equals(scratch, value)) {
      throw wrong(index, "other bytes than were written");
    }
  }

  /// Generations from one to a later one, 255 of them in the circle.
  private static int distance(int from, int to) {
    return Math.floorMod(to - from, 255);
  }

  IllegalStateException wrong(long index, String what) {
    byte[] key = new byte[KEY_BYTES];
    key(index, key);
    return new IllegalStateException(
        "WRONG ANSWER: key "
            + new String(key, java.nio.charset.StandardCharsets.US_ASCII)
            + " gave "
            + what);
  }
}
