package dev.tern.lsm.entry;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// The order of keys: by unsigned bytes, a prefix before what it begins.
public final class Keys {
  public static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  public static final ValueLayout.OfLong LONG_AT =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private static final VarHandle LITTLE_ENDIAN =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /// The longest key.
  public static final int MAX_BYTES = 1 << 20;

  private Keys() {}

  /// How many leading bytes of native memory and an array agree, at most `limit`.
  public static int common(MemorySegment memory, long at, byte[] key, int keyAt, int limit) {
    int i = 0;
    for (; i + 8 <= limit; i += 8) {
      long difference = memory.get(LONG_AT, at + i) ^ (long) LONG.get(key, keyAt + i);
      if (difference != 0) {
        return i + (Long.numberOfLeadingZeros(difference) >>> 3);
      }
    }
    for (; i < limit; i++) {
      if (memory.get(ValueLayout.JAVA_BYTE, at + i) != key[keyAt + i]) {
        return i;
      }
    }
    return limit;
  }

  /// The first eight bytes as a number that sorts as they do; zeros where there are fewer.
  public static long prefix(byte[] key, int offset, int length) {
    if (length >= 8) {
      return (long) LONG.get(key, offset);
    }
    long prefix = 0;
    for (int i = 0; i < length; i++) {
      prefix |= (key[offset + i] & 0xffL) << (56 - 8 * i);
    }
    return prefix;
  }

  public static int compare(byte[] a, byte[] b) {
    return compare(a, 0, a.length, b, 0, b.length);
  }

  /// For keys, which are short: eight bytes at a time beat a call of the vectorized comparison.
  public static int compare(byte[] a, int aAt, int aLength, byte[] b, int bAt, int bLength) {
    int shorter = Math.min(aLength, bLength);
    int i = 0;
    for (; i + 8 <= shorter; i += 8) {
      long left = (long) LONG.get(a, aAt + i);
      long right = (long) LONG.get(b, bAt + i);
      if (left != right) {
        return Long.compareUnsigned(left, right);
      }
    }
    for (; i < shorter; i++) {
      int difference = (a[aAt + i] & 0xff) - (b[bAt + i] & 0xff);
      if (difference != 0) {
        return difference;
      }
    }
    return aLength - bLength;
  }

  /// The first key after `key`.
  public static byte[] successor(byte[] key) {
    return Arrays.copyOf(key, key.length + 1);
  }

  /// The first key that does not begin with `prefix`; null if there is none.
  public static byte @org.jspecify.annotations.Nullable [] afterPrefix(byte[] prefix) {
    for (int i = prefix.length - 1; i >= 0; i--) {
      if (prefix[i] != (byte) 0xff) {
        byte[] end = Arrays.copyOf(prefix, i + 1);
        end[i]++;
        return end;
      }
    }
    return null;
  }

  /// A short key that is at or after `last` and before `next`.
  public static byte[] separator(byte[] last, int length, byte[] next, int nextLength) {
    int shared = Arrays.mismatch(last, 0, length, next, 0, nextLength);
    if (shared >= 0 && shared < length && shared + 1 < nextLength) {
      // last[shared] < next[shared]: the shared bytes and next's own byte lie between, as next goes
      // on behind it.
      return Arrays.copyOf(next, shared + 1);
    }
    return Arrays.copyOf(last, length);
  }

  /// The hash of a key, for filters and indexes.
  public static long hash(byte[] key) {
    return hash(key, 0, key.length);
  }

  /// Eight bytes at a time, mixed as in MurmurHash3's finalizer (Appleby, 2011). Part of the table
  /// format.
  public static long hash(byte[] key, int offset, int length) {
    long hash = 0x9e3779b97f4a7c15L ^ length;
    int at = offset;
    int end = offset + length;
    for (; at <= end - 8; at += 8) {
      hash = mix(hash ^ (long) LITTLE_ENDIAN.get(key, at));
    }
    long rest = 0;
    for (; at < end; at++) {
      rest = rest << 8 | key[at] & 0xff;
    }
    return mix(hash ^ rest);
  }

  private static long mix(long bits) {
    long mixed = (bits ^ (bits >>> 33)) * 0xff51afd7ed558ccdL;
    mixed = (mixed ^ (mixed >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return mixed ^ (mixed >>> 33);
  }
}
