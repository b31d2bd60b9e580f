package dev.tern.gateway.riak;

import io.netty.buffer.ByteBuf;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Takes messages out of a client's bytes: `u32 length, u8 code, length - 1 bytes`. It keeps its
/// place in a message that has not come whole.
///
/// Threads: one connection's loop.
final class RiakDecoder {
  /// A longer message is no request: no value is so large.
  static final int MAX_MESSAGE_BYTES = 32 << 20;

  /// A message up to this length waits in the connection's buffer until it is whole.
  private static final int SMALL_BYTES = 64 << 10;

  private static final int LENGTH_BYTES = 4;

  /// A message.
  ///
  /// @param code what it asks for
  /// @param bytes a protobuf
  record Message(int code, byte[] bytes) {}

  /// Bytes that are no message.
  static final class FrameException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long length;

    FrameException(long length) {
      super(
          "a message of %d bytes; at most %d fit".formatted(length, MAX_MESSAGE_BYTES),
          null,
          false,
          false);
      this.length = length;
    }

    /// Bytes that the message was said to have.
    long length() {
      return length;
    }
  }

  /// What has come of a large message; such a one gathers here and not in the connection's buffer,
  /// and takes memory as it comes: not what it says it will need. Null between messages.
  private byte @Nullable [] gathered;

  private int code;
  private int filled;

  /// Bytes that follow the present message's code.
  private int wanted;

  /// The next message, null if it has not come whole; takes what it can from `in`.
  ///
  /// @throws FrameException if the bytes cannot be a message
  @Nullable Message next(ByteBuf in) {
    byte[] bytes = gathered;
    if (bytes == null) {
      if (in.readableBytes() < LENGTH_BYTES) {
        return null;
      }
      long length = in.getUnsignedInt(in.readerIndex());
      if (length < 1 || length > MAX_MESSAGE_BYTES) {
        throw new FrameException(length);
      }
      int come = in.readableBytes() - LENGTH_BYTES;
      if (come < 1 || come < length && length <= SMALL_BYTES) {
        return null;
      }
      in.skipBytes(LENGTH_BYTES);
      code = in.readUnsignedByte();
      wanted = (int) length - 1;
      filled = 0;
      bytes = new byte[Math.min(wanted, Math.max(SMALL_BYTES, come))];
    }
    int count = Math.min(wanted - filled, in.readableBytes());
    if (filled + count > bytes.length) {
      int room = (int) Math.min(wanted, Math.max(filled + count, 2L * bytes.length));
      bytes = Arrays.copyOf(bytes, room);
    }
    in.readBytes(bytes, filled, count);
    filled += count;
    if (filled < wanted) {
      gathered = bytes;
      return null;
    }
    gathered = null;
    return new Message(code, bytes.length == wanted ? bytes : Arrays.copyOf(bytes, wanted));
  }

  /// Bytes of memory that the message which has not come whole takes.
  long incompleteBytes() {
    return gathered == null ? 0 : gathered.length;
  }

  /// Bytes of that message that have not come.
  long missingBytes() {
    return gathered == null ? 0 : wanted - filled;
  }
}
