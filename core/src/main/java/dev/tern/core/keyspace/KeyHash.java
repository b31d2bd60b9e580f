package dev.tern.core.keyspace;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Randomness;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/// A keyspace's keyed hash of its user keys: SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast
/// short-input PRF", 2012) under a seed of 128 bits, its halves folded to 32 bits.
///
/// It orders a slot's keys on disk and in scans. It is keyed because a scan reads all keys of one
/// hash as one page: who knew the seed could make one page endless.
///
/// @param high the seed's first half, `k0` of the paper
/// @param low its second half, `k1`
public record KeyHash(long high, long low) {
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

  /// One with a seed that was never used.
  public static KeyHash mint(Randomness random) {
    return new KeyHash(random.nextLong(), random.nextLong());
  }

  /// One whose seed is a hash of some bytes: for those who must agree on it and cannot ask each
  /// other. It is as secret as the bytes are.
  ///
  /// @param keyspace whose keys it hashes
  public static KeyHash derived(byte[] from, int keyspace) {
    long high = new KeyHash(keyspace, 0).sip(from, 0, from.length);
    return new KeyHash(high, new KeyHash(keyspace, 1).sip(from, 0, from.length));
  }

  /// The hash of a user key.
  public int of(byte[] key) {
    return of(key, 0, key.length);
  }

  /// The hash of a user key within other bytes.
  public int of(byte[] bytes, int offset, int length) {
    long hash = sip(bytes, offset, length);
    return (int) (hash ^ hash >>> 32);
  }

  /// SipHash-1-3 itself, 64 bits.
  long sip(byte[] bytes, int offset, int length) {
    long v0 = high ^ 0x736f6d6570736575L;
    long v1 = low ^ 0x646f72616e646f6dL;
    long v2 = high ^ 0x6c7967656e657261L;
    long v3 = low ^ 0x7465646279746573L;
    int words = length >>> 3;
    long last = (long) length << 56;
    for (int i = 0; i < (length & 7); i++) {
      last |= (bytes[offset + (words << 3) + i] & 0xffL) << (i << 3);
    }
    // The words, the last one, and three rounds that end it.
    for (int i = 0; i < words + 4; i++) {
      long word = 0;
      if (i < words) {
        word = (long) LONG.get(bytes, offset + (i << 3));
      } else if (i == words) {
        word = last;
      } else if (i == words + 1) {
        v2 ^= 0xff;
      }
      v3 ^= word;
      v0 += v1;
      v2 += v3;
      v1 = Long.rotateLeft(v1, 13) ^ v0;
      v3 = Long.rotateLeft(v3, 16) ^ v2;
      v0 = Long.rotateLeft(v0, 32);
      v2 += v1;
      v0 += v3;
      v1 = Long.rotateLeft(v1, 17) ^ v2;
      v3 = Long.rotateLeft(v3, 21) ^ v0;
      v2 = Long.rotateLeft(v2, 32);
      v0 ^= word;
    }
    return v0 ^ v1 ^ v2 ^ v3;
  }

  /// Appends the seed, 16 bytes.
  public void encode(ByteWriter out) {
    out.writeLong(high).writeLong(low);
  }

  /// What [#encode] wrote.
  public static KeyHash decode(ByteReader in) {
    return new KeyHash(in.readLong(), in.readLong());
  }

  /// Without the seed, which is nobody's business.
  @Override
  public String toString() {
    return "seeded";
  }
}
