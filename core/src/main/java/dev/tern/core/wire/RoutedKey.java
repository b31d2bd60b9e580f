package dev.tern.core.wire;

import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.topology.Slots;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;

/// A user key as it travels between nodes. Who sends it has hashed it to its slot; who gets it goes
/// by what it says.
///
/// ```
///   varint set, varint slot, varint keyspace, blob key
/// ```
///
/// @param set number of the keyspace's replica groups: a node that knows the keyspace in others
///   refuses it
/// @param slot of the key
/// @param keyspace id
public record RoutedKey(int set, int slot, int keyspace, byte[] key) {
  private static final int MAX_SET = 0xffff;

  /// A key of whoever hashes it here.
  public static RoutedKey of(int set, int keyspace, byte[] key) {
    return new RoutedKey(set, Slots.of(key), keyspace, key);
  }

  /// Appends it.
  public void encode(ByteWriter out) {
    out.writeVarInt(set).writeVarInt(slot).writeVarInt(keyspace).writeBlob(key);
  }

  /// What [#encode] wrote.
  ///
  /// @throws DecodeException if it is out of range
  public static RoutedKey decode(ByteReader in) {
    return new RoutedKey(
        in.readVarIntIn(1, MAX_SET),
        in.readVarIntIn(0, Slots.COUNT - 1),
        in.readVarIntIn(0, Integer.MAX_VALUE),
        decodeKey(in));
  }

  /// Reads a user key that was written as a blob.
  ///
  /// @throws DecodeException if it is too long
  public static byte[] decodeKey(ByteReader in) {
    byte[] key = in.readBlob();
    if (key.length > Keyspace.MAX_KEY_BYTES) {
      throw new DecodeException("a key of " + key.length + " bytes");
    }
    return key;
  }
}
