package dev.tern.runtime;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.codec.ByteToMessageDecoder;
import java.util.List;
import java.util.zip.CRC32C;

/// Cuts a connection's bytes into frames and checks them.
///
/// Invariants: a frame is handed on whole and with the checksum it was sent with, or not at all;
/// after the first fault nothing more is handed on and the connection closes. Memory follows what
/// has arrived, not what a length claims.
abstract class FrameDecoder extends ByteToMessageDecoder {
  /// Smaller payloads of this thread's own frames share one array.
  private static final int KEPT_BYTES = 64 << 10;

  private final CRC32C crc = new CRC32C();
  private final ByteReader reader = new ByteReader(new byte[0]);
  private byte[] kept = new byte[1024];
  private int maxFrameBytes = FrameCodec.MAX_CONTROL_FRAME_BYTES;
  private boolean broken;

  /// The peer is known: its messages may be as long as they may.
  final void allowMessages() {
    maxFrameBytes = FrameCodec.MAX_FRAME_BYTES;
  }

  /// A frame's header is read and its checksum right; `payload` is to be taken with [#borrowed] or
  /// [#copied] before this returns.
  abstract void frame(
      ChannelHandlerContext context, int kind, int toShard, int fromShard, ByteBuf payload);

  /// Bytes that mean nothing came, and are the last that are looked at. Closes the connection.
  abstract void refused(ChannelHandlerContext context, String reason);

  /// Nothing more is handed on.
  final void stopReading() {
    broken = true;
  }

  /// A payload for use during this call only.
  final ByteReader borrowed(ByteBuf payload) {
    int length = payload.readableBytes();
    if (length > kept.length) {
      if (length > KEPT_BYTES) {
        return new ByteReader(copied(payload));
      }
      kept = new byte[Math.min(KEPT_BYTES, Math.max(length, 2 * kept.length))];
    }
    payload.readBytes(kept, 0, length);
    return reader.reset(kept, 0, length);
  }

  static byte[] copied(ByteBuf payload) {
    byte[] bytes = new byte[payload.readableBytes()];
    payload.readBytes(bytes);
    return bytes;
  }

  @Override
  protected final void decode(ChannelHandlerContext context, ByteBuf in, List<Object> out) {
    if (broken) {
      in.skipBytes(in.readableBytes());
      return;
    }
    try {
      cut(context, in);
    } catch (DecodeException e) {
      broken = true;
      refused(context, String.valueOf(e.getMessage()));
    }
  }

  private void cut(ChannelHandlerContext context, ByteBuf in) {
    if (in.readableBytes() < FrameCodec.LENGTH_BYTES) {
      return;
    }
    int start = in.readerIndex();
    long length = in.getUnsignedInt(start);
    if (length < FrameCodec.MIN_FRAME_BYTES || length > maxFrameBytes) {
      throw new DecodeException(
          "a frame of " + length + " bytes where " + maxFrameBytes + " are the most");
    }
    if (in.readableBytes() < FrameCodec.LENGTH_BYTES + length) {
      return;
    }
    int checked = (int) length - FrameCodec.CRC_BYTES;
    int version = in.getUnsignedByte(start + FrameCodec.LENGTH_BYTES);
    if (version != FrameCodec.VERSION) {
      throw new DecodeException(
          "frames of version " + version + ", this node speaks " + FrameCodec.VERSION);
    }
    crc.reset();
    crc.update(in.internalNioBuffer(start + FrameCodec.LENGTH_BYTES, checked));
    if (in.getInt(start + FrameCodec.LENGTH_BYTES + checked) != (int) crc.getValue()) {
      throw new DecodeException("a frame whose checksum does not match");
    }
    in.skipBytes(FrameCodec.LENGTH_BYTES + 1);
    int kind = in.readUnsignedByte();
    int toShard = in.readUnsignedShort();
    int fromShard = in.readUnsignedShort();
    ByteBuf payload = in.readSlice(checked - FrameCodec.HEADER_BYTES);
    in.skipBytes(FrameCodec.CRC_BYTES);
    frame(context, kind, toShard, fromShard, payload);
  }
}
