package dev.tern.lsm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/// The order of keys: by unsigned bytes, a prefix before what it begins.
final class Keys {
  static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  static final ValueLayout.OfLong LONG_AT =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.BIG_ENDIAN);

  private Keys() {}

  /// How many leading bytes of native memory and an array agree, at most `limit`.
  static int common(MemorySegment memory, long at, byte[] key, int keyAt, int limit) {
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
  static long prefix(byte[] key, int offset, int length) {
    if (length >= 8) {
      return (long) LONG.get(key, offset);
    }
    long prefix = 0;
    for (int i = 0; i < length; i++) {
      prefix |= (key[offset + i] & 0xffL) << (56 - 8 * i);
    }
    return prefix;
  }

  static int compare(byte[] a, byte[] b) {
    return compare(a, 0, a.length, b, 0, b.length);
  }

  /// For keys, which are short: eight bytes at a time beat a call of the vectorized comparison.
  static int compare(byte[] a, int aAt, int aLength, byte[] b, int bAt, int bLength) {
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
  static byte[] successor(byte[] key) {
    return Arrays.copyOf(key, key.length + 1);
  }

  /// The first key that does not begin with `prefix`; null if there is none.
  static byte @org.jspecify.annotations.Nullable [] afterPrefix(byte[] prefix) {
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
  static byte[] separator(byte[] last, int length, byte[] next, int nextLength) {
    int shared = Arrays.mismatch(last, 0, length, next, 0, nextLength);
    if (shared >= 0 && shared < length && shared + 1 < nextLength) {
      // last[shared] < next[shared]: the shared bytes and next's own byte lie between, as next goes
      // on behind it.
      return Arrays.copyOf(next, shared + 1);
    }
    return Arrays.copyOf(last, length);
  }
}
