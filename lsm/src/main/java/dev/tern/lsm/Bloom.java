package dev.tern.lsm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// A Bloom filter (1970) of ten bits a key and six probes by double hashing (Kirsch, Mitzenmacher,
/// 2006), all within one 64-byte block of the filter, so that a look costs one cache line.
final class Bloom {
  private static final int BITS_PER_KEY = 10;
  private static final int PROBES = 6;
  private static final int BLOCK_BYTES = 64;
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  private Bloom() {}

  static long hash(byte[] key) {
    return hash(key, 0, key.length);
  }

  /// Eight bytes at a time, mixed as in MurmurHash3's finalizer (Appleby, 2011).
  static long hash(byte[] key, int offset, int length) {
    long hash = 0x9e3779b97f4a7c15L ^ length;
    int at = offset;
    int end = offset + length;
    for (; at <= end - 8; at += 8) {
      hash = mix(hash ^ (long) LONG.get(key, at));
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

  static byte[] build(long[] hashes, int count) {
    long bytes = Math.max(1, ((long) count * BITS_PER_KEY / 8 + BLOCK_BYTES - 1) / BLOCK_BYTES);
    byte[] filter = new byte[(int) Math.min(bytes, 1 << 24) * BLOCK_BYTES];
    for (int i = 0; i < count; i++) {
      probe(filter, hashes[i], true);
    }
    return filter;
  }

  static boolean mayContain(byte[] filter, long hash) {
    return probe(filter, hash, false);
  }

  private static boolean probe(byte[] filter, long hash, boolean set) {
    int blocks = filter.length / BLOCK_BYTES;
    int base = (int) (((hash >>> 32) * blocks) >>> 32) * BLOCK_BYTES;
    int step = (int) (hash >>> 17) | 1;
    int bit = (int) hash;
    for (int i = 0; i < PROBES; i++) {
      int place = base + ((bit >>> 3) & (BLOCK_BYTES - 1));
      int mask = 1 << (bit >>> 9 & 7);
      if (set) {
        filter[place] |= (byte) mask;
      } else if ((filter[place] & mask) == 0) {
        return false;
      }
      bit += step;
    }
    return true;
  }
}
