package dev.tern.env;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Reads what [ByteWriter] wrote. Every read past the end and every impossible length throws
/// [DecodeException]; nothing is allocated before its length was checked against what is there. One
/// thread. Reuse with [#reset].
public final class ByteReader {
  private byte[] array;
  private int position;
  private int end;

  public ByteReader(byte[] array) {
    this(array, 0, array.length);
  }

  /// Reads a part of an array.
  ///
  /// @throws DecodeException if the array is shorter
  public ByteReader(byte[] array, int offset, int length) {
    within(array, offset, length);
    this.array = array;
    this.position = offset;
    this.end = offset + length;
  }

  private static void within(byte[] array, int offset, int length) {
    if (offset < 0 || length < 0 || length > array.length - offset) {
      throw new DecodeException(
          "%d bytes from %d on where there are %d".formatted(length, offset, array.length));
    }
  }

  /// Reads a part of another array from now on.
  ///
  /// @throws DecodeException if the array is shorter
  public ByteReader reset(byte[] newArray, int offset, int length) {
    within(newArray, offset, length);
    this.array = newArray;
    this.position = offset;
    this.end = offset + length;
    return this;
  }

  /// The backing array; [#position] is an index into it.
  public byte[] array() {
    return array;
  }

  public int position() {
    return position;
  }

  public int remaining() {
    return end - position;
  }

  public int readByte() {
    need(1);
    return array[position++];
  }

  public int readUnsignedByte() {
    return readByte() & 0xff;
  }

  public int readUnsignedShort() {
    need(2);
    int value = (short) ByteWriter.SHORT.get(array, position) & 0xffff;
    position += 2;
    return value;
  }

  public int readInt() {
    need(4);
    int value = (int) ByteWriter.INT.get(array, position);
    position += 4;
    return value;
  }

  public long readLong() {
    need(8);
    long value = (long) ByteWriter.LONG.get(array, position);
    position += 8;
    return value;
  }

  public long readVarLong() {
    long value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      int b = readByte();
      if (shift == 63 && (b & 0xfe) != 0) {
        break;
      }
      value |= (long) (b & 0x7f) << shift;
      if (b >= 0) {
        return value;
      }
    }
    throw new DecodeException("a varint of more than 64 bits");
  }

  /// An unsigned 32-bit varint.
  public int readVarInt() {
    long value = readVarLong();
    if (value >>> 32 != 0) {
      throw new DecodeException("a varint of more than 32 bits");
    }
    return (int) value;
  }

  /// A varint that counts bytes or elements of at least one byte still to come.
  public int readLength() {
    long value = readVarLong();
    if (value < 0 || value > remaining()) {
      throw new DecodeException(
          "a length of "
              + Long.toUnsignedString(value)
              + " where "
              + remaining()
              + " bytes remain");
    }
    return (int) value;
  }

  /// A varint that counts elements of at least so many bytes each still to come: a list reserved
  /// for them takes no more memory than a few times what came.
  public int readCount(int leastBytes) {
    long value = readVarLong();
    if (value < 0 || value > remaining() / leastBytes) {
      throw new DecodeException(
          "a count of "
              + Long.toUnsignedString(value)
              + " elements of "
              + leastBytes
              + " bytes or more where "
              + remaining()
              + " bytes remain");
    }
    return (int) value;
  }

  /// A varint of `least` to `most`.
  public int readVarIntIn(int least, int most) {
    long value = readVarLong();
    if (value < least || value > most) {
      throw new DecodeException(
          Long.toUnsignedString(value) + " where " + least + " to " + most + " are allowed");
    }
    return (int) value;
  }

  /// A varint of less than 63 bits.
  public long readPositiveVarLong() {
    long value = readVarLong();
    if (value < 0) {
      throw new DecodeException("a number of more than 63 bits");
    }
    return value;
  }

  /// A u8 of 0 or 1.
  public boolean readFlag() {
    int value = readUnsignedByte();
    if (value > 1) {
      throw new DecodeException("a flag of " + value);
    }
    return value == 1;
  }

  /// A u8, the place of one of `values`.
  public <T> T readOneOf(T[] values) {
    int ordinal = readUnsignedByte();
    if (ordinal >= values.length) {
      throw new DecodeException("value " + ordinal + " of an enumeration of " + values.length);
    }
    return values[ordinal];
  }

  public byte[] readBytes(int count) {
    if (count < 0) {
      throw new DecodeException("a negative length");
    }
    need(count);
    byte[] bytes = Arrays.copyOfRange(array, position, position + count);
    position += count;
    return bytes;
  }

  public byte[] readBlob() {
    return readBytes(readLength());
  }

  public String readString() {
    int length = readLength();
    String text = new String(array, position, length, StandardCharsets.UTF_8);
    position += length;
    return text;
  }

  public void skip(int count) {
    if (count < 0) {
      throw new DecodeException("a negative length");
    }
    need(count);
    position += count;
  }

  /// Ends the decoding of something that must fill its frame.
  public void expectEnd() {
    if (position != end) {
      throw new DecodeException(remaining() + " bytes after the end of a message");
    }
  }

  private void need(int count) {
    if (end - position < count) {
      throw new DecodeException("needed " + count + " bytes where " + (end - position) + " remain");
    }
  }
}
