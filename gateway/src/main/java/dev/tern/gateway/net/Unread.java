package dev.tern.gateway.net;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.handler.codec.ByteToMessageDecoder;
import org.jspecify.annotations.Nullable;

/// Bytes of a connection that no request has taken yet. What was taken is given back as more comes,
/// so that a stream that never pauses at a request's end does not grow the buffer. One loop.
public final class Unread {
  private @Nullable ByteBuf bytes;

  /// Takes over bytes that came.
  public void add(ByteBufAllocator allocator, ByteBuf more) {
    if (bytes == null) {
      bytes = more;
    } else {
      bytes.discardSomeReadBytes();
      bytes = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(allocator, bytes, more);
    }
  }

  /// What is there, to be read from.
  public ByteBuf bytes() {
    return bytes == null ? Unpooled.EMPTY_BUFFER : bytes;
  }

  public boolean isEmpty() {
    return bytes == null || !bytes.isReadable();
  }

  /// Gives the memory back if all was read.
  public void settle() {
    if (bytes != null && !bytes.isReadable()) {
      release();
    }
  }

  /// Gives the memory back.
  public void release() {
    if (bytes != null) {
      bytes.release();
      bytes = null;
    }
  }
}
