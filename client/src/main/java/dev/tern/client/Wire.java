package dev.tern.client;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The few forms of protocol buffers that the messages use: varints and byte strings.
final class Wire {
  static final int ERROR = 0;
  static final int GET = 9;
  static final int GOT = 10;
  static final int PUT = 11;
  static final int STORED = 12;
  static final int DELETE = 13;
  static final int DELETED = 14;
  static final int GET_PLACEMENT = 200;
  static final int PLACEMENT = 201;

  private Wire() {}

  /// A message under construction.
  static final class Writer {
    private byte[] bytes = new byte[128];
    private int length;

    private void room(int more) {
      if (bytes.length - length < more) {
        bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
      }
    }

    private void varint(long value) {
      long left = value;
      room(10);
      while ((left & ~0x7fL) != 0) {
        bytes[length++] = (byte) (left | 0x80);
        left >>>= 7;
      }
      bytes[length++] = (byte) left;
    }

    Writer bytes(int field, byte[] value) {
      varint((long) field << 3 | 2);
      varint(value.length);
      room(value.length);
      System.arraycopy(value, 0, bytes, length, value.length);
      length += value.length;
      return this;
    }

    /// A uint32; what is negative is one of Riak's names.
    Writer number(int field, int value) {
      varint((long) field << 3);
      varint(value & 0xffff_ffffL);
      return this;
    }

    /// The same, left out if it is zero.
    Writer some(int field, int value) {
      return value == 0 ? this : number(field, value);
    }

    byte[] encoded() {
      return Arrays.copyOf(bytes, length);
    }
  }

  /// A message being read, field by field.
  static final class Reader {
    private final byte[] bytes;
    private final int end;
    private int at;
    private int tag;

    Reader(byte[] bytes, int from, int end) {
      this.bytes = bytes;
      this.at = from;
      this.end = end;
    }

    private long varint() {
      long value = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        if (at >= end) {
          throw broken();
        }
        byte next = bytes[at++];
        value |= (next & 0x7fL) << shift;
        if (next >= 0) {
          return value;
        }
      }
      throw broken();
    }

    private static IllegalArgumentException broken() {
      return new IllegalArgumentException("the store's answer cannot be read");
    }

    /// The next field's number, 0 at the end. Its value must be taken or skipped.
    int next() {
      if (at >= end) {
        return 0;
      }
      tag = (int) varint();
      return tag >>> 3;
    }

    int number() {
      return (int) varint();
    }

    private int skipLength() {
      long length = varint();
      if (length < 0 || length > end - at) {
        throw broken();
      }
      at += (int) length;
      return (int) length;
    }

    byte[] bytes() {
      int length = skipLength();
      return Arrays.copyOfRange(bytes, at - length, at);
    }

    /// A message within this one.
    Reader message() {
      int length = skipLength();
      return new Reader(bytes, at - length, at);
    }

    void skip() {
      switch (tag & 7) {
        case 0 -> varint();
        case 2 -> skipLength();
        case 1 -> at += 8;
        case 5 -> at += 4;
        default -> throw broken();
      }
    }
  }

  /// The value and deletion mark of one content.
  static byte @Nullable [] value(Reader content) {
    byte[] value = null;
    boolean deleted = false;
    int field;
    while ((field = content.next()) != 0) {
      switch (field) {
        case 1 -> value = content.bytes();
        case 11 -> deleted = content.number() != 0;
        default -> content.skip();
      }
    }
    return deleted ? null : value;
  }
}
