package dev.tern.env;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// A growing byte array that messages and records are encoded into. Fixed-width numbers are
/// big-endian (so that encoded keys sort as numbers do), varints are LEB128 of the unsigned value.
/// One thread. Reuse with [#clear].
public final class ByteWriter {
  static final VarHandle SHORT =
      MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);
  static final VarHandle INT =
      MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
  static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

  /// A larger buffer is given back to the garbage collector on [#clear].
  private static final int KEPT_BYTES = 1 << 20;

  /// Room left behind a large piece: the short fields that follow a value must not make its array
  /// grow, and be copied, once more.
  private static final int ROOM_BEHIND = 256;

  private byte[] array;
  private int length;

  public ByteWriter() {
    this(256);
  }

  public ByteWriter(int initialBytes) {
    array = new byte[Math.max(16, initialBytes)];
  }

  /// The bytes written so far are the first [#length] of this array; it changes when it grows.
  public byte[] array() {
    return array;
  }

  public int length() {
    return length;
  }

  public byte[] toByteArray() {
    return Arrays.copyOf(array, length);
  }

  /// Forgets what was written.
  public ByteWriter clear() {
    length = 0;
    if (array.length > KEPT_BYTES) {
      array = new byte[256];
    }
    return this;
  }

  /// Drops everything after the first `newLength` bytes.
  public void truncate(int newLength) {
    if (newLength < 0 || newLength > length) {
      throw new IllegalArgumentException("cannot truncate " + length + " bytes to " + newLength);
    }
    length = newLength;
  }

  public ByteWriter writeByte(int value) {
    ensure(1);
    array[length++] = (byte) value;
    return this;
  }

  public ByteWriter writeShort(int value) {
    ensure(2);
    SHORT.set(array, length, (short) value);
    length += 2;
    return this;
  }

  public ByteWriter writeInt(int value) {
    ensure(4);
    INT.set(array, length, value);
    length += 4;
    return this;
  }

  public ByteWriter writeLong(long value) {
    ensure(8);
    LONG.set(array, length, value);
    length += 8;
    return this;
  }

  /// One to ten bytes; negative numbers take ten.
  public ByteWriter writeVarLong(long value) {
    ensure(10);
    while ((value & ~0x7fL) != 0) {
      array[length++] = (byte) (value | 0x80);
      value >>>= 7;
    }
    array[length++] = (byte) value;
    return this;
  }

  /// One to five bytes; the value is taken as unsigned.
  public ByteWriter writeVarInt(int value) {
    return writeVarLong(Integer.toUnsignedLong(value));
  }

  public ByteWriter writeBytes(byte[] bytes) {
    return writeBytes(bytes, 0, bytes.length);
  }

  public ByteWriter writeBytes(byte[] bytes, int offset, int count) {
    ensure(count);
    System.arraycopy(bytes, offset, array, length, count);
    length += count;
    return this;
  }

  /// A varint length, then the bytes.
  public ByteWriter writeBlob(byte[] bytes) {
    writeVarInt(bytes.length);
    return writeBytes(bytes);
  }

  /// UTF-8 as a blob.
  public ByteWriter writeString(String text) {
    return writeBlob(text.getBytes(StandardCharsets.UTF_8));
  }

  private void ensure(int more) {
    long needed = (long) length + more;
    if (needed > array.length) {
      grow(needed);
    }
  }

  private void grow(long needed) {
    if (needed > Integer.MAX_VALUE - 16) {
      throw new IllegalArgumentException("more than 2 GiB in one buffer");
    }
    long wanted = Math.max(needed + ROOM_BEHIND, 2L * array.length);
    byte[] larger = new byte[(int) Math.min(Integer.MAX_VALUE - 16, wanted)];
    System.arraycopy(array, 0, larger, 0, length);
    array = larger;
  }
}
