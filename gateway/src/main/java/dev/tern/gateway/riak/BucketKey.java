package dev.tern.gateway.riak;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A bucket and a key of it in one key of the type's keyspace: varint length of the bucket, bucket,
/// key. No bucket has a name of length 0, so a key that begins with 0 is the record of the
/// properties of the bucket that follows, or of the type if nothing does.
final class BucketKey {
  private static final int MAX_VARINT_BYTES = 5;

  private BucketKey() {}

  static byte[] of(byte[] bucket, byte[] key) {
    byte[] prefix = prefix(bucket);
    byte[] joined = Arrays.copyOf(prefix, prefix.length + key.length);
    System.arraycopy(key, 0, joined, prefix.length, key.length);
    return joined;
  }

  /// What all keys of a bucket begin with.
  static byte[] prefix(byte[] bucket) {
    byte[] bytes = new byte[MAX_VARINT_BYTES + bucket.length];
    int at = 0;
    int left = bucket.length;
    while (left > 0x7f) {
      bytes[at++] = (byte) (left | 0x80);
      left >>>= 7;
    }
    bytes[at++] = (byte) left;
    System.arraycopy(bucket, 0, bytes, at, bucket.length);
    return Arrays.copyOf(bytes, at + bucket.length);
  }

  /// Where the properties of a bucket are; of the type for an empty one.
  static byte[] properties(byte[] bucket) {
    byte[] bytes = new byte[1 + bucket.length];
    System.arraycopy(bucket, 0, bytes, 1, bucket.length);
    return bytes;
  }

  /// The bucket of a key, null if it is no key of a bucket.
  static byte @Nullable [] bucket(byte[] joined) {
    int length = 0;
    int at = 0;
    int shift = 0;
    while (true) {
      if (at == joined.length || at == MAX_VARINT_BYTES) {
        return null;
      }
      byte next = joined[at++];
      length |= (next & 0x7f) << shift;
      shift += 7;
      if (next >= 0) {
        break;
      }
    }
    return length <= 0 || length > joined.length - at
        ? null
        : Arrays.copyOfRange(joined, at, at + length);
  }

  /// What follows a bucket's prefix, null if a key does not begin with it.
  static byte @Nullable [] key(byte[] joined, byte[] prefix) {
    return joined.length >= prefix.length
            && Arrays.equals(joined, 0, prefix.length, prefix, 0, prefix.length)
        ? Arrays.copyOfRange(joined, prefix.length, joined.length)
        : null;
  }
}
