package dev.tern.lsm;

import dev.tern.env.ByteWriter;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Changes that take effect together. One thread; reuse with [#clear]. Arrays are copied.
///
/// A call that throws, for instance because an argument is null or too large or because memory is
/// short, adds nothing: the batch is as it was before.
///
/// Encoded, as it lies in the log: `u64 first sequence, u32 entries`, per entry `u8 kind, varint
/// column family, blob key`, and, for all kinds but a delete, `blob value` (see `Kind`: an expiring
/// value is led by its moment, a range delete's value is its end).
public final class WriteBatch {
  /// The longest key.
  public static final int MAX_KEY_BYTES = Keys.MAX_BYTES;

  /// The longest value.
  public static final int MAX_VALUE_BYTES = 512 << 20;

  /// What a batch may take in the log.
  public static final int MAX_BATCH_BYTES = BatchEntries.MAX_BYTES;

  static final int HEADER_BYTES = 12;
  private static final byte[] NOTHING = {};

  /// Kind, column family and the lengths of key and value, at the most.
  private static final int ENTRY_HEADER_BYTES = 1 + 3 * 5;

  private final ByteWriter out = new ByteWriter(512);
  private int entries;

  /// The store whose column families it names, null for none yet.
  private @Nullable Object owner;

  public WriteBatch() {
    clear();
  }

  /// Sets a key.
  public WriteBatch put(ColumnFamily family, byte[] key, byte[] value) {
    return add(Kind.PUT, family, key, value, value.length, 0);
  }

  /// Sets a key to what a writer holds.
  public WriteBatch put(ColumnFamily family, byte[] key, ByteWriter value) {
    return add(Kind.PUT, family, key, value.array(), value.length(), 0);
  }

  /// Sets a key to a value that is there until a moment of the wall clock; then it is as deleted.
  ///
  /// @param expiresAtMillis positive
  public WriteBatch put(ColumnFamily family, byte[] key, byte[] value, long expiresAtMillis) {
    if (expiresAtMillis <= 0) {
      throw new IllegalArgumentException(
          "a value expires at a moment after 1970, not at " + expiresAtMillis);
    }
    return add(Kind.EXPIRING_PUT, family, key, value, value.length, expiresAtMillis);
  }

  /// Removes a key.
  public WriteBatch delete(ColumnFamily family, byte[] key) {
    return add(Kind.DELETE, family, key, NOTHING, 0, 0);
  }

  /// Removes all keys from `from` up to `to`, exclusive, that were written before. A range that
  /// ends before it begins holds no key: nothing is added.
  public WriteBatch deleteRange(ColumnFamily family, byte[] from, byte[] to) {
    checkKey(from);
    checkKey(to);
    if (Arrays.compareUnsigned(from, to) < 0) {
      return add(Kind.RANGE_DELETE, family, from, to, to.length, 0);
    }
    claim(family);
    return this;
  }

  /// Adds an entry that changes nothing and has a sequence of its own.
  WriteBatch nothing(ColumnFamily family) {
    return add(Kind.RANGE_DELETE, family, NOTHING, NOTHING, 0, 0);
  }

  private static void checkKey(byte[] key) {
    if (key.length > MAX_KEY_BYTES) {
      throw new IllegalArgumentException(
          "a key of " + key.length + " bytes; at most " + MAX_KEY_BYTES);
    }
  }

  private void claim(ColumnFamily family) {
    Object of = family.owner();
    if (owner != null && owner != of) {
      throw new IllegalArgumentException(
          "%s is not of the store whose column families the batch names".formatted(family));
    }
    owner = of;
  }

  /// Everything is looked at before anything is written.
  private WriteBatch add(
      int kind, ColumnFamily family, byte[] key, byte[] value, int valueLength, long expiry) {
    checkKey(key);
    if (valueLength > MAX_VALUE_BYTES) {
      throw new IllegalArgumentException(
          "a value of " + valueLength + " bytes; at most " + MAX_VALUE_BYTES);
    }
    int prefix = kind == Kind.EXPIRING_PUT ? Kind.EXPIRY_BYTES : 0;
    long bytes = (long) out.length() + ENTRY_HEADER_BYTES + key.length + prefix + valueLength;
    if (bytes > MAX_BATCH_BYTES) {
      throw new IllegalArgumentException(
          "a batch of %d bytes; at most %d: write it in parts".formatted(bytes, MAX_BATCH_BYTES));
    }
    int before = out.length();
    boolean done = false;
    try {
      out.writeByte(kind).writeVarInt(family.id()).writeBlob(key);
      if (kind != Kind.DELETE) {
        out.writeVarInt(prefix + valueLength);
        if (prefix > 0) {
          out.writeLong(expiry);
        }
        out.writeBytes(value, 0, valueLength);
      }
      claim(family);
      done = true;
    } finally {
      if (!done) {
        out.truncate(before);
      }
    }
    entries++;
    return this;
  }

  public void clear() {
    out.clear().writeLong(0).writeInt(0);
    entries = 0;
    owner = null;
  }

  /// Whether a store may take it: all column families it names are of that store, as it is open
  /// now.
  boolean isFor(Object store) {
    return owner == null || owner == store;
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
}
