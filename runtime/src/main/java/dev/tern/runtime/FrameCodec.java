package dev.tern.runtime;

import dev.tern.env.ByteWriter;
import dev.tern.env.Network;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import java.util.zip.CRC32C;

/// Frames between nodes on a connection, version 1; numbers are big-endian.
///
/// ```
///   0  u32 bytes that follow
///   4  u8  version = 1
///   5  u8  kind: 1 hello, 2 message
///   6  u16 to shard (a partition number; the receiver takes it modulo its shards)
///   8  u16 from shard
///   10 payload
///   .. u32 CRC32C of bytes 4 up to here
///
///   hello payload: u64 magic "ternnode", u16 version, string cluster, u32 member number
/// ```
final class FrameCodec {
  static final int VERSION = 1;
  static final int HELLO = 1;
  static final int MESSAGE = 2;
  static final int HEADER_BYTES = 6;
  static final int MAX_FRAME_BYTES = Network.MAX_PAYLOAD_BYTES + HEADER_BYTES + 4;
  static final long MAGIC = 0x7465726e6e6f6465L;

  private FrameCodec() {}

  static ByteBuf encode(
      ByteBufAllocator allocator,
      CRC32C crc,
      int kind,
      int toShard,
      int fromShard,
      ByteWriter payload) {
    int length = HEADER_BYTES + payload.length() + 4;
    ByteBuf out = allocator.directBuffer(4 + length, 4 + length);
    out.writeInt(length).writeByte(VERSION).writeByte(kind).writeShort(toShard);
    out.writeShort(fromShard).writeBytes(payload.array(), 0, payload.length());
    crc.reset();
    crc.update(out.nioBuffer(4, length - 4));
    return out.writeInt((int) crc.getValue());
  }
}
