package dev.tern.core.version;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;

/// How the bytes of a value are to be read: each version carries it, so that concurrent writes of
/// one key may differ in it. This is the registry.
///
/// Numbers are on disk and on the wire. A number is never reused, and a new one is written only
/// after all members of a cluster can read it (docs/formats.md). A type says nothing of order or
/// merging: replicas treat the bytes alike, only doors look at it.
public enum ValueType {
  /// Of a delete, which has no bytes. Never encoded in a version.
  NONE(0),

  /// Bytes as a client sent them: a Redis string, also where it holds a number.
  BYTES(1),

  /// An object of the Riak door: an `RpbContent` without what only the store says.
  RIAK_OBJECT(2),

  /// The properties of a bucket of the Riak door: an `RpbBucketProps`.
  RIAK_PROPERTIES(3);

  /// By number.
  private static final ValueType[] ALL = values();

  private final int number;

  ValueType(int number) {
    this.number = number;
  }

  /// On disk and on the wire, u8.
  public int number() {
    return number;
  }

  /// The type of a value that is there.
  ///
  /// @throws DecodeException if the number is 0 or none of this version
  public static ValueType decode(ByteReader in) {
    ValueType type = decodeOrNone(in);
    if (type == NONE) {
      throw new DecodeException("a value of type 0, which only a delete has");
    }
    return type;
  }

  /// The type of a value, [#NONE] if there is none.
  ///
  /// @throws DecodeException if the number is none of this version
  public static ValueType decodeOrNone(ByteReader in) {
    int number = in.readUnsignedByte();
    if (number >= ALL.length) {
      throw new DecodeException("a value of type " + number + ", which this version does not know");
    }
    assert ALL[number].number == number;
    return ALL[number];
  }
}
