package dev.tern.gateway.riak;

import java.nio.charset.StandardCharsets;

/// A request about a bucket, or about a type where the bucket is empty.
///
/// @param properties RpbBucketProps to set
record BucketRequest(byte[] bucket, String type, byte[] properties) {
  private static final byte[] NOTHING = {};
  private static final Fields.Shape SHAPE = Fields.Shape.ofBytes(1, 2, 3);

  /// Bucket 1, type 2: a get or a reset.
  static BucketRequest of(byte[] message) {
    byte[][] fields = fields(message);
    return bucket(fields[1], fields[2], NOTHING);
  }

  /// Bucket 1, properties 2, type 3.
  static BucketRequest setting(byte[] message) {
    byte[][] fields = fields(message);
    return bucket(fields[1], fields[3], fields[2]);
  }

  /// Type 1, and properties 2 where they are to be set.
  static BucketRequest ofType(byte[] message) {
    byte[][] fields = fields(message);
    return new BucketRequest(NOTHING, name(fields[1]), fields[2]);
  }

  private static BucketRequest bucket(byte[] bucket, byte[] type, byte[] properties) {
    if (bucket.length == 0) {
      throw new RiakException("Bucket cannot be zero-length");
    }
    return new BucketRequest(bucket, name(type), properties);
  }

  private static String name(byte[] type) {
    return type.length == 0 ? KeyRequest.DEFAULT_TYPE : new String(type, StandardCharsets.UTF_8);
  }

  private static byte[][] fields(byte[] message) {
    byte[][] fields = {NOTHING, NOTHING, NOTHING, NOTHING};
    Fields.read(
        message,
        SHAPE,
        (field, in) -> {
          fields[field] = in.readByteArray();
          return true;
        });
    return fields;
  }
}
