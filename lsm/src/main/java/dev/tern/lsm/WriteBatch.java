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

  /// Takes the entries out of encoded batches, one after the other; reused, and nothing is
  /// allocated. What an entry is lies in the fields.
  static final class Entries {
    private final ByteReader own = new ByteReader(new byte[0]);
    private ByteReader in = own;
    private int left;

    int family;
    long sequence;
    int kind;
    byte[] array = {};
    int keyAt;
    int keyLength;
    int valueAt;
    int valueLength;

    /// Begins with a batch of this process's own.
    void begin(ByteWriter encoded) {
      begin(own.reset(encoded.array(), 0, encoded.length()));
    }

    /// Begins with the batch that comes next in a reader.
    void begin(ByteReader reader) {
      in = reader;
      sequence = in.readLong() - 1;
      left = in.readInt();
      array = in.array();
    }

    /// To the next entry; false if there is none.
    ///
    /// @throws DecodeException if it is none, or of a kind not known here
    boolean next() {
      if (left <= 0) {
        return false;
      }
      left--;
      sequence++;
      kind = in.readUnsignedByte();
      if (!Kind.isKnown(kind)) {
        throw new DecodeException("an entry of kind " + kind + ", which is not known here");
      }
      family = in.readVarInt();
      keyLength = in.readLength();
      keyAt = in.position();
      in.skip(keyLength);
      valueLength = kind == Kind.DELETE ? 0 : in.readLength();
      valueAt = in.position();
      in.skip(valueLength);
      if (kind == Kind.EXPIRING_PUT && valueLength < Kind.EXPIRY_BYTES) {
        throw new DecodeException("an expiring value of " + valueLength + " bytes");
      }
      return true;
    }

    /// A copy.
    byte[] key() {
      return Arrays.copyOfRange(array, keyAt, keyAt + keyLength);
    }

    /// A copy.
    byte[] value() {
      return Arrays.copyOfRange(array, valueAt, valueAt + valueLength);
    }
  }
}
