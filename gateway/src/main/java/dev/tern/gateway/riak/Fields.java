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

  /// Takes a field of its number.
  interface Reader {
    /// @return false if the field is unknown: it is skipped
    boolean field(int number, CodedInputStream in) throws IOException;
  }

  /// Reads all fields of a message.
  ///
  /// @throws RiakException if the bytes are none
  static void read(byte[] message, Reader reader) {
    CodedInputStream in = CodedInputStream.newInstance(message);
    try {
      int tag;
      while ((tag = in.readTag()) != 0) {
        if (!reader.field(WireFormat.getTagFieldNumber(tag), in)) {
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
