package dev.tern.gateway.riak;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/// Reading and writing the fields of messages.
final class Fields {
  private Fields() {}

  /// Which fields of a message are byte strings and which are numbers or flags. A field that comes
  /// in another wire type is an error: read as what it is not, its bytes would be taken for other
  /// fields. Immutable.
  static final class Shape {
    private static final int MAX_FIELDS = 64;

    private final long byteStrings;
    private final long numbers;

    private Shape(long byteStrings, long numbers) {
      this.byteStrings = byteStrings;
      this.numbers = numbers;
    }

    /// A message with these byte strings (strings and messages included).
    ///
    /// @param fields numbers below 64
    static Shape ofBytes(int... fields) {
      return new Shape(bits(fields), 0);
    }

    /// This with fields that are numbers or flags.
    ///
    /// @param fields numbers below 64
    Shape andNumbers(int... fields) {
      return new Shape(byteStrings, numbers | bits(fields));
    }

    private static long bits(int... fields) {
      long bits = 0;
      for (int field : fields) {
        if (field < 1 || field >= MAX_FIELDS) {
          throw new IllegalArgumentException("field " + field);
        }
        bits |= 1L << field;
      }
      return bits;
    }

    private static boolean has(long bits, int field) {
      return field < MAX_FIELDS && (bits >>> field & 1) == 1;
    }

    boolean knows(int field) {
      return has(byteStrings | numbers, field);
    }

    private void check(int field, int wireType) {
      boolean wrong =
          has(byteStrings, field) && wireType != WireFormat.WIRETYPE_LENGTH_DELIMITED
              || has(numbers, field) && wireType != WireFormat.WIRETYPE_VARINT;
      if (wrong) {
        throw new RiakException(
            "the message cannot be read: field %d has wire type %d".formatted(field, wireType));
      }
    }
  }

  /// Takes a field of its number.
  interface Reader {
    /// @return false if the field is unknown: it is skipped
    boolean field(int number, CodedInputStream in) throws IOException;
  }

  /// Reads all fields of a message.
  ///
  /// @param shape fields that it does not name are skipped
  /// @throws RiakException if the bytes are none
  static void read(byte[] message, Shape shape, Reader reader) {
    CodedInputStream in = CodedInputStream.newInstance(message);
    try {
      int tag;
      while ((tag = in.readTag()) != 0) {
        int field = WireFormat.getTagFieldNumber(tag);
        shape.check(field, WireFormat.getTagWireType(tag));
        if (!shape.knows(field) || !reader.field(field, in)) {
          in.skipField(tag);
        }
      }
    } catch (IOException e) {
      throw new RiakException("the message cannot be read: " + e.getMessage());
    }
  }

  /// A message under construction.
  static final class Message {
    /// Most messages are small; what is larger passes the buffer by.
    private static final int BUFFER_BYTES = 64;

    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream(BUFFER_BYTES);
    private final CodedOutputStream out = CodedOutputStream.newInstance(bytes, BUFFER_BYTES);

    /// Writes to memory do not fail.
    private interface Write {
      void run() throws IOException;
    }

    private Message written(Write write) {
      try {
        write.run();
        return this;
      } catch (IOException e) {
        throw new IllegalStateException(e);
      }
    }

    Message bytes(int field, byte[] value) {
      return written(() -> out.writeByteArray(field, value));
    }

    Message string(int field, String value) {
      return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    Message number(int field, int value) {
      return written(() -> out.writeUInt32(field, value));
    }

    Message flag(int field, boolean value) {
      return written(() -> out.writeBool(field, value));
    }

    /// Fields that are encoded already.
    Message raw(byte[] fields) {
      return written(() -> out.writeRawBytes(fields));
    }

    byte[] encoded() {
      written(out::flush);
      return bytes.toByteArray();
    }
  }
}
