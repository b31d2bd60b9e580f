package dev.tern.lsm;

/// A Bloom filter (1970) of ten bits a key and six probes by double hashing (Kirsch, Mitzenmacher,
/// 2006), all within one 64-byte block of the filter, so that a look costs one cache line.
final class Bloom {
  private static final int BITS_PER_KEY = 10;
  private static final int PROBES = 6;
  private static final int BLOCK_BYTES = 64;

  private Bloom() {}

  static long hash(byte[] key) {
    long hash = 0x9e3779b97f4a7c15L ^ key.length;
    for (byte b : key) {
      hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
    }
    hash = (hash ^ (hash >>> 33)) * 0xff51afd7ed558ccdL;
    return hash ^ (hash >>> 29);
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
