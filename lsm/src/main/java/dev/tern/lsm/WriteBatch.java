package dev.tern.lsm;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;

/// Changes that take effect together. One thread; reuse with [#clear].
///
/// Encoded, as it lies in the log: `u64 first sequence, u32 entries`, per entry `u8 kind, varint
/// column family, blob key`, and `blob value` for a put. Kinds 2 and 3 are kept free for merge
/// operands and blob references.
public final class WriteBatch {
  static final int HEADER_BYTES = 12;
  static final int DELETE = 0;
  static final int PUT = 1;

  private final ByteWriter out = new ByteWriter(512);
  private int entries;

  public WriteBatch() {
    clear();
  }

  /// Sets a key. The arrays are copied.
  public WriteBatch put(ColumnFamily family, byte[] key, byte[] value) {
    out.writeByte(PUT).writeVarInt(family.id()).writeBlob(key).writeBlob(value);
    entries++;
    return this;
  }

  /// Sets a key to what a writer holds. The bytes are copied.
  public WriteBatch put(ColumnFamily family, byte[] key, ByteWriter value) {
    out.writeByte(PUT).writeVarInt(family.id()).writeBlob(key);
    out.writeVarInt(value.length()).writeBytes(value.array(), 0, value.length());
    entries++;
    return this;
  }

  /// Removes a key.
  public WriteBatch delete(ColumnFamily family, byte[] key) {
    out.writeByte(DELETE).writeVarInt(family.id()).writeBlob(key);
    entries++;
    return this;
  }

  public void clear() {
    out.clear().writeLong(0).writeInt(0);
    entries = 0;
  }

  public int entries() {
    return entries;
  }

  ByteWriter encoded(long firstSequence) {
    byte[] array = out.array();
    for (int i = 0; i < 8; i++) {
      array[i] = (byte) (firstSequence >>> (56 - 8 * i));
    }
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
  }

  /// Reads one batch; the sequence after its last entry's.
  static long visit(ByteReader in, Visitor visitor) {
    long sequence = in.readLong();
    int count = in.readInt();
    Slice key = new Slice();
    Slice value = new Slice();
    for (int i = 0; i < count; i++) {
      int kind = in.readUnsignedByte();
      int family = in.readVarInt();
      key.length = in.readLength();
      key.offset = in.position();
      in.skip(key.length);
      value.length = kind == PUT ? in.readLength() : 0;
      value.offset = in.position();
      in.skip(value.length);
      visitor.entry(family, sequence++, kind, in.array(), key, value);
    }
    return sequence;
  }
}
