package dev.tern.lsm;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;

/// Changes that take effect together. One thread; reuse with [#clear]. Arrays are copied.
///
/// Encoded, as it lies in the log: `u64 first sequence, u32 entries`, per entry `u8 kind, varint
/// column family, blob key`, and, for all kinds but a delete, `blob value` (see `Kind`: an expiring
/// value is led by its moment, a range delete's value is its end).
public final class WriteBatch {
  /// The longest key.
  public static final int MAX_KEY_BYTES = 1 << 20;

  static final int HEADER_BYTES = 12;

  private final ByteWriter out = new ByteWriter(512);
  private int entries;
  private int largestFamily;

  public WriteBatch() {
    clear();
  }

  private void begin(int kind, ColumnFamily family, byte[] key) {
    if (key.length > MAX_KEY_BYTES) {
      throw new IllegalArgumentException(
          "a key of " + key.length + " bytes; at most " + MAX_KEY_BYTES);
    }
    largestFamily = Math.max(largestFamily, family.id());
    out.writeByte(kind).writeVarInt(family.id()).writeBlob(key);
    entries++;
  }

  /// Sets a key.
  public WriteBatch put(ColumnFamily family, byte[] key, byte[] value) {
    begin(Kind.PUT, family, key);
    out.writeBlob(value);
    return this;
  }

  /// Sets a key to what a writer holds.
  public WriteBatch put(ColumnFamily family, byte[] key, ByteWriter value) {
    begin(Kind.PUT, family, key);
    out.writeVarInt(value.length()).writeBytes(value.array(), 0, value.length());
    return this;
  }

  /// Sets a key to a value that is there until a moment of the wall clock; then it is as deleted.
  public WriteBatch put(ColumnFamily family, byte[] key, byte[] value, long expiresAtMillis) {
    begin(Kind.EXPIRING_PUT, family, key);
    out.writeVarInt(value.length + Kind.EXPIRY_BYTES).writeLong(expiresAtMillis).writeBytes(value);
    return this;
  }

  /// Removes a key.
  public WriteBatch delete(ColumnFamily family, byte[] key) {
    begin(Kind.DELETE, family, key);
    return this;
  }

  /// Removes all keys from `from` up to `to`, exclusive, that were written before. An empty range
  /// removes nothing.
  public WriteBatch deleteRange(ColumnFamily family, byte[] from, byte[] to) {
    if (Arrays.compareUnsigned(from, to) < 0) {
      begin(Kind.RANGE_DELETE, family, from);
      out.writeBlob(to);
    }
    return this;
  }

  public void clear() {
    out.clear().writeLong(0).writeInt(0);
    entries = 0;
    largestFamily = -1;
  }

  /// The largest number of a column family it changes, -1 for none.
  int largestFamily() {
    return largestFamily;
  }

  public int entries() {
    return entries;
  }

  /// Bytes it takes in the log.
  public int bytes() {
    return out.length();
  }

  ByteWriter encoded(long firstSequence) {
    byte[] array = out.array();
    Keys.LONG.set(array, 0, firstSequence);
    for (int i = 0; i < 4; i++) {
      array[8 + i] = (byte) (entries >>> (24 - 8 * i));
    }
    return out;
  }

  /// Takes entries out of an encoded batch.
  interface Visitor {
    void entry(int family, long sequence, int kind, byte[] array, Slice key, Slice value);
  }

  /// Bytes of an array.
  static final class Slice {
    int offset;
    int length;

    byte[] copy(byte[] array) {
      return Arrays.copyOfRange(array, offset, offset + length);
    }
  }

  /// Reads one batch; the sequence after its last entry's.
  ///
  /// @throws DecodeException if it is no batch, or of a kind not known here
  static long visit(ByteReader in, Visitor visitor) {
    long sequence = in.readLong();
    int count = in.readInt();
    Slice key = new Slice();
    Slice value = new Slice();
    for (int i = 0; i < count; i++) {
      int kind = in.readUnsignedByte();
      if (!Kind.isKnown(kind)) {
        throw new DecodeException("an entry of kind " + kind + ", which is not known here");
      }
      int family = in.readVarInt();
      key.length = in.readLength();
      key.offset = in.position();
      in.skip(key.length);
      value.length = kind == Kind.DELETE ? 0 : in.readLength();
      value.offset = in.position();
      in.skip(value.length);
      if (kind == Kind.EXPIRING_PUT && value.length < Kind.EXPIRY_BYTES) {
        throw new DecodeException("an expiring value of " + value.length + " bytes");
      }
      visitor.entry(family, sequence++, kind, in.array(), key, value);
    }
    return sequence;
  }
}
